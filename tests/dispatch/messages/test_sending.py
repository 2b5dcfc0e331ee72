import threading
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.core import mail as django_mail
from django.db import OperationalError
from django.utils import timezone

from dispatch import flow
from dispatch.messages import opt_outs, queueing, sending, sms
from dispatch.messages.failures import OptedOutAtProvider, Permanent, Transient, Unreachable
from dispatch.messages.sending import Outage, Sender
from dispatch.models import Board, Message, MessageTemplate, OptOut
from tests.factories import make_job

PHONE, NEW_PHONE, EMAIL = "+13035550123", "+13035550177", "mia@example.com"


class Phone:
    """A provider of texts: `answers` has what it raises, in turn, before it takes what it is given."""

    def __init__(self):
        self.taken, self.answers, self.asked, self.lock = [], [], 0, threading.Lock()
        self.when_asked = lambda to: None

    def send(self, to, text, dedupe_key):
        with self.lock:
            self.asked += 1
            answer = self.answers.pop(0) if self.answers else None
        self.when_asked(to)
        if answer:
            raise answer
        with self.lock:
            self.taken.append((to, dedupe_key))
            return f"id-{len(self.taken)}"


@pytest.fixture
def phone(monkeypatch):
    made = Phone()
    monkeypatch.setattr(sms, "provider", lambda: made)
    return made


@pytest.fixture
def board(board):
    Board.objects.filter(pk=board.pk).update(quiet_from=time(0), quiet_until=time(0))
    board.refresh_from_db()
    return board


@pytest.fixture
def job(board):
    return make_job(board, customer_name="Mia Chen", customer_phone=PHONE)


def queued(job, kind="link", **facts):
    """The rows of one event, due since a minute."""
    rows = queueing.rows(job, kind, by="Ana", at=timezone.now(), event=f"asked:{Message.objects.count()}")
    for row in rows:
        row.send_after = timezone.now() - timedelta(minutes=1)
        for name, value in facts.items():
            setattr(row, name, value)
        row.save()
    return rows[0] if len(rows) == 1 else rows


def send(channel="sms", **more):
    return Sender(channel, "w1", **more).batch()


def told(message):
    message.refresh_from_db()
    return message.status, message.error


class TestSending:
    def test_a_text(self, job, phone):
        message = queued(job)

        batch = send()

        message.refresh_from_db()
        assert (batch.taken, batch.sent) == (1, 1)
        assert phone.taken == [(PHONE, message.dedupe_key)]
        assert (message.status, message.provider_id, message.attempts, message.claim) == ("sent", "id-1", 1, "")
        assert (message.subject, job.token in message.body) == ("", True)
        assert message.sent_at - timezone.now() < timedelta(seconds=5)

    def test_an_e_mail(self, board, mailoutbox):
        message = queued(make_job(board, customer_name="Mia Chen", customer_email=EMAIL))

        send("email")

        [mail] = mailoutbox
        message.refresh_from_db()
        assert (mail.to, mail.subject, mail.body) == ([EMAIL], message.subject, message.body)
        assert [kind for _, kind in mail.alternatives] == ["text/html"]
        assert mail.extra_headers["X-Dedupe-Key"] == message.dedupe_key
        assert (message.status, message.provider_id) == ("sent", mail.extra_headers["Message-ID"])

    def test_another_try_of_an_e_mail_has_the_same_message_id(self, board, mailoutbox):
        message = queued(make_job(board, customer_email=EMAIL))
        send("email")
        Message.objects.filter(pk=message.pk).update(status="queued")
        send("email")

        assert len({mail.extra_headers["Message-ID"] for mail in mailoutbox}) == 1

    def test_one_channel_leaves_the_other_alone(self, board, phone, mailoutbox):
        queued(make_job(board, customer_phone=PHONE, customer_email=EMAIL), "booked")

        send("email")

        assert (len(mailoutbox), phone.taken) == (1, [])
        assert list(Message.objects.values_list("channel", "status").order_by("channel")) == [
            ("email", "sent"), ("sms", "queued")
        ]  # fmt: skip

    def test_nothing_due_is_nothing_done(self, job, phone):
        assert send().taken == 0

    def test_a_message_that_somebody_else_took_meanwhile_is_left_to_them(self, job, phone, monkeypatch):
        message = queued(job)
        take = Message.objects.get_queryset().__class__.take

        def take_and_sleep(self, claim, limit):
            taken = take(self, claim, limit)
            Message.objects.filter(pk=message.pk).update(claim="other")
            return taken

        monkeypatch.setattr(Message.objects.get_queryset().__class__, "take", take_and_sleep)

        send()

        assert (phone.taken, told(message)) == ([], ("sending", ""))


