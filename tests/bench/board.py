"""The board with 1,000 open and 5,000 finished jobs: how big the page is, and what it takes."""

import gzip
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from dispatch import flow
from dispatch.models import Board
from tests.bench.row import Row, median_ms

OPEN, FINISHED = 1_000, 5_000


def measure() -> Iterator[Row]:
    board, start = Board.objects.get(slug="main"), timezone.now()
    with transaction.atomic():
        for number in range(OPEN + FINISHED):
            status = (
                "completed" if number >= OPEN else ("requested", "scheduled", "ready_for_pickup", "en_route")[number % 4]
            )
            flow.open_job(
                board, by="Bench", channel="import", hint=False, status=status, location=f"{number} Elm St", price=375,
                customer_name="Marisol Vega", crew=["Dee Walker", "Marco Silva"], load_eighths=4,
                window_start=start, window_end=start + timedelta(hours=2),
            )  # fmt: skip
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser("bench", password="bench"))
    size = len(gzip.compress(client.get("/board/main/").content)) / 1024
    took = median_ms(lambda number: client.get("/board/main/"), 10)
    yield Row(f"board page, {OPEN:,} open and {FINISHED:,} finished jobs", f"{took:.0f} ms")
    yield Row("  its size, compressed", f"{size:.0f} KB", "≤ 200 KB", size <= 200)
