"""An S3 server for tests: moto, inside the test process, with the one thing that it lacks: conditional writes are atomic.
It remembers every write in the order in which they were applied.

Its objects live in the memory that moto keeps for the whole process: one server at a time, and none inside `mock_aws`.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import wraps
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response
from werkzeug.serving import ThreadedWSGIServer

ACCESS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
ONE_AT_A_TIME = (
    "put_object", "get_object", "head_object", "delete_object", "copy_object", "list_objects", "list_objects_v2"
)  # fmt: skip

_locks: dict[str, threading.RLock] = {}
_written: list[tuple[str, bytes | None]] = []


def locked_moto() -> None:
    """moto compares and then writes without a lock, which no real S3 does. From here on it does one thing at a time in each
    bucket, in `mock_aws` too, for the rest of the process. Calling it again changes nothing."""
    for name in ONE_AT_A_TIME:
        method = getattr(S3Response, name)
        if not hasattr(method, "one_at_a_time"):
            setattr(S3Response, name, _one_at_a_time(method))


def _one_at_a_time(method: Any) -> Any:
    @wraps(method)
    def locked(self: S3Response, *arguments: Any, **options: Any) -> Any:
        with _locks.setdefault(self.bucket_name, threading.RLock()):
            reply = method(self, *arguments, **options)
            if method.__name__ in {"put_object", "delete_object"}:
                key = self.parse_key_name()
                found = self.backend.get_object(self.bucket_name, key)
                _written.append((key, found and found.value))
            return reply

    locked.one_at_a_time = True
    return locked


class S3:
    """`url` is its endpoint, `client` a plain client whose every call is one request, `env` what a child process needs,
    `written` every write (key, content) that it carried out, in order; the content of a deleted object is None."""

    def __init__(self, url: str, bucket: str) -> None:
        self.url, self.bucket, self.written = url, bucket, _written
        self.client = client_at(url)
        self.env = env_at(url, bucket)

    def put(self, key: str, content: bytes) -> str:
        """Returns the etag."""
        return self.client.put_object(Bucket=self.bucket, Key=key, Body=content)["ETag"]

    def get(self, key: str) -> bytes | None:
        """None when there is no such object."""
        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def keys(self) -> list[str]:
        """The first thousand, in order."""
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])]


def client_at(url: str, attempts: int = 1, patience: float = 30) -> BaseClient:
    """A client that tries everything `attempts` times in all and waits `patience` seconds for an answer. Close it."""
    config = Config(
        connect_timeout=patience, read_timeout=patience, retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path"}, signature_version="s3v4", max_pool_connections=50, proxies={},
    )  # fmt: skip
    return boto3.client(
        "s3", endpoint_url=url, config=config, region_name=ACCESS["AWS_DEFAULT_REGION"],
        aws_access_key_id=ACCESS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=ACCESS["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip


def env_at(url: str, bucket: str) -> dict[str, str]:
    return ACCESS | {"AWS_ENDPOINT_URL": url, "STATE_BUCKET": bucket, "S3_ADDRESSING_STYLE": "path"}


class Handler(MotoRequestHandler):
    timeout = 10  # a connection on which nothing comes does not keep the server from stopping
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        pass


class Server(ThreadedWSGIServer):
    daemon_threads = False  # closing waits for them


@contextmanager
def running_s3(bucket: str = "state") -> Iterator[S3]:
    """A new, empty bucket on 127.0.0.1, at a free port."""
    locked_moto()
    s3_backends.reset()
    _written.clear()
    server = Server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="s3")
    thread.start()
    try:
        s3 = S3(f"http://127.0.0.1:{server.server_port}", bucket)
        with closing(s3.client):
            s3.client.create_bucket(Bucket=bucket)
            yield s3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        s3_backends.reset()
