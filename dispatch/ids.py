"""What names a job: its id for us, and the token in its customer's link."""

import os
import re
import secrets
import time

UID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_uid() -> str:
    """A ULID: 48 bits of milliseconds and 80 random bits, 26 characters that sort by time (github.com/ulid/spec)."""
    value = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def new_token() -> str:
    """192 random bits. Whoever knows it may see the customer's page, so nothing derives it and it can be replaced."""
    return secrets.token_urlsafe(24)
