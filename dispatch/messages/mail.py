"""How e-mails leave: through Django's mail, whichever backend EMAIL_URL chose."""

import hashlib
import smtplib
from collections.abc import Iterable
from contextlib import closing
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailAttachment, EmailMultiAlternatives, get_connection

from .failures import Failure, Permanent, Transient, Unreachable

REFUSES_US = (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused, smtplib.SMTPNotSupportedError)


def send(
    to: str, subject: str, text: str, html: str, dedupe_key: str, attachments: Iterable[EmailAttachment] = ()
) -> str:  # fmt: skip
    """Hands an e-mail over and returns the provider's name for it, or its Message-ID. Another try has the same Message-ID,
    by which mail programs show it once. Raises failures.Failure."""
    message = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [to], headers=_headers(dedupe_key))
    if html:
        message.attach_alternative(html, "text/html")
    for attachment in attachments:
        message.attach(*attachment)
    with closing(_opened()) as connection:
        message.connection = connection
        try:
            message.send()
        except Failure:
            raise
        except (OSError, smtplib.SMTPException) as error:
            raise _failure(error) from error
    return getattr(message, "provider_id", "") or message.extra_headers["Message-ID"]


def _headers(dedupe_key: str) -> dict[str, str]:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    name = hashlib.sha256(dedupe_key.encode()).hexdigest()[:32]
    return {"Message-ID": f"<{name}@{domain}>", "X-Dedupe-Key": dedupe_key, "Auto-Submitted": "auto-generated"}


def _opened() -> Any:
    """A connection of this thread's own. What goes wrong by now cannot have sent anything."""
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        raise Unreachable(f"cannot open a connection to {server} ({_brief(error)}): check EMAIL_URL") from error
    return connection


def _failure(error: OSError | smtplib.SMTPException) -> Failure:
    if isinstance(error, REFUSES_US):
        return Unreachable(f"the mail server refuses us ({_brief(error)}): check EMAIL_URL and DEFAULT_FROM_EMAIL")
    code = _code(error)
    if 500 <= code < 600:
        return Permanent(f"the mail server refuses this message ({_brief(error)})")
    if 400 <= code < 500:
        return Transient(f"the mail server wants us to try again later ({_brief(error)})")
    return Transient(f"the connection to the mail server broke off ({_brief(error)})")


def _code(error: Exception) -> int:
    """SMTP's, 0 when the server did not say."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return int(max((code for code, _ in error.recipients.values()), default=0))
    return int(error.smtp_code) if isinstance(error, smtplib.SMTPResponseException) else 0


def _brief(error: Exception) -> str:
    """What the server said may name the customer: of that just the code."""
    if code := _code(error):
        return f"{type(error).__name__} {code}"
    return getattr(error, "strerror", None) or type(error).__name__