class TestChecks:
    def test_too_late(self, job, phone):
        message = queued(job, expires_at=timezone.now() - timedelta(seconds=1))

        send()

        assert (phone.asked, told(message)) == (0, ("suppressed", "It was too late: it would have been old news."))

    def test_too_late_after_a_try_is_a_failure(self, job, phone):
        message = queued(job, expires_at=timezone.now() - timedelta(seconds=1), error="SNS is away", attempts=3)

        send()

        assert told(message) == ("failed", "It was too late: it would have been old news. SNS is away")

    def test_news_that_is_old_by_now(self, board, phone):
        job = make_job(board, status="scheduled", customer_phone=PHONE)
        message = queued(job, "scheduled")
        Message.objects.filter(pk=message.pk).update(dedupe_key=f"{job.uid}:1:scheduled:sms")
        flow.move(job, "en_route", expect=job.seq, by="Ana", channel="board")
        Message.objects.filter(pk=message.pk).update(status="queued")

        send()

        assert (phone.asked, told(message)) == (0, ("suppressed", queueing.OVERTAKEN))

    def test_a_word_that_was_asked_for_goes_out_whatever_the_status(self, job, phone):
        message = queued(job, "on_the_way")

        send()

        assert told(message) == ("sent", "")

    def test_who_opted_out_meanwhile_gets_the_other_channel(self, board, phone, mailoutbox):
        job = make_job(board, customer_phone=PHONE, customer_email=EMAIL)
        message = queued(job)
        OptOut.objects.create(channel="sms", address=PHONE)

        send()
        send("email")

        assert (phone.asked, told(message)) == (0, ("suppressed", queueing.OPTED_OUT["sms"]))
        assert [mail.to for mail in mailoutbox] == [[EMAIL]]
        assert Message.objects.get(channel="email").dedupe_key == message.dedupe_key.removesuffix("sms") + "email"

    def test_the_other_channel_does_not_get_it_twice(self, board, phone, mailoutbox):
        queued(make_job(board, customer_phone=PHONE, customer_email=EMAIL), "booked")
        OptOut.objects.create(channel="sms", address=PHONE)

        send()
        send("email")

        assert len(mailoutbox) == 1

    @time_machine.travel(datetime(2026, 5, 5, 4, tzinfo=UTC), tick=False)  # 22:00 in Denver
    def test_quiet_hours_are_waited_for_and_count_no_attempt(self, board, phone):
        Board.objects.filter(pk=board.pk).update(quiet_from=time(21), quiet_until=time(7))
        message = queued(make_job(board, customer_phone=PHONE))
        Message.objects.filter(pk=message.pk).update(send_after=datetime(2001, 1, 1, tzinfo=UTC))

        send()

        message.refresh_from_db()
        assert (phone.asked, message.status, message.attempts) == (0, "queued", 0)
        assert message.send_after == datetime(2026, 5, 5, 13, tzinfo=UTC)

    @time_machine.travel(datetime(2026, 5, 5, 4, tzinfo=UTC), tick=False)
    def test_news_that_will_be_old_after_the_quiet_hours_goes_by_e_mail(self, board, phone, mailoutbox):
        Board.objects.filter(pk=board.pk).update(quiet_from=time(21), quiet_until=time(7))
        message = queued(make_job(board, customer_phone=PHONE, customer_email=EMAIL))
        Message.objects.filter(pk=message.pk).update(
            send_after=datetime(2001, 1, 1, tzinfo=UTC), expires_at=datetime(2026, 5, 5, 6, tzinfo=UTC)
        )

        send()

        assert told(message) == ("suppressed", queueing.QUIET)
        assert Message.objects.filter(channel="email", status="queued").count() == 1

    def test_a_board_that_is_switched_off_at_the_last_moment(self, job, phone, monkeypatch):
        message = queued(job)
        begin = Message.objects.get_queryset().__class__.begin

        def begin_and_switch_off(self, claim, *pks):
            Board.objects.update(messages_on=False)
            return begin(self, claim, *pks)

        monkeypatch.setattr(Message.objects.get_queryset().__class__, "begin", begin_and_switch_off)

        send()

        message.refresh_from_db()
        assert (phone.asked, message.status, message.attempts, message.claim) == (0, "queued", 0, "")

    def test_words_that_cannot_be_filled_in_hold_up_nobody_else(self, board, job, phone, caplog):
        MessageTemplate.objects.create(board=board, kind="ready", channel="sms", body="{{ nonsense }}")
        broken, fine = queued(job, "ready"), queued(job)

        batch = send()

        assert (batch.sent, told(broken)[0], told(fine)[0]) == (1, "queued", "sent")
        assert told(broken)[1].startswith("This message cannot be written or sent: ")
        assert len(caplog.messages) == 1
        assert "Traceback" not in caplog.text

    def test_a_number_that_was_corrected_meanwhile_gets_the_message_and_the_old_one_nothing(self, job, phone):
        message = queued(job)
        flow.edit(job, {"customer_phone": NEW_PHONE}, expect=job.seq, by="Ana")

        send()

        message.refresh_from_db()
        assert phone.taken == [(NEW_PHONE, message.dedupe_key)]
        assert (message.recipient, message.status) == (NEW_PHONE, "sent")

    def test_an_e_mail_address_is_the_same_in_capitals(self, board, mailoutbox):
        message = queued(make_job(board, customer_email=EMAIL), recipient="Mia@Example.com")

        send("email")

        assert (told(message), mailoutbox[0].to) == (("sent", ""), ["Mia@Example.com"])

    def test_a_number_that_was_taken_out_gets_nothing_and_the_news_goes_by_e_mail(self, board, phone, mailoutbox):
        job = make_job(board, customer_phone=PHONE, customer_email=EMAIL)
        message = queued(job)
        flow.edit(job, {"customer_phone": ""}, expect=job.seq, by="Ana")

        send()
        send("email")

        assert (phone.asked, told(message)) == (0, ("suppressed", "The job does not have the customer's number any more."))
        assert [mail.to for mail in mailoutbox] == [[EMAIL]]

    def test_a_new_number_that_opted_out_gets_nothing_and_the_news_goes_by_e_mail(self, board, phone, mailoutbox):
        OptOut.objects.create(channel="sms", address=NEW_PHONE)
        job = make_job(board, customer_phone=PHONE, customer_email=EMAIL)
        message = queued(job)
        flow.edit(job, {"customer_phone": NEW_PHONE}, expect=job.seq, by="Ana")

        send()
        send("email")

        assert (phone.asked, told(message)) == (0, ("suppressed", queueing.OPTED_OUT["sms"]))
        assert [mail.to for mail in mailoutbox] == [[EMAIL]]

    def test_the_limit_of_an_address_is_that_of_the_new_one(self, job, phone, settings):
        settings.MESSAGES_A_DAY_TO_ONE = 1
        queued(job, recipient=NEW_PHONE, status="sent", sent_at=timezone.now())
        message = queued(job)
        flow.edit(job, {"customer_phone": NEW_PHONE}, expect=job.seq, by="Ana")

        send()

        assert (phone.asked, told(message)[0]) == (0, "suppressed")

    @pytest.mark.parametrize(("asked", "status"), [(False, "suppressed"), (True, "sent")])
    def test_messages_of_a_job_that_were_switched_off_meanwhile(self, job, phone, asked, status):
        message = queued(job, **({} if asked else {"dedupe_key": f"{job.uid}:1:link:sms"}))
        flow.edit(job, {"customer_notify": False}, expect=job.seq, by="Ana")

        send()

        assert told(message) == (status, "" if asked else "Messages about this job were switched off.")

    def booked_and_scheduled(self, board, **more):
        job = make_job(board, customer_phone=PHONE, notify=True)
        job = flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board", **more)
        Message.objects.filter(kind="booked").update(send_after=timezone.now() - timedelta(minutes=1))
        return job

    def states(self):
        return dict(Message.objects.values_list("kind", "status"))

    def test_a_confirmation_does_not_come_after_newer_news(self, board, phone):
        self.booked_and_scheduled(board, notify=True)

        send()
        assert (phone.asked, self.states()) == (0, {"booked": "queued", "scheduled": "queued"})
        Message.objects.filter(kind="scheduled").update(send_after=timezone.now() - timedelta(minutes=1))
        send()
        Message.objects.update(send_after=timezone.now() - timedelta(minutes=1))
        send()

        assert (phone.asked, self.states()) == (1, {"booked": "suppressed", "scheduled": "sent"})

    def test_a_confirmation_goes_out_when_the_move_was_silent(self, board, phone):
        self.booked_and_scheduled(board, notify=False)

        send()

        assert self.states() == {"booked": "sent"}

    def test_a_confirmation_goes_out_when_the_newer_news_was_taken_back(self, board, phone):
        job = self.booked_and_scheduled(board, notify=True)
        flow.undo(job, expect=job.seq, by="Ana")

        send()

        assert self.states() == {"booked": "sent", "scheduled": "cancelled"}


