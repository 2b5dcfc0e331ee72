"""How much may be sent at once."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

from .pictures import MOST_BYTES

MOST_AT_ONCE = 10
"""Files of one form."""
MOST_IN_ALL = MOST_AT_ONCE * MOST_BYTES + 1024**2
"""Bytes of one request, with what stands around the files."""


class UploadLimit(FileUploadHandler):
    """Refuses a request by the length that it announces, before any of it is taken apart. It stands first in
    FILE_UPLOAD_HANDLERS; the others take the files."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:  # fmt: skip
        if content_length > MOST_IN_ALL:
            raise RequestDataTooBig(f"At most {MOST_IN_ALL // 1024**2} MB can be sent at once.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
