"""Texts by AWS, in two ways: SNS is set up in minutes, End User Messaging has numbers that customers can answer."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from . import aws
from .failures import Failure, OptedOutAtProvider, Unreachable

SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9-]{1,9}[A-Za-z0-9])?|[A-Za-z]")
"""What SNS takes: up to eleven letters, digits and hyphens, with a letter among them."""

NAMES = {"sns": "SNS", "pinpoint-sms-voice-v2": "AWS End User Messaging"}
OF_THE_ACCOUNT = {
    "CHANNEL_NOT_ENABLED", "INVALID_ARN", "MESSAGE_TYPE_MISMATCH", "NO_ORIGINATION_IDENTITIES_FOUND",
    "NUMBER_CAPABILITIES_MISMATCH", "PHONE_NUMBER_NOT_IN_REGISTRATION_REGION", "REGISTRATION_NOT_COMPLETE",
    "RESOURCE_NOT_ACCESSIBLE", "RESOURCE_NOT_ACTIVE", "SENDER_ID_NOT_REGISTERED", "SENDER_ID_REQUIRES_REGISTRATION",
}  # fmt: skip
"""Reasons of refusals that have nothing to do with the text or the number that it was for."""


class SnsSms:
    """`SMS_BACKEND=sns`. SMS_SENDER, if it looks like one, is the sender's name, in countries that know such a thing. SNS
    has no field for a dedupe key."""

    def send(self, to: str, text: str, dedupe_key: str) -> str:
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if SENDER_ID.fullmatch(settings.SMS_SENDER):
            attributes["AWS.SNS.SMS.SenderID"] = settings.SMS_SENDER
        elif settings.SMS_SENDER.startswith("+"):
            attributes["AWS.MM.SMS.OriginationNumber"] = settings.SMS_SENDER
        values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        answer = _asked("sns", "publish", PhoneNumber=to, Message=text, MessageAttributes=values)
        return str(answer["MessageId"])

    def opted_out(self) -> Iterator[str]:
        for page in _pages("sns", "list_phone_numbers_opted_out"):
            yield from page.get("phoneNumbers", [])


class EndUserMessagingSms:
    """`SMS_BACKEND=end-user-messaging`. SMS_SENDER is the number, the pool or the sender id that texts come from; without
    it AWS chooses. The dedupe key comes back in what AWS reports about the text."""

    OPT_OUT_LIST = "Default"

    def send(self, to: str, text: str, dedupe_key: str) -> str:
        sender = {"OriginationIdentity": settings.SMS_SENDER} if settings.SMS_SENDER else {}
        request = {"DestinationPhoneNumber": to, "MessageBody": text, "MessageType": "TRANSACTIONAL"} | sender
        answer = _asked("pinpoint-sms-voice-v2", "send_text_message", Context={"dedupeKey": dedupe_key}, **request)
        return str(answer["MessageId"])

    def opted_out(self) -> Iterator[str]:
        for page in _pages("pinpoint-sms-voice-v2", "describe_opted_out_numbers", OptOutListName=self.OPT_OUT_LIST):
            yield from (found["OptedOutNumber"] for found in page.get("OptedOutNumbers", []))


def _asked(service: str, operation: str, **request: Any) -> Any:
    try:
        return getattr(aws.client(service), operation)(**request)
    except (ClientError, BotoCoreError) as error:
        raise _failure(service, error) from error


def _pages(service: str, operation: str, **request: Any) -> Iterator[Any]:
    try:
        yield from aws.client(service).get_paginator(operation).paginate(**request)
    except (ClientError, BotoCoreError) as error:
        raise _failure(service, error) from error


def _failure(service: str, error: Exception) -> Failure:
    if isinstance(error, ClientError):
        reason = f"{aws.code(error)} {error.response.get('Reason', '')} {aws.says(error)}".lower()
        if re.search(r"opted[ _-]?out", reason):
            return OptedOutAtProvider("the customer replied STOP to an earlier text")
        if error.response.get("Reason") in OF_THE_ACCOUNT:
            return Unreachable(f"AWS End User Messaging refuses us ({error.response['Reason']}): check number and account")
    return aws.failure(NAMES[service], error)
