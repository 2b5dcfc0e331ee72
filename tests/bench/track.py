"""The customer's page: everything that a phone has to load."""

import re
from collections.abc import Iterator

from django.test import Client

from dispatch.models import Job
from tests.bench.row import Row, median_ms


def measure() -> Iterator[Row]:
    client, job = Client(headers={"host": "127.0.0.1"}), Job.objects.filter(status="en_route").first()
    page = client.get(f"/track/{job.token}")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    size = (len(page.content) + sum(len(client.get(name).content) for name in files)) / 1024
    yield Row(f"the customer's page with its {len(files)} files", f"{size:.0f} KB", "≤ 60 KB", size <= 60)
    yield Row("  one answer", f"{median_ms(lambda number: client.get(f'/track/{job.token}'), 50):.1f} ms")
