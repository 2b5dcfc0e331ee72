"""The CloudFront function: its size and what a call costs in the embedded engine."""

from collections.abc import Iterator

from edge.engine import FUNCTION, rewrite
from tests.bench.row import Row, median_ms

CALLS = 2_000


def measure() -> Iterator[Row]:
    size = len(FUNCTION.read_bytes())
    yield Row("the edge function", f"{size:,} bytes", "≤ 2,048", size <= 2048)
    took = median_ms(lambda number: rewrite("/track/k3Vd0qXyT9bQmZr2LwHnC7sJ", "utm=a"), CALLS)
    yield Row("  one call, QuickJS", f"{took * 1000:.0f} µs")
