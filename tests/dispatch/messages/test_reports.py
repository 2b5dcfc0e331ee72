import json
from datetime import timedelta

import pytest
from django.utils import timezone

from dispatch.messages import queueing, reports
from dispatch.models import Message, OptOut
from tests.factories import make_job

PHONE, EMAIL, NAME = "+13035550123", "mia@example.com", "0100-abc"


@pytest.fixture
def job(board):
    return make_job(board, customer_phone=PHONE, customer_email=EMAIL)


@pytest.fixture
def message(job) -> Message:
    """An e-mail that was handed over."""
    _, row = queueing.rows(job, "booked", by="Ana", at=timezone.now())
    row.status, row.provider_id, row.sent_at = "sent", NAME, timezone.now()
    row.save()
    return row


def about(mail=None):
    return {"mail": {"messageId": NAME, "source": "dispatch@example.com", "destination": [EMAIL]} | (mail or {})}


def bounce(kind="Permanent", address=EMAIL):
    details = {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [{"emailAddress": address}]}
    return {"bounce": details} | about()


DELIVERY = {"delivery": {"recipients": [EMAIL]}} | about()
COMPLAINT = {"complaint": {"complainedRecipients": [{"emailAddress": EMAIL}], "complaintFeedbackType": "abuse"}} | about()


@pytest.fixture(params=["eventType", "notificationType"])
def take(request):
    """Both forms in which SES tells things."""
    return lambda what, report: reports.take(json.dumps({request.param: what} | report))


def status(message):
    message.refresh_from_db()
    return message.status


def opt_outs():
    return list(OptOut.objects.values_list("channel", "address", "reason"))


def test_a_delivery(message, take):
    assert take("Delivery", DELIVERY) == "Delivery"

    assert status(message) == "delivered"
    assert timezone.now() - message.settled_at < timedelta(seconds=5)


def test_a_bounce_for_good_ends_it_and_the_address(job, message, take):
    take("Bounce", bounce())

    job.refresh_from_db()
    assert (status(message), message.error) == ("failed", "It came back: there is no such address.")
    assert (opt_outs(), job.opted_out) == ([("email", EMAIL, "bounce")], ["email"])


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_a_full_mailbox_does_not_end_the_address(message, take, kind):
    take("Bounce", bounce(kind))

    assert (status(message), opt_outs()) == ("failed", [])


def test_a_complaint_ends_the_address_and_not_the_message(message, take):
    take("Complaint", COMPLAINT)

    assert (status(message), opt_outs()) == ("sent", [("email", EMAIL, "complaint")])


@pytest.mark.parametrize(
    ("what", "report", "error"),
    [
        ("Reject", {"reject": {"reason": "Bad content"}}, "The provider reports: Reject. Bad content"),
        ("Rendering Failure", {"failure": {"errorMessage": "No"}}, "The provider reports: Rendering Failure. No"),
        ("Reject", {"reject": "?"}, "The provider reports: Reject."),
    ],
)
def test_what_the_provider_did_not_send_after_all(message, take, what, report, error):
    take(what, report | about())

    assert (status(message), message.error) == ("failed", error)


def test_what_was_delivered_stays_delivered(message, take):
    take("Delivery", DELIVERY)
    take("Bounce", bounce())
    take("Reject", {"reject": {"reason": "Bad content"}} | about())

    assert (status(message), message.error) == ("delivered", "")
    assert opt_outs() == [("email", EMAIL, "bounce")]  # the next one would come back


def test_what_failed_stays_failed(message, take):
    take("Bounce", bounce())
    take("Delivery", DELIVERY)

    assert status(message) == "failed"


def test_all_of_it_may_come_twice(job, message, take):
    for _ in range(3):
        take("Bounce", bounce())
    job.refresh_from_db()
    seq = job.seq
    take("Bounce", bounce())

    job.refresh_from_db()
    assert (len(opt_outs()), job.seq) == (1, seq)


@pytest.mark.parametrize("what", ["Send", "Open", "Click", "DeliveryDelay", "Subscription", "", "Other"])
def test_other_news_is_let_pass(message, take, what):
    assert (take(what, about()), status(message)) == ("not for us", "sent")


