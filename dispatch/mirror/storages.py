"""Storages that can compare and swap: `read` gives bytes and an etag, `write` succeeds only if that is still the object.

Two writers who read the same object cannot both write it. Nothing that is built on these can lose an update, whoever
else writes at the same time: another thread, another process, another machine.
"""

import fcntl
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.files.storage import FileSystemStorage
from storages.backends.s3 import S3Storage


class Conflict(Exception):
    """Somebody else wrote the object in the meantime. Read it again."""


class CompareAndSwap(Protocol):
    def read(self, name: str) -> tuple[bytes, str]:
        """The object and its etag. Raises FileNotFoundError."""

    def write(self, name: str, content: bytes, *, if_match: str | None) -> str:
        """Replaces the object whose etag is `if_match`, or creates it when that is None; returns the new etag. Raises
        Conflict when the object is another one, is gone, or exists already."""


class CompareAndSwapFileSystemStorage(FileSystemStorage):
    """Files in a folder, for one machine with any number of processes (not for NFS: it relies on flock)."""

    def read(self, name: str) -> tuple[bytes, str]:
        content = Path(self.path(name)).read_bytes()
        return content, _etag(content)

    def write(self, name: str, content: bytes, *, if_match: str | None) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = self._draft(target.parent, content)
        try:
            with self._locked(name):
                if self._current_etag(name) != if_match:
                    raise Conflict(name)
                draft.replace(target)  # atomic: a reader sees the old object or the new one, whole
                _sync_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)
        return _etag(content)

    def _current_etag(self, name: str) -> str | None:
        with suppress(FileNotFoundError):
            return self.read(name)[1]
        return None

    def _draft(self, folder: Path, content: bytes) -> Path:
        """On disk before it gets its name, so that a crash cannot leave an empty object behind."""
        descriptor, path = tempfile.mkstemp(dir=folder, prefix=".draft-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            os.unlink(path)  # a full disk must not fill up with drafts
            raise
        return Path(path)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """One of 256 lock files, which are never removed: an unlinked lock would be held by nobody and everybody."""
        folder = Path(self.path(".locks"))
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / hashlib.sha256(name.encode()).hexdigest()[:2]).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class CompareAndSwapS3Storage(S3Storage):
    """Objects in a bucket, with S3's conditional writes (`If-Match`, `If-None-Match: *`).

    S3Storage's own `save` cannot send conditions. Its `bucket` is shared between threads and its `connection` made anew in
    each, so all of them use one client, which is safe to share.
    """

    PATIENCE = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})
    """botocore's own defaults wait up to five minutes for one answer. What is set by hand wins over this."""

    _making_client = threading.Lock()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config: Config = self.PATIENCE.merge(self.client_config)

    def read(self, name: str) -> tuple[bytes, str]:
        try:
            reply = self._client.get_object(**self._object(name))
        except ClientError as error:
            if _status(error) == 404 and _code(error) != "NoSuchBucket":
                raise FileNotFoundError(name) from error
            raise
        with closing(reply["Body"]) as body:  # not `with body`: that is the raw stream, which checks no length
            return body.read(), reply["ETag"]

    def write(self, name: str, content: bytes, *, if_match: str | None) -> str:
        condition = {"IfNoneMatch": "*"} if if_match is None else {"IfMatch": if_match}
        try:
            reply = self._client.put_object(
                **self._object(name), **condition, Body=content, ContentType="application/json", CacheControl="no-cache"
            )
        except ClientError as error:
            # 412: another object is there; 409: another write is under way; 404 on If-Match: the object is gone.
            if _status(error) in {409, 412} or (_status(error) == 404 and if_match and _code(error) != "NoSuchBucket"):
                raise Conflict(name) from error
            raise
        return reply["ETag"]

    @property
    def _client(self) -> Any:
        with self._making_client:
            if not hasattr(self, "_shared_client"):
                self._shared_client = self.connection.meta.client
            return self._shared_client

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(name)}


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))
