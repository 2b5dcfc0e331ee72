"""Mistakes of a production set-up, found by `manage.py check --deploy`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from dispatch.messages import ses
from dispatch.messages.failures import Failure

SES = "dispatch.messages.ses.EmailBackend"
CONSOLES = {
    "EMAIL_BACKEND": ("django.core.mail.backends.console.EmailBackend", "EMAIL_URL is console: e-mails"),
    "SMS_BACKEND": ("dispatch.messages.sms.ConsoleSms", "SMS_BACKEND is console: texts"),
}


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


@register("messages", deploy=True)
def check_sender(**_: Any) -> list[CheckMessage]:
    """Asks SES, where e-mails go through it."""
    if settings.EMAIL_BACKEND != SES:
        return []
    sender, hint = settings.DEFAULT_FROM_EMAIL, "docs/messages-sending.md says how to verify an address or its domain."
    try:
        if ses.is_verified(sender):
            return []
    except Failure as reason:
        return [Warning(f"Cannot ask SES whether {sender} is verified: {reason}.", id="qdn.W004")]
    return [Warning(f"DEFAULT_FROM_EMAIL is {sender}, which SES does not know as verified.", hint=hint, id="qdn.W004")]


@register("messages", deploy=True)
def check_reports(**_: Any) -> list[CheckMessage]:
    if settings.SNS_TOPICS or not (settings.EMAIL_BACKEND == SES or "sms_aws" in settings.SMS_BACKEND):
        return []
    hint = "Nobody learns what bounced, who complained and who replied STOP: docs/messages-sending.md."
    return [Warning("SNS_TOPICS is empty though messages go through AWS.", hint=hint, id="qdn.W005")]


@register("messages", deploy=True)
def check_messages_leave(**_: Any) -> list[CheckMessage]:
    return [
        Warning(f"{what} are printed, not sent.", id="qdn.W006")
        for name, (console, what) in CONSOLES.items()
        if getattr(settings, name) == console
    ]
