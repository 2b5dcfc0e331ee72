"""The compare-and-swap storage of the cloud: objects in a bucket of S3, or of a server that speaks its language."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import ClientError
from storages.backends.s3 import S3Storage

from .storages import Conflict


class CompareAndSwapS3Storage(S3Storage):
    """Objects in a bucket, with S3's conditional writes (`If-Match`, `If-None-Match: *`).

    S3Storage's own `save` cannot send conditions. Its `bucket` is shared between threads and its `connection` made anew in
    each, so all of them use one client, which is safe to share.
    """

    PATIENCE = Config(
        connect_timeout=5,
        read_timeout=15,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
    )
    """botocore's own defaults wait up to five minutes for one answer, and let ten threads send at a time. What is set by
    hand wins over this."""

    NAMES_PER_PAGE = 1000
    """The most that S3 lists in one answer."""

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

    def write(
        self, name: str, content: bytes | IO[bytes], *, if_match: str | None, metadata: Mapping[str, str] | None = None,
        content_type: str = "application/json", cache_control: str = "no-cache",
    ) -> str:  # fmt: skip
        condition = {"IfNoneMatch": "*"} if if_match is None else {"IfMatch": if_match}
        if not isinstance(content, bytes):
            content.seek(0)  # where botocore begins when it tries again
        try:
            reply = self._client.put_object(
                **self._object(name),
                **condition,
                Body=content,
                ContentType=content_type,
                CacheControl=cache_control,
                Metadata=dict(metadata or {}),
            )
        except ClientError as error:
            # 412: another object is there; 409: another write is under way; 404 on If-Match: the object is gone.
            if _status(error) in {409, 412} or (_status(error) == 404 and if_match and _code(error) != "NoSuchBucket"):
                raise Conflict(name) from error
            raise
        return reply["ETag"]

    def etag(self, name: str) -> str | None:
        try:
            return self._client.head_object(**self._object(name))["ETag"]
        except ClientError as error:
            if _status(error) != 404:
                raise
        with suppress(FileNotFoundError):
            return self.read(name)[1]  # HEAD has no body, so only this says whether it is the bucket that is missing
        return None

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        root = self._normalize_name("")
        behind = {"StartAfter": root + after} if after else {}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=root + prefix, PaginationConfig={"PageSize": self.NAMES_PER_PAGE}, **behind
        )
        for page in pages:
            for entry in page.get("Contents", []):
                if not entry["Key"].endswith("/"):  # a folder that somebody made in the console
                    yield entry["Key"].removeprefix(root)

    @property
    def _client(self) -> Any:
        with self._making_client:
            if not hasattr(self, "_shared_client"):
                self._shared_client = self.connection.meta.client
            return self._shared_client

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(name)}


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))
