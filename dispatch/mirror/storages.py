"""Storages that can compare and swap: `read` gives bytes and an etag, `write` succeeds only if that is still the object.

Two writers who read the same object cannot both write it. Nothing that is built on these can lose an update, whoever
else writes at the same time: another thread, another process, another machine (the last only in S3, see s3.py).
"""

import fcntl
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from django.core.files.storage import FileSystemStorage, InMemoryStorage

CHUNK_BYTES = 1 << 20
DRAFT = ".draft-"
LOCKS = ".locks"
PROBE = "probe.json"
NOBODYS_ETAG = '"00000000000000000000000000000000"'


class MirrorError(Exception):
    """The mirror cannot do its work. Its message is fit for the person who reads it."""


class Conflict(Exception):
    """Somebody else wrote the object in the meantime. Read it again."""


class Unconditional(MirrorError):
    """The storage ignores conditions, so that writers would overwrite each other."""


class CompareAndSwap(Protocol):
    def read(self, name: str) -> tuple[bytes, str]:
        """The object and its etag. Raises FileNotFoundError."""

    def write(
        self, name: str, content: bytes | IO[bytes], *, if_match: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Replaces the object whose etag is `if_match`, or creates it when that is None; returns the new etag. Raises
        Conflict when the object is another one, is gone, or exists already.

        A large content is a seekable binary file, which is copied from its first byte in pieces and left open. `metadata`
        is shown next to the object by storages that can, S3; it is never read back."""

    def etag(self, name: str) -> str | None:
        """The etag of the object, None when there is none."""

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """The names that begin with `prefix` ("jobs/") and come behind `after`, in the order of their UTF-8 bytes, as
        they are asked for."""


class CompareAndSwapFileSystemStorage(FileSystemStorage):
    """Files in a folder, for one machine with any number of processes (not for NFS: it relies on flock)."""

    def read(self, name: str) -> tuple[bytes, str]:
        content = Path(self.path(name)).read_bytes()
        return content, hashlib.sha256(content).hexdigest()

    def write(
        self, name: str, content: bytes | IO[bytes], *, if_match: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        draft, etag = _draft(target.parent, content)
        try:
            with self._locked(name):
                if self.etag(name) != if_match:
                    raise Conflict(name)
                draft.replace(target)  # atomic: a reader sees the old object or the new one, whole
                _sync_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)
        return etag

    def etag(self, name: str) -> str | None:
        with suppress(FileNotFoundError), open(self.path(name), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        parent = prefix[: prefix.rfind("/") + 1]
        yield from _names(Path(self.path(parent)), os.fsencode(parent), os.fsencode(prefix), os.fsencode(after))

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """One of 256 lock files, which are never removed: an unlinked lock would be held by nobody and everybody."""
        folder = Path(self.path(LOCKS))
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / hashlib.sha256(name.encode()).hexdigest()[:2]).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class CompareAndSwapInMemoryStorage(InMemoryStorage):
    """Objects that end with the process, for tests: any number of threads, and each instance has its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._lock = threading.RLock()

    def read(self, name: str) -> tuple[bytes, str]:
        with self._lock, self.open(name) as file:
            content = file.read()
        return content, hashlib.sha256(content).hexdigest()

    def write(
        self, name: str, content: bytes | IO[bytes], *, if_match: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        whole = b"".join(_chunks(content))
        with self._lock:
            if self.etag(name) != if_match:
                raise Conflict(name)
            self.delete(name)  # or the end of a longer object would stay
            with self.open(name, "wb") as file:
                file.write(whole)
        return hashlib.sha256(whole).hexdigest()

    def etag(self, name: str) -> str | None:
        with suppress(FileNotFoundError):
            return self.read(name)[1]
        return None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        with self._lock:
            found = [name for name in self._below("") if name.startswith(prefix) and name.encode() > after.encode()]
        yield from sorted(found, key=str.encode)

    def _below(self, folder: str) -> Iterator[str]:
        folders, files = self.listdir(folder)
        yield from (folder + name for name in files)
        for name in folders:
            yield from self._below(f"{folder}{name}/")


def refuse_unconditional(storage: CompareAndSwap) -> None:
    """Tries writes that must fail. Some servers ignore conditions, say nothing, and overwrite. Raises Unconditional."""
    with suppress(Conflict):
        storage.write(PROBE, b"{}", if_match=None)  # it stays: only on an object that is there both can be tried
    for wrong in (None, NOBODYS_ETAG):
        with suppress(Conflict):
            storage.write(PROBE, b"{}", if_match=wrong)
            raise Unconditional(
                f"the server behind this bucket ignores conditional writes ({'If-Match' if wrong else 'If-None-Match'}): "
                "copies could overwrite each other. Use another one: docs/mirror.md"
            )


def _chunks(content: bytes | IO[bytes]) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    else:
        content.seek(0)
        yield from iter(partial(content.read, CHUNK_BYTES), b"")


def _draft(folder: Path, content: bytes | IO[bytes]) -> tuple[Path, str]:
    """On disk before it gets its name, so that a crash cannot leave an empty object behind; and its etag."""
    descriptor, path = tempfile.mkstemp(dir=folder, prefix=DRAFT)
    digest = hashlib.sha256()
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in _chunks(content):
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(path)  # a full disk must not fill up with drafts
        raise
    return Path(path), digest.hexdigest()


def _names(folder: Path, parent: bytes, prefix: bytes, after: bytes) -> Iterator[str]:
    """A folder is sorted with the slash that ends its name, as S3 sorts: a-b, a.json, a/b."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(parent + os.fsencode(entry.name) + b"/" * entry.is_dir() for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in found:
        own = os.fsdecode(name.removeprefix(parent))
        if not name.startswith(prefix) or own.startswith(DRAFT) or name == LOCKS.encode() + b"/":
            continue
        if name.endswith(b"/") and (name > after or after.startswith(name)):
            yield from _names(folder / own, name, prefix, after)
        elif not name.endswith(b"/") and name > after:
            yield os.fsdecode(name)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
