"""Where photos are in the cloud: a private bucket, whose objects browsers fetch by signed URLs."""

import os
import threading
from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage


class PhotoBucket(S3Storage):
    """Signs URLs of the one origin that the pages' policy names (`MEDIA_ORIGIN`): botocore's own choice is the endpoint of
    another region in some regions, and none is named there.

    S3Storage makes a client in each thread, which under ASGI means in each request; this has one, which is safe to share.
    """

    PATIENCE = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})
    """botocore's own defaults wait up to five minutes for one answer."""

    _making_connection = threading.Lock()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        own_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        style = self.addressing_style if own_endpoint or self.addressing_style != "auto" else "virtual"
        regional = Config(s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"})
        self.client_config: Config = self.PATIENCE.merge(self.client_config).merge(regional)
        self.region_name: str = self.region_name or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"

    @property
    def connection(self) -> Any:
        with self._making_connection:
            if not hasattr(self, "_one_connection"):
                self._one_connection = super().connection
            return self._one_connection