@pytest.mark.parametrize(
    "text",
    ["", "hello", "[]", "7", "null", '{"eventType": 7}', '{"eventType": "Delivery"}',
     '{"eventType": "Bounce", "bounce": 7}',
     '{"eventType": "Delivery", "mail": []}', '{"eventType": "Delivery", "mail": {"messageId": ""}}',
     '{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [7, {}, {"emailAddress": 7}]}}',
     '{"eventType": "Delivery", "mail": {"messageId": {"a": 1}, "headers": [7, {"name": 7}]}}',
     '{"eventType": "Complaint", "complaint": {"complainedRecipients": 7}}', '{"messageBody": 7, "originationNumber": {}}'],
)  # fmt: skip
def test_nonsense_is_let_pass(message, text):
    Message.objects.filter(pk=message.pk).update(provider_id="")

    reports.take(text)

    assert (status(message), opt_outs()) == ("sent", [])


class TestALostAnswer:
    """A worker that does not know that SES took its message."""

    def lost(self, message, **facts):
        Message.objects.filter(pk=message.pk).update(**{"provider_id": "", "sent_at": None, "attempts": 1} | facts)

    def delivery(self, key):
        return {"eventType": "Delivery"} | about(
            {"headers": [{"name": "To", "value": "x"}, {"name": "X-Dedupe-Key", "value": key}]}
        )

    @pytest.mark.parametrize("waiting", ["sending", "queued"])
    def test_a_report_says_so_and_it_is_not_sent_again(self, message, waiting):
        self.lost(message, status=waiting, claim="w1")

        reports.take(json.dumps(self.delivery(message.dedupe_key)))

        assert (status(message), message.provider_id, message.claim) == ("delivered", NAME, "")
        assert message.sent_at is not None
        assert Message.objects.due().count() == 0

    @pytest.mark.parametrize("facts", [{"status": "queued", "attempts": 0}, {"status": "cancelled"}, {"status": "failed"}])
    def test_others_are_not_touched(self, message, facts):
        self.lost(message, **facts)

        reports.take(json.dumps(self.delivery(message.dedupe_key)))

        assert status(message) == facts["status"]


class TestReplies:
    def reply(self, words, number=PHONE):
        told = {
            "originationNumber": number,
            "destinationNumber": "+13035550100",
            "messageBody": words,
            "inboundMessageId": "x",
        }
        return reports.take(json.dumps(told))

    @pytest.mark.parametrize("words", ["STOP", "stop", " Stop. ", "UNSUBSCRIBE", "Stop all", "quit", "END"])
    def test_stop_means_stop(self, job, words):
        assert self.reply(words) == "STOP"

        job.refresh_from_db()
        assert (opt_outs(), job.opted_out) == ([("sms", PHONE, "stop")], ["sms"])

    @pytest.mark.parametrize("words", ["START", "unstop", "Start!"])
    def test_start_means_start(self, job, words):
        self.reply("STOP")
        self.reply("STOP", "+13035550199")

        assert self.reply(words) == "START"

        job.refresh_from_db()
        assert (opt_outs(), job.opted_out) == ([("sms", "+13035550199", "stop")], [])

    @pytest.mark.parametrize("words", ["Thanks!", "Please stop at the gate", "don't stop", "", "🛑", "YES"])
    def test_other_words_mean_nothing(self, job, words):
        assert (self.reply(words), opt_outs()) == ("a reply", [])

    @pytest.mark.parametrize("number", ["", "12345", "hello"])
    def test_nobody_we_could_write_to(self, db, number):
        self.reply("STOP", number)
        self.reply("START", number)

        assert opt_outs() == []


class TestTexts:
    """What AWS End User Messaging reports."""

    @pytest.fixture
    def text(self, job):
        row, _ = queueing.rows(job, "booked", by="Ana", at=timezone.now())
        row.status, row.provider_id, row.sent_at = "sent", NAME, timezone.now()
        row.save()
        return row

    @pytest.mark.parametrize(
        ("what", "becomes"),
        [("TEXT_DELIVERED", "delivered"), ("TEXT_SENT", "sent"), ("TEXT_QUEUED", "sent"),
         ("TEXT_CARRIER_BLOCKED", "failed"), ("TEXT_INVALID", "failed"), ("TEXT_UNREACHABLE", "failed")],
    )  # fmt: skip
    def test_it(self, text, what, becomes):
        reports.take(json.dumps({"eventType": what, "messageId": NAME, "messageStatusDescription": "As it is"}))

        assert status(text) == becomes

    def test_a_lost_answer(self, text):
        Message.objects.filter(pk=text.pk).update(provider_id="", status="queued", attempts=1)

        report = {"eventType": "TEXT_DELIVERED", "messageId": NAME, "context": {"dedupeKey": text.dedupe_key}}
        reports.take(json.dumps(report))

        assert status(text) == "delivered"
