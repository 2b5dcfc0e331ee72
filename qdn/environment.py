"""Reads environment variables. A bad value is one line that names the variable, says what is wrong and what is expected."""

import os
import re
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Email:
    """How mail leaves: Django's EMAIL_ settings."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise ImproperlyConfigured(f"{name}: expected true or false, got {value!r}")
    return default


def port(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
        raise ImproperlyConfigured(f"{name}: expected a port from 1 to 65535, got {value!r}")
    return int(value)


def names(name: str) -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def origin(name: str, default: str) -> str:
    """Scheme, host and port, such as `https://dispatch.example.com`; no path."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"{name}: expected an origin such as https://example.com, got {value!r}")
    return value


def redis_url(name: str) -> str:
    value = text(name)
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(f"{name}: expected redis://, rediss:// or unix://, got {value!r}")
    return value


def database(name: str, default: str) -> dict[str, object]:
    """Django's DATABASES entry for a URL. PostgreSQL and SQLite are supported."""
    value = text(name, default)
    scheme = value.partition(":")[0]
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name}: expected sqlite:/// or postgresql://, got a URL starting with {scheme!r}")
    try:
        return dict(dj_database_url.parse(value))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def bucket(name: str) -> str:
    """The name of a bucket, or nothing: then a folder in `var/` stands in."""
    value = text(name)
    if value and not BUCKET.fullmatch(value):
        raise ImproperlyConfigured(f"{name}: expected a bucket name (3 to 63 of a-z, 0-9, dots, hyphens), got {value!r}")
    return value


def address(name: str, default: str) -> str:
    """A sender, such as `QuickDumpNow <dispatch@example.com>`."""
    value = text(name, default)
    mailbox = parseaddr(value)[1]
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", mailbox):
        raise ImproperlyConfigured(f"{name}: expected an address such as Name <name@example.com>, got {value!r}")
    return value


def email(name: str, default: str) -> Email:
    """`console:` prints mails; `smtp://user:password@host:587` sends with STARTTLS, `smtps://…:465` with TLS."""
    value = text(name, default)
    parts = urlsplit(value)
    if parts.scheme == "console":
        return Email("django.core.mail.backends.console.EmailBackend")
    try:
        port_given = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name}: the port is not a number from 0 to 65535") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(f"{name}: expected console:, smtp://host or smtps://host, got scheme {parts.scheme!r}")
    tls = parts.scheme == "smtps"
    return Email(
        "django.core.mail.backends.smtp.EmailBackend", parts.hostname, port_given or (465 if tls else 587),
        unquote(parts.username or ""), unquote(parts.password or ""), starttls=not tls, tls=tls,
    )  # fmt: skip
