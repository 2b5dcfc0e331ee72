"""E-mail by Amazon SES, as a backend of Django's: `EMAIL_URL=ses:`. It hands over the whole message as it is."""

import re
from collections.abc import Sequence
from email.utils import parseaddr
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import sanitize_address

from . import aws
from .failures import Failure, Unreachable

SERVICE = "sesv2"
TAG = "dedupe-key"
ILLEGAL_IN_TAGS = re.compile(r"[^A-Za-z0-9_-]")


class EmailBackend(BaseEmailBackend):
    """Notes SES's name for each message in its `provider_id`. Raises failures.Failure."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        sent = 0
        for message in email_messages:
            if not message.recipients():
                continue
            try:
                message.provider_id = self._send(message)  # type: ignore[attr-defined]
                sent += 1
            except Failure:
                if not self.fail_silently:
                    raise
        return sent

    def _send(self, message: EmailMessage) -> str:
        try:
            answer = aws.client(SERVICE).send_email(**_request(message))
        except (ClientError, BotoCoreError) as error:
            raise _failure(error, message.from_email) from error
        return str(answer["MessageId"])


def is_verified(sender: str) -> bool:
    """Whether SES lets us send as this address, for itself or for its domain. Raises Failure when it cannot be asked."""
    address = parseaddr(sender)[1]
    return any(_identity_is_verified(identity) for identity in (address, address.partition("@")[2]))


def _identity_is_verified(identity: str) -> bool:
    try:
        return bool(aws.client(SERVICE).get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"))
    except ClientError as error:
        if aws.code(error) == "NotFoundException":
            return False
        raise aws.failure("SES", error) from error
    except BotoCoreError as error:
        raise aws.failure("SES", error) from error


def _request(message: EmailMessage) -> dict[str, Any]:
    request: dict[str, Any] = {
        "FromEmailAddress": sanitize_address(message.from_email, "utf-8"),
        "Destination": {
            f"{name}Addresses": [sanitize_address(one, "utf-8") for one in who]
            for name, who in (("To", message.to), ("Cc", message.cc), ("Bcc", message.bcc))
        },
        "Content": {"Raw": {"Data": message.message().as_bytes(linesep="\r\n")}},  # type: ignore[call-arg]
    }  # fmt: skip
    if settings.SES_CONFIGURATION_SET:
        request["ConfigurationSetName"] = settings.SES_CONFIGURATION_SET
    if key := message.extra_headers.get("X-Dedupe-Key"):
        request["EmailTags"] = [{"Name": TAG, "Value": ILLEGAL_IN_TAGS.sub("_", key)[:256]}]
    return request


def _failure(error: Exception, sender: str) -> Failure:
    """SES says in the same words that our own address is not verified and, in its sandbox, that the customer's is not."""
    if isinstance(error, ClientError) and aws.code(error) == "MessageRejected" and "not verified" in aws.says(error):
        address = parseaddr(sender)[1]
        if {address, address.partition("@")[2]} & set(re.split(r"[\s,:<>]+", aws.says(error).rstrip("."))):
            return Unreachable(f"SES does not let us send as {address}: verify it or its domain, docs/messages-sending.md")
    return aws.failure("SES", error)
