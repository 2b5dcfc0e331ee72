import json

import pytest
from django.db import connection
from django.utils import timezone

from dispatch import sns
from dispatch.hooks import MOST_BYTES
from dispatch.messages import queueing
from dispatch.models import OptOut
from tests.dispatch.signing import SUBSCRIBE, TOPIC, URL, Signer
from tests.factories import make_job

EMAIL = "mia@example.com"


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture(autouse=True)
def amazon(monkeypatch, settings, signer):
    settings.SNS_TOPICS = [TOPIC]
    monkeypatch.setattr(sns, "_certificates", {})

    def fetch(url):
        fetch.asked.append((url, connection.in_atomic_block))
        if fetch.away:
            raise sns.NotReachable("cannot reach Amazon SNS")
        return signer.certificate if url == URL else b""

    fetch.asked, fetch.away = [], False
    monkeypatch.setattr(sns, "fetch", fetch)
    return fetch


@pytest.fixture
def message(board):
    job = make_job(board, customer_email=EMAIL)
    [row] = queueing.rows(job, "booked", by="Ana", at=timezone.now())
    row.status, row.provider_id = "sent", "0100-abc"
    row.save()
    return row


def post(client, envelope, **more):
    content = envelope if isinstance(envelope, str | bytes) else json.dumps(envelope)
    return client.post("/hooks/sns/", content, content_type="text/plain; charset=utf-8", **more)


def bounce():
    details = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": EMAIL}]}
    return {"eventType": "Bounce", "bounce": details, "mail": {"messageId": "0100-abc"}}


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_bounce_all_the_way(client, message, signer, version, caplog):
    caplog.set_level("INFO", "dispatch.hooks")

    answer = post(client, signer.notification(bounce(), version))

    message.refresh_from_db()
    assert (answer.status_code, answer.content, message.status) == (204, b"", "failed")
    assert OptOut.objects.get().address == EMAIL
    assert caplog.messages == ["sns: took Bounce"]


def test_a_subscription_is_confirmed(client, signer, amazon):
    answer = post(client, signer.confirmation())

    assert answer.status_code == 204
    assert [url for url, _ in amazon.asked] == [URL, SUBSCRIBE]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_fetched_inside_a_transaction(client, message, signer, amazon):
    post(client, signer.notification(bounce()))

    assert amazon.asked == [(URL, False)]


@pytest.mark.parametrize(
    "call",
    [
        lambda signer: signer.notification(bounce()) | {"Signature": "aGVsbG8="},
        lambda signer: signer.notification(bounce(), TopicArn=TOPIC + "2"),
        lambda signer: signer.notification(bounce(), Timestamp="2020-01-01T00:00:00Z"),
        lambda signer: signer.notification(bounce(), SigningCertURL="https://example.com/a.pem"),
        lambda signer: signer.confirmation(SubscribeURL="https://example.com/"),
        lambda signer: Signer().notification(bounce()),
        lambda signer: signer.notification("x" * MOST_BYTES),
        lambda signer: {}, lambda signer: [], lambda signer: "", lambda signer: "{", lambda signer: "[" * 100_000,
        lambda signer: b"\xff\xfe\xfa", lambda signer: "null", lambda signer: '{"Type": "Notification"}',
        lambda signer: signer.notification("hello") | {"Message": "\ud800"},
    ],
)  # fmt: skip
def test_whoever_is_not_believed_gets_the_same_answer(client, message, signer, call, caplog):
    answer = post(client, call(signer))

    message.refresh_from_db()
    assert (answer.status_code, answer.content, message.status) == (403, b"", "sent")
    assert OptOut.objects.count() == 0
    ours = [record.message for record in caplog.records if record.name == "dispatch.hooks"]
    assert [text.startswith("sns: refused a call: ") for text in ours] == [True]
    assert EMAIL not in caplog.text
    assert "Traceback" not in caplog.text


def test_amazon_is_asked_to_come_again_while_nobody_can_tell(client, message, signer, amazon):
    amazon.away = True

    assert post(client, signer.notification(bounce())).status_code == 503

    amazon.away = False
    assert post(client, signer.notification(bounce())).status_code == 204


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_without_a_topic_there_is_no_such_page(client, settings, method):
    settings.SNS_TOPICS = []

    assert getattr(client, method)("/hooks/sns/").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
def test_only_post_is_allowed(client, method):
    assert getattr(client, method)("/hooks/sns/").status_code == 405


def test_it_needs_no_cookie_and_gives_none(signer, message):
    from django.test import Client

    answer = post(Client(enforce_csrf_checks=True), signer.notification(bounce()))

    assert (answer.status_code, answer.cookies.output()) == (204, "")


def test_somebody_leaves_the_topic(client, signer):
    envelope = signer.confirmation(Type="UnsubscribeConfirmation")

    assert post(client, envelope).status_code == 204


def test_a_body_that_lies_about_its_length(client, signer, message):
    assert post(client, signer.notification(bounce()), headers={"Content-Length": "hello"}).status_code in {400, 403}
