"""Reads environment variables. A bad value is one line that names the variable, says what is wrong and what is expected."""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
DEFAULT_PORTS = {"http": 80, "https": 443}


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
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) < 65536:
        raise ImproperlyConfigured(f"{name}: expected a port from 1 to 65535, got {value!r}")
    return int(value)


def number(name: str, default: int, least: int, most: int) -> int:
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name}: expected a whole number from {least} to {most}, got {value!r}")
    return int(value)


def choice(name: str, default: str, known: Collection[str]) -> str:
    """One of a few words; upper and lower case are the same."""
    value = text(name, default)
    found = next((word for word in known if word.lower() == value.lower()), None)
    if found is None:
        raise ImproperlyConfigured(f"{name}: expected one of {', '.join(known)}, got {value!r}")
    return found


def provider(name: str, default: str, known: Mapping[str, str]) -> str:
    """The dotted path of a class: of a provider that we know by name, or of one of your own."""
    value = text(name, default)
    if value in known:
        return known[value]
    if not re.fullmatch(r"[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)+", value):
        raise ImproperlyConfigured(
            f"{name}: expected one of {', '.join(known)}, or a class such as us.sms.Ours, got {value!r}"
        )
    return value


def bucket_origin(bucket: str, addressing_style: str) -> str:
    """Where browsers fetch signed URLs of a bucket from."""
    endpoint, region = text("AWS_ENDPOINT_URL_S3", text("AWS_ENDPOINT_URL")), text("AWS_DEFAULT_REGION", "us-east-1")
    parts = urlsplit(endpoint or f"https://s3.{region}.amazonaws.com")
    is_address = re.fullmatch(r"[\d.]+|.*:.*", parts.hostname or "")  # which has no subdomains
    path_style = addressing_style == "path" or (endpoint and addressing_style == "auto") or "." in bucket or is_address
    return f"{parts.scheme}://{parts.netloc}" if path_style else f"{parts.scheme}://{bucket}.{parts.netloc}"


def folder(name: str, default: Path) -> Path:
    """A folder of ours, made when it is not there."""
    path = Path(text(name, str(default))).absolute()
    make_folder(name, path)
    return path


def make_folder(name: str, path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: cannot make the folder {path}: {error.strerror}") from None


def names(name: str) -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def origin(name: str, default: str) -> str:
    """Scheme, host and port, such as `https://dispatch.example.com`, written as browsers write them; no path."""
    value = text(name, default).rstrip("/")
    parts = _split(value)
    host = parts.hostname if parts else None
    if not parts or not host or not HOST.fullmatch(host) or parts.scheme not in DEFAULT_PORTS or "@" in parts.netloc:
        raise ImproperlyConfigured(f"{name}: expected an origin such as https://example.com, got {value!r}")
    if parts.path or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name}: expected an origin without a path, such as https://example.com, got {value!r}")
    host = f"[{host}]" if ":" in host else host
    usual = parts.port in {None, DEFAULT_PORTS[parts.scheme]}
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{parts.port}"


def redis_url(name: str) -> str:
    """Says nothing of the value but its scheme: there may be a password in it."""
    value = text(name)
    parts = _split(value)
    if parts is None:
        raise ImproperlyConfigured(f"{name}: not a URL that can be read, such as redis://host:6379/0")
    if value and parts.scheme not in {"redis", "rediss", "unix"}:
        scheme = value.partition(":")[0]
        raise ImproperlyConfigured(f"{name}: expected redis://, rediss:// or unix://, got a URL starting with {scheme!r}")
    return value


def database(name: str, default: str) -> dict[str, Any]:
    """Django's DATABASES entry for a URL. PostgreSQL and SQLite are supported."""
    value = text(name, default)
    scheme = value.partition(":")[0]
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name}: expected sqlite:/// or postgresql://, got a URL starting with {scheme!r}")
    try:
        entry: dict[str, Any] = dict(dj_database_url.parse(value))
    except ValueError:
        raise ImproperlyConfigured(
            f"{name}: not a URL that can be read; quote special characters in it (%2F for /)"
        ) from None
    if entry["NAME"] in {"", ":memory:"}:
        raise ImproperlyConfigured(f"{name}: names no database; expected sqlite:///file or postgresql://host/name")
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        make_folder(name, Path(entry["NAME"]).absolute().parent)
    return entry


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
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", mailbox) or not value.isprintable():
        raise ImproperlyConfigured(f"{name}: expected an address such as Name <name@example.com>, got {value!r}")
    return value


def email(name: str, default: str) -> Email:
    """`console:` prints mails, `ses:` hands them to Amazon SES, `smtp://user:password@host:587` sends with STARTTLS and
    `smtps://…:465` with TLS."""
    value = text(name, default)
    parts = _split(value)
    if parts is None:
        raise ImproperlyConfigured(f"{name}: not a URL that can be read; the port is a number from 0 to 65535")
    if parts.scheme == "console":
        return Email("django.core.mail.backends.console.EmailBackend")
    if parts.scheme == "ses":
        return Email("dispatch.messages.ses.EmailBackend")
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name}: expected console:, ses:, smtp://host or smtps://host, got scheme {parts.scheme!r}"
        )
    tls = parts.scheme == "smtps"
    return Email(
        "django.core.mail.backends.smtp.EmailBackend", parts.hostname, parts.port or (465 if tls else 587),
        unquote(parts.username or ""), unquote(parts.password or ""), starttls=not tls, tls=tls,
    )  # fmt: skip


def _split(url: str) -> SplitResult | None:
    """A URL's parts, or None when the brackets of its host or its port make no sense."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
