"""Amazon SNS for tests: a real key, a real certificate, and messages that are signed as SNS signs them."""

import base64
import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:us-east-1:123456789012:mail"
URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE = (
    "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
    f"&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e2425dacbbaa4e"
)
HASHES = {"1": hashes.SHA1(), "2": hashes.SHA256()}


class Signer:
    """`certificate` is what is at URL, in PEM."""

    def __init__(self, begins=timedelta(days=-1), ends=timedelta(days=30)):
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(1).not_valid_before(now + begins).not_valid_after(now + ends)
        self.certificate = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def notification(self, message, version="2", **facts):
        """An envelope around a report, as JSON; a fact that is None is left out."""
        return self.signed({"Type": "Notification", "Message": text(message)} | facts, version)

    def confirmation(self, version="2", **facts):
        envelope = {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe", "Token": "2336412f"}
        return self.signed(envelope | {"SubscribeURL": SUBSCRIBE} | facts, version)

    def signed(self, envelope, version):
        envelope = {
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC, "SigningCertURL": URL,
            "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "SignatureVersion": version,
        } | envelope  # fmt: skip
        envelope = {name: value for name, value in envelope.items() if value is not None}
        unsigned = {"SignatureVersion", "SigningCertURL", "UnsubscribeURL"}
        if envelope["Type"] == "Notification":
            unsigned |= {"SubscribeURL", "Token"}
        to_sign = "".join(f"{name}\n{envelope[name]}\n" for name in sorted(envelope) if name not in unsigned)
        signature = self.key.sign(to_sign.encode(), padding.PKCS1v15(), HASHES.get(version, hashes.SHA256()))
        return envelope | {"Signature": base64.b64encode(signature).decode()}


def text(message):
    return message if isinstance(message, str) else json.dumps(message)
