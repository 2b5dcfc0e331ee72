"""The site that the edge serves: pages rendered from the templates, assets with a hash in their names, the edge function.
And where it lies, as `edge` wants it.
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import storages

from dispatch.mirror import storages as mirror_storages
from edge import cases
from edge.manifest import CASES, FUNCTION
from edge.store import Conflict
from qdn.static import HashedStaticStorage
from tracking import shell

REFERENCE = re.compile(r'(?<=["\'])/static/([\w./-]+)(?=["\'#])')
OURS = "tracking/"
"""All of its static files go along: scripts import each other."""


def build() -> dict[str, bytes]:
    """Every file of a release, by its path."""
    pages = shell.pages()
    named = {name for page in pages.values() for name in REFERENCE.findall(page.decode())}
    own = {path for finder in finders.get_finders() for path, _ in finder.list([]) if path.startswith(OURS)}
    assets = hashed(named | own)
    site = {path: _with_hashed_names(page.decode(), assets).encode() for path, page in pages.items()}
    site |= {f"static/{name}": content for name, content in assets.values()}
    function = (settings.BASE_DIR / "edge" / "functions" / "rewrite.js").read_bytes()
    return site | {FUNCTION: function, CASES: cases.FILE.read_bytes()}


def hashed(names: set[str]) -> dict[str, tuple[str, bytes]]:
    """name -> (name with its hash, content, which names others by theirs). Raises FileNotFoundError."""
    with tempfile.TemporaryDirectory(prefix="qdn-site-") as folder:
        for name in names:
            source = finders.find(name)
            if source is None:
                raise FileNotFoundError(f"there is no static file {name}")
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(source).read_bytes())
        storage = HashedStaticStorage(location=folder, base_url="/static/")
        storage.manifest_storage = storage
        for _, _, problem in storage.post_process({name: (storage, name) for name in names}):
            if isinstance(problem, Exception):
                raise problem
        return {name: (new, Path(folder, new).read_bytes()) for name, new in storage.hashed_files.items()}


def _with_hashed_names(page: str, assets: dict[str, tuple[str, bytes]]) -> str:
    return REFERENCE.sub(lambda found: f"/static/{assets[found[1]][0]}", page)


class SiteStore:
    """`STORAGES["site"]` as `edge.store.Store`."""

    def __init__(self) -> None:
        self.storage: Any = storages["site"]

    def read(self, name: str) -> tuple[bytes, str]:
        try:
            content, etag = self.storage.read(name)
        except SuspiciousFileOperation:  # a visitor may ask for any name
            raise FileNotFoundError(name) from None
        return content, etag

    def write(
        self, name: str, content: bytes, *, if_match: str | None, content_type: str, cache_control: str
    ) -> str:  # fmt: skip
        types = {"content_type": content_type, "cache_control": cache_control} if settings.SITE_BUCKET else {}
        try:
            etag: str = self.storage.write(name, content, if_match=if_match, **types)
        except mirror_storages.Conflict as error:
            raise Conflict(name) from error
        return etag

    def etag(self, name: str) -> str | None:
        etag: str | None = self.storage.etag(name)
        return etag

    def names(self, prefix: str) -> Iterator[str]:
        return iter(self.storage.names(prefix))

    def delete(self, name: str) -> None:
        self.storage.delete(name)