@pytest.mark.django_db(transaction=True)
class TestDatabaseAway:
    """Between what the provider took and writing it down."""

    @pytest.fixture
    def rows(self):
        return Message.objects.get_queryset().__class__

    def test_what_was_taken_is_written_down_when_the_database_is_back(self, job, phone, rows, monkeypatch, settings):
        settings.MESSAGE_LEASE_SECONDS = 1
        messages, sent, away = [queued(job) for _ in range(5)], rows.sent, [OperationalError("gone")] * 3

        def sent_when_back(self, *args, **facts):
            if away:
                raise away.pop()
            return sent(self, *args, **facts)

        monkeypatch.setattr(rows, "sent", sent_when_back)

        assert send().sent == 5

        assert {told(message)[0] for message in messages} == {"sent"}
        assert phone.asked == 5

    def test_a_database_that_stays_away_is_told(self, job, phone, rows, monkeypatch, settings):
        settings.MESSAGE_LEASE_SECONDS = 0.3
        message = queued(job)

        def away(self, *args, **facts):
            raise OperationalError("gone")

        monkeypatch.setattr(rows, "sent", away)

        with pytest.raises(OperationalError):
            send()

        assert (phone.asked, told(message)[0]) == (1, "sending")

    def test_what_is_still_running_is_written_down_before_the_error_comes_out(self, job, phone, rows, monkeypatch):
        monkeypatch.setattr(sending, "AT_ONCE", 2)
        messages, begin, began, lost = [queued(job) for _ in range(4)], rows.begin, [], threading.Event()

        def begin_once(self, claim, *pks):
            if began:
                lost.set()
                raise OperationalError("gone")
            began.append(claim)
            return begin(self, claim, *pks)

        monkeypatch.setattr(rows, "begin", begin_once)
        slow = iter([False, True])
        phone.when_asked = lambda to: lost.wait(20) if next(slow) else None

        with pytest.raises(OperationalError):
            send()

        assert sorted(told(message)[0] for message in messages) == ["sending", "sending", "sent", "sent"]


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "opted_out"),
        [(Permanent("no such number"), False), (OptedOutAtProvider("the customer replied STOP"), True)],
    )
    def test_a_refusal_for_good_fails_and_goes_the_other_way(self, board, phone, mailoutbox, answer, opted_out):
        message = queued(make_job(board, customer_phone=PHONE, customer_email=EMAIL))
        phone.answers = [answer]

        send()
        send("email")

        assert told(message) == ("failed", str(answer))
        assert len(mailoutbox) == 1
        assert OptOut.objects.filter(channel="sms", address=PHONE, reason="stop").exists() is opted_out

    def test_what_may_pass_is_tried_again_later(self, job, phone, caplog):
        message = queued(job)
        phone.answers = [Transient("SNS has a fault of its own (500)")]

        batch = send()

        message.refresh_from_db()
        assert (batch.sent, message.status, message.attempts, message.claim) == (0, "queued", 1, "")
        assert message.error == "SNS has a fault of its own (500)"
        assert timezone.now() < message.send_after + timedelta(seconds=1) < timezone.now() + timedelta(seconds=17)
        assert caplog.messages == []

    def test_after_the_eighth_try_it_has_failed(self, job, phone, caplog):
        message = queued(job, attempts=7)
        phone.answers = [Transient("SNS has a fault of its own (500)")]

        send()

        assert told(message) == ("failed", "SNS has a fault of its own (500)")
        assert len(caplog.messages) == 1

    def test_a_provider_of_ones_own_that_raises_anything(self, job, phone):
        message = queued(job)
        phone.answers = [KeyError("id")]

        send()

        assert told(message) == ("queued", "This message cannot be written or sent: KeyError: 'id'")

    def test_an_error_of_the_network_may_pass_whoever_raises_it(self, job, phone):
        message = queued(job)
        phone.answers = [ConnectionResetError("reset by peer")]

        send()

        assert told(message)[0] == "queued"
        assert "broke off" in told(message)[1]


