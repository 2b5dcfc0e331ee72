import base64
import email
from email.policy import default

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.stub import Stubber
from django.core.mail import EmailMultiAlternatives, get_connection
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses import ses_backends

from dispatch.messages import aws, mail, ses
from dispatch.messages.failures import Permanent, Transient, Unreachable

KEY = "01M86N7574X1P4W2WXANBHY5TD:3:scheduled:email"


@pytest.fixture(autouse=True)
def backend(settings):
    settings.EMAIL_BACKEND = "dispatch.messages.ses.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = "Müll Weg <dispatch@example.com>"


@pytest.fixture
def stub(clients):
    with Stubber(aws.client("sesv2")) as stubber:
        yield stubber


def send():
    return mail.send("mia@example.com", "Your pickup", "We come.", "<p>We come.</p>", KEY)


class Raw:
    """What is equal to any raw message, and keeps it."""

    def __eq__(self, other):
        self.message = email.message_from_bytes(other["Data"], policy=default)
        return True

    __hash__ = None


def test_the_shape_of_a_request(stub, settings):
    settings.SES_CONFIGURATION_SET, raw = "dispatch", Raw()
    expected = {
        "FromEmailAddress": "=?utf-8?b?TcO8bGwgV2Vn?= <dispatch@example.com>",
        "Destination": {"ToAddresses": ["mia@example.com"], "CcAddresses": [], "BccAddresses": []},
        "Content": {"Raw": raw},
        "ConfigurationSetName": "dispatch",
        "EmailTags": [{"Name": "dedupe-key", "Value": KEY.replace(":", "_")}],
    }
    stub.add_response("send_email", {"MessageId": "0100-abc"}, expected)

    assert send() == "0100-abc"

    parts = [(part.get_content_type(), part.get_content().strip()) for part in raw.message.iter_parts()]
    assert parts == [("text/plain", "We come."), ("text/html", "<p>We come.</p>")]
    assert (raw.message["Subject"], raw.message["X-Dedupe-Key"]) == ("Your pickup", KEY)
    assert raw.message["From"] == "Müll Weg <dispatch@example.com>"
    assert raw.message["Message-ID"].endswith("@example.com>")


def test_without_a_configuration_set_none_is_named(stub):
    seen = []
    aws.client("sesv2").meta.events.register(
        "provide-client-params.sesv2.SendEmail", lambda params, **_: seen.append(sorted(params))
    )
    stub.add_response("send_email", {"MessageId": "0100-abc"})

    send()

    assert seen == [["Content", "Destination", "EmailTags", "FromEmailAddress"]]


def test_any_mail_of_djangos_goes_this_way(stub):
    stub.add_response("send_email", {"MessageId": "0100-abc"})
    message = EmailMultiAlternatives("Hello", "Text", "ana@example.com", ["ben@example.com"])

    assert message.send() == 1
    assert message.provider_id == "0100-abc"


def test_a_server_of_ses_takes_it(clients):
    with mock_aws():
        boto3.client("sesv2").create_email_identity(EmailIdentity="example.com")

        name = send()

        [taken] = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
        assert (taken.id, "mia@example.com" in taken.destinations) == (name, True)


@pytest.mark.parametrize(
    ("code", "status", "says", "failure"),
    [
        ("MessageRejected", 400, "Email address is not verified. The following identities failed the check in region "
         "US-EAST-1: mia@customer.org", Permanent),
        ("MessageRejected", 400, "Email address is not verified. The following identities failed the check in region "
         "US-EAST-1: Ours <dispatch@example.com>, mia@customer.org", Unreachable),
        ("MessageRejected", 400, "Email address is not verified. The following identities failed the check in region "
         "US-EAST-1: example.com", Unreachable),
        ("BadRequestException", 400, "Illegal address", Permanent),
        ("TooManyRequestsException", 429, "Maximum sending rate exceeded.", Unreachable),
        ("LimitExceededException", 400, "Daily message quota exceeded.", Unreachable),
        ("SendingPausedException", 400, "", Unreachable),
        ("AccountSuspendedException", 400, "", Unreachable),
        ("MailFromDomainNotVerifiedException", 400, "", Unreachable),
        ("NotFoundException", 404, "Configuration set does not exist", Unreachable),
        ("AccessDeniedException", 403, "User is not authorized", Unreachable),
        ("UnrecognizedClientException", 403, "The security token is invalid", Unreachable),
        ("ServiceUnavailable", 503, "", Unreachable),
        ("InternalFailure", 500, "", Transient),
    ],
)  # fmt: skip
def test_what_an_answer_means(stub, code, status, says, failure):
    stub.add_client_error("send_email", code, says, status)

    with pytest.raises(failure) as raised:
        send()

    assert type(raised.value) is failure
    assert len(stub._queue) == 0  # it was asked once: the SDK tries nothing again by itself


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (EndpointConnectionError(endpoint_url="https://email.us-east-1.amazonaws.com"), Unreachable),
        (NoCredentialsError(), Unreachable),
        (ReadTimeoutError(endpoint_url="https://email.us-east-1.amazonaws.com"), Transient),
    ],
)
def test_a_network_that_fails(clients, error, failure):
    def fail(**_):
        raise error

    aws.client("sesv2").meta.events.register("before-send.sesv2.SendEmail", fail)

    with pytest.raises(failure) as raised:
        send()
    assert type(raised.value) is failure


def test_silently_means_silently(stub):
    stub.add_client_error("send_email", "MessageRejected")
    message = EmailMultiAlternatives("Hello", "Text", "ana@example.com", ["ben@example.com"])

    assert get_connection(fail_silently=True).send_messages([message]) == 0


def test_one_client_serves_the_process_and_waits_no_longer_than_it_has_to(clients):
    client = aws.client("sesv2")

    assert aws.client("sesv2") is client
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (5, 10, 1)


@pytest.mark.parametrize(
    ("address", "domain", "verified"), [(True, None, True), (False, True, True), (None, True, True), (None, None, False)]
)
def test_whether_a_sender_is_verified(stub, address, domain, verified):
    for identity, answer in (("dispatch@example.com", address), ("example.com", domain)):
        if answer is None:
            stub.add_client_error("get_email_identity", "NotFoundException", expected_params={"EmailIdentity": identity})
        else:
            stub.add_response("get_email_identity", {"VerifiedForSendingStatus": answer}, {"EmailIdentity": identity})
        if answer:
            break

    assert ses.is_verified("Ours <dispatch@example.com>") is verified


def test_who_cannot_ask_says_so(stub):
    stub.add_client_error("get_email_identity", "AccessDeniedException", http_status_code=403)

    with pytest.raises(Unreachable, match=r"SES refuses us \(AccessDeniedException\)"):
        ses.is_verified("dispatch@example.com")


def test_a_tag_has_just_the_characters_that_ses_takes():
    message = EmailMultiAlternatives("Hello", "Text", "a@example.com", ["b@example.com"], headers={"X-Dedupe-Key": "é:1 2"})

    assert ses._request(message)["EmailTags"] == [{"Name": "dedupe-key", "Value": "__1_2"}]
    assert base64.b64encode(ses._request(message)["Content"]["Raw"]["Data"])
