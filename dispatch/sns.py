"""Messages of Amazon SNS that come by HTTP: who really sent them. Nothing in one is believed before its signature is."""

import base64
import logging
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings

logger = logging.getLogger(__name__)

SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""What the signature covers, in this order; what is not there is left out."""
HASHES: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 version 1 is so
REGION = r"(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9])"
CERTIFICATE_URL = re.compile(rf"https://sns\.{REGION}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[A-Za-z0-9]+\.pem")
SUBSCRIBE_URL = re.compile(rf"https://sns\.{REGION}\.amazonaws\.com(?:\.cn)?/\?[A-Za-z0-9%&=:._~-]+")
ARN = re.compile(rf"arn:aws[a-z-]*:sns:{REGION}:[0-9]{{12}}:[A-Za-z0-9_-]+(?:\.fifo)?")
FRESH = timedelta(hours=1)
AHEAD = timedelta(minutes=5)
PATIENCE_SECONDS = 5
CERTIFICATE_BYTES = 65_536
KEPT = 16

_certificates: dict[str, x509.Certificate] = {}
_keeping = threading.Lock()


class NotVerified(Exception):
    """It may be from anybody. The message is for our log and names no address."""


class NotReachable(Exception):
    """Amazon's certificate cannot be fetched now, so nobody can tell yet."""


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that was checked shall not lead to one that was not."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(NoRedirects)


def verify(envelope: Mapping[str, Any], now: datetime | None = None) -> None:
    """Raises NotVerified, and NotReachable. What costs nothing is looked at first: strangers cannot make us fetch."""
    fields = SIGNED.get(str(envelope.get("Type")))
    if fields is None or any(not isinstance(envelope.get(name, ""), str) for name in envelope.keys() & set(fields)):
        raise NotVerified("it is no message of SNS")
    if envelope.get("TopicArn") not in settings.SNS_TOPICS:
        raise NotVerified("its topic is not among SNS_TOPICS")
    _check_time(str(envelope.get("Timestamp")), now or datetime.now(UTC))
    algorithm = HASHES.get(str(envelope.get("SignatureVersion")))
    if algorithm is None:
        raise NotVerified("its signature is of an unknown version")
    certificate = _certificate(str(envelope.get("SigningCertURL")), str(envelope["TopicArn"]))
    _check_signature(envelope, fields, certificate, algorithm)


def confirm(envelope: Mapping[str, Any]) -> None:
    """Tells SNS that we want the topic's messages. Call it with what was verified. Raises NotVerified, NotReachable."""
    url = str(envelope.get("SubscribeURL"))
    found = SUBSCRIBE_URL.fullmatch(url)
    if not found or found["region"] != _region(str(envelope["TopicArn"])):
        raise NotVerified("it wants another address to be asked than Amazon's")
    fetch(url)
    logger.info("sns: subscribed to %s", envelope["TopicArn"])


def fetch(url: str) -> bytes:
    """Raises NotReachable, and NotVerified when Amazon does not know the address."""
    try:
        with _opener.open(url, timeout=PATIENCE_SECONDS) as answer:
            content: bytes = answer.read(CERTIFICATE_BYTES)
            return content
    except urllib.error.HTTPError as error:
        error.close()
        if 300 <= error.code < 500:
            raise NotVerified(f"Amazon answers {error.code} to what it names") from None
        raise NotReachable(f"Amazon answers {error.code}") from None
    except OSError as error:
        raise NotReachable(f"cannot reach Amazon SNS ({type(error).__name__})") from error


def _check_time(told: str, now: datetime) -> None:
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise NotVerified("it does not say when it was sent") from None
    if at.tzinfo is None or not now - FRESH < at < now + AHEAD:
        raise NotVerified("it is old, or of the future")


def _region(arn: str) -> str:
    found = ARN.fullmatch(arn)
    return found["region"] if found else ""


def _certificate(url: str, arn: str) -> x509.Certificate:
    found = CERTIFICATE_URL.fullmatch(url)
    if not found or found["region"] != _region(arn):
        raise NotVerified("its certificate is not at Amazon SNS, in the region of the topic")
    with _keeping:
        kept = _certificates.get(url)
    if kept is None:
        try:
            kept = x509.load_pem_x509_certificate(fetch(url))
        except ValueError:
            raise NotVerified("its certificate is none") from None
        with _keeping:
            if len(_certificates) >= KEPT:
                _certificates.clear()
            _certificates[url] = kept
    return kept


def _check_signature(
    envelope: Mapping[str, Any], fields: tuple[str, ...], certificate: x509.Certificate, algorithm: hashes.HashAlgorithm
) -> None:  # fmt: skip
    key, now = certificate.public_key(), datetime.now(UTC)
    valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    if not valid or not isinstance(key, rsa.RSAPublicKey):
        raise NotVerified("its certificate is not valid today")
    text = "".join(f"{name}\n{envelope[name]}\n" for name in fields if name in envelope)
    try:
        signature = base64.b64decode(str(envelope.get("Signature")), validate=True)
        key.verify(signature, text.encode(), padding.PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        raise NotVerified("its signature is wrong") from None
