"""Mistakes of a production set-up, found by `manage.py check --deploy`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def check_public_origin(**_: Any) -> list[CheckMessage]:
    if not settings.LOOPBACK and not settings.SECURE:
        return [Warning("PUBLIC_ORIGIN is not https: cookies and tracking links travel in the clear.", id="qdn.W001")]
    return []


@register("channels", deploy=True)
def check_channel_layer(**_: Any) -> list[CheckMessage]:
    if not settings.REDIS_URL:
        hint = "One process works as it is; with several, boards follow each other only once a second."
        return [Warning("REDIS_URL is not set, so hints do not reach other processes.", hint=hint, id="qdn.W002")]
    return []


@register(Tags.database, deploy=True)
def check_database(**_: Any) -> list[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        return [Warning("DATABASE_URL is SQLite. It serves one machine; use PostgreSQL for more.", id="qdn.W003")]
    return []