class TestOutage:
    def test_a_provider_that_is_away_costs_nobody_an_attempt(self, board, job, phone, caplog):
        messages = [queued(job) for _ in range(20)]
        phone.answers = [Unreachable("cannot reach SNS")] * 20

        with pytest.raises(Outage, match="cannot reach SNS"):
            send()

        for message in messages:
            message.refresh_from_db()
        assert {(one.status, one.attempts, one.claim) for one in messages} == {("queued", 0, "")}
        assert phone.asked < 20
        assert caplog.messages == []

    def test_lost_answers_are_an_outage_too_and_count(self, job, phone):
        messages = [queued(job) for _ in range(20)]
        phone.answers = [Transient("the connection broke off")] * 20

        with pytest.raises(Outage):
            send()

        for message in messages:
            message.refresh_from_db()
        assert {one.status for one in messages} == {"queued"}
        assert sum(one.attempts for one in messages) == phone.asked

    def test_a_refusal_or_a_success_in_between_says_that_the_provider_is_there(self, job, phone, monkeypatch):
        monkeypatch.setattr(sending, "AT_ONCE", 1)
        for _ in range(7):
            queued(job)
        away = Transient("busy")
        phone.answers = [away, away, Permanent("no such number"), away, away, None, away]

        assert send().sent == 1

    def test_what_was_sent_before_is_told(self, job, phone, monkeypatch):
        monkeypatch.setattr(sending, "AT_ONCE", 1)
        for _ in range(6):
            queued(job)
        phone.answers = [None, None, *[Unreachable("slow down")] * 4]

        with pytest.raises(Outage) as outage:
            send()

        assert (outage.value.sent, phone.asked) == (2, 5)

    def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_begun(self, job, phone, monkeypatch):
        monkeypatch.setattr(sending, "AT_ONCE", 1)
        messages = [queued(job) for _ in range(5)]
        stop = threading.Event()
        phone.when_asked = lambda to: stop.set()

        send(stopping=stop.is_set)

        for message in messages:
            message.refresh_from_db()
        assert [one.status for one in messages] == ["sent", *["queued"] * 4]
        assert {one.claim for one in messages} == {""}

    def test_a_slow_provider_does_not_cost_the_lease(self, job, phone, settings):
        settings.MESSAGE_LEASE_SECONDS = 0.3
        message = queued(job)
        beats = []
        phone.when_asked = lambda to: threading.Event().wait(0.8)

        send(beat=lambda: beats.append(Message.objects.due().count()))

        assert (told(message)[0], set(beats)) == ("sent", {0})


def test_an_opt_out_that_comes_while_a_message_is_being_sent_changes_nothing_for_it(board, phone):
    job = make_job(board, customer_phone=PHONE)
    message = queued(job)
    Message.objects.take("one", 1)
    Message.objects.begin("one", message.pk)

    opt_outs.add("sms", PHONE, "stop")

    assert told(message) == ("sending", "")
    assert django_mail.outbox == []
