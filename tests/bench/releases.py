"""A release of 20 pages and 200 assets on a folder: staged, promoted, and again when one page and one asset are new."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from dispatch.mirror.storages import CompareAndSwapFileSystemStorage
from edge import releases
from edge.promoting import Promotion
from qdn.site import SiteStore
from tests.bench.row import Row

PAGES, ASSETS = 20, 200
ASSET_BYTES = 20_000


class CountingStore(SiteStore):
    def __init__(self, folder: Path) -> None:
        self.storage = CompareAndSwapFileSystemStorage(location=folder)
        self.written: list[str] = []

    def write(self, name: str, content: bytes, **more):
        etag = super().write(name, content, **more)
        self.written.append(name)
        return etag

    def take(self) -> list[str]:
        """What was written since, without the pointer."""
        written = [name for name in self.written if not name.endswith("release.json")]
        self.written.clear()
        return written


class NoEdge:
    def put_function(self, *_) -> bool:
        return False

    def invalidate(self, *_) -> None:
        pass


def content(version: int) -> Mapping[str, bytes]:
    """One page and one asset of a version are new."""
    pages = {
        f"page-{number}.html": f"page {number} {version if number == 0 else 0}".encode() for number in range(PAGES - 1)
    }
    assets = {
        f"static/asset-{number}.{version if number == 0 else 0}.js": bytes([number % 256]) * ASSET_BYTES
        for number in range(ASSETS)
    }
    return pages | {"404.html": b"nowhere"} | assets


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="qdn-bench-releases-") as folder:
        store = CountingStore(Path(folder))
        first = timed(store, 1)
        second = timed(store, 2)
    yield Row(f"a release of {PAGES} pages and {ASSETS} assets", f"{first[0]:,.0f} ms", "staged")
    yield Row("  promoted", f"{first[1]:,.0f} ms")
    yield Row("  the next one, with a new page and a new asset, promoted", f"{second[1]:,.0f} ms")
    yield Row("  objects that its promotion writes", f"{second[2]}", "2", second[2] == 2)
    yield Row(
        "  and compared with the first one's", f"{first[2] / max(1, second[2]):.0f} ×", "≥ 100", first[2] >= 100 * second[2]
    )


def timed(store: CountingStore, version: int) -> tuple[float, float, int]:
    """Milliseconds to stage, to promote, and objects written by the promotion."""
    began = time.perf_counter()
    id = releases.stage(store, content(version), quiet).id
    staged = time.perf_counter()
    store.take()
    Promotion(store, NoEdge(), lambda *_: [], quiet).promote(id, by="bench")
    done = time.perf_counter()
    return (staged - began) * 1000, (done - staged) * 1000, len(store.take())


def quiet(*_) -> None:
    pass
