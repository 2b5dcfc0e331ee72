from datetime import timedelta

import pytest
from django.utils import timezone

from dispatch.messages import limits, queueing, sms
from dispatch.messages.sending import Sender
from dispatch.models import Message
from tests.factories import make_job
from tracking.booking import BY

PHONE, OTHER = "+13035550123", "+13035550124"


class Phone:
    def __init__(self):
        self.taken = []

    def send(self, to, text, dedupe_key):
        self.taken.append(to)
        return ""


@pytest.fixture
def phone(monkeypatch):
    made = Phone()
    monkeypatch.setattr(sms, "provider", lambda: made)
    return made


@pytest.fixture
def job(board):
    board.quiet_until = board.quiet_from
    board.save()
    return make_job(board, customer_phone=PHONE)


def message(job, **facts) -> Message:
    [row] = queueing.rows(job, "link", by="Ana", at=timezone.now(), event=f"asked:{Message.objects.count()}")
    row.send_after = timezone.now() - timedelta(minutes=1)
    for name, value in facts.items():
        setattr(row, name, value)
    row.save()
    return row


def sent(job, ago=timedelta(hours=1), **facts) -> Message:
    return message(job, status="sent", sent_at=timezone.now() - ago, **facts)


def under_way(job, **facts) -> Message:
    return message(job, status="sending", attempts=1, claim="other", **facts)


class TestToOne:
    @pytest.fixture(autouse=True)
    def three(self, settings):
        settings.MESSAGES_A_DAY_TO_ONE = 3

    def test_up_to_the_limit(self, job):
        sent(job)
        sent(job)

        limits.check(message(job))

    def test_no_more_than_that_to_an_address_whatever_job_it_is_about(self, board, job):
        sent(job)
        sent(job)
        sent(make_job(board, customer_phone=PHONE))

        with pytest.raises(limits.Reached, match=r"3 messages went to this address in 24 hours already"):
            limits.check(message(job))

    def test_a_day_later_there_is_room_again(self, job):
        for _ in range(3):
            sent(job, timedelta(hours=24, seconds=2))

        limits.check(message(job))

    def test_delivered_ones_and_those_that_came_back_count(self, job):
        for status in ("sent", "delivered", "failed"):
            sent(job).status = status
        Message.objects.filter(status="sent").update(status="failed")

        with pytest.raises(limits.Reached):
            limits.check(message(job))

    def test_of_two_that_one_worker_begins_the_first_passes(self, job):
        sent(job)
        sent(job)
        first, second = under_way(job), under_way(job)

        limits.check(first, behind=[second.pk])
        with pytest.raises(limits.Undecided):
            limits.check(second)

    def test_what_was_not_sent_does_not_count(self, job):
        for status in ("queued", "suppressed", "cancelled", "failed"):
            message(job, status=status)

        limits.check(message(job))

    def test_two_that_are_begun_at_once_do_not_both_pass(self, job):
        sent(job)
        sent(job)
        first, second = under_way(job), under_way(job)

        for one in (first, second):
            with pytest.raises(limits.Undecided):
                limits.check(one)


class TestOfJob:
    def test_however_long_ago(self, job, settings):
        settings.MESSAGES_A_JOB = 2
        sent(job, timedelta(days=90))
        sent(job, timedelta(days=60), recipient=OTHER)

        with pytest.raises(limits.Reached, match="2 messages about this job were sent already"):
            limits.check(message(job))

    def test_other_jobs_do_not_count(self, board, job, settings):
        settings.MESSAGES_A_JOB = 2
        sent(job)
        sent(make_job(board, customer_phone=PHONE))

        limits.check(message(job))

    def test_two_at_once(self, job, settings):
        settings.MESSAGES_A_JOB = 2
        sent(job)
        under_way(job, recipient=OTHER)

        with pytest.raises(limits.Undecided):
            limits.check(under_way(job))


def test_checking_costs_two_queries(job, django_assert_num_queries):
    one = message(job)

    with django_assert_num_queries(2):
        limits.check(one)


class TestWhatTheSenderMakesOfIt:
    def test_what_is_over_a_limit_is_not_sent_and_says_why(self, job, phone, settings):
        settings.MESSAGES_A_DAY_TO_ONE = 2
        messages = [message(job) for _ in range(5)]
        for _ in range(30):
            Sender("sms", "w1").batch()
            Message.objects.filter(status="queued").update(send_after=timezone.now() - timedelta(seconds=1))

        assert phone.taken == [PHONE, PHONE]
        for one in messages:
            one.refresh_from_db()
        assert sorted(one.status for one in messages) == ["sent", "sent", "suppressed", "suppressed", "suppressed"]
        assert {one.error for one in messages if one.status == "suppressed"} == {limits.TO_ONE.format(2)}

    def test_the_limit_of_all_is_told_once_and_ends_with_the_day(self, board, job, phone, settings, caplog):
        settings.MESSAGES_A_DAY = 3
        for number in range(5):
            message(make_job(board, customer_phone=f"+1303555013{number}"))
        sender = Sender("sms", "w1")

        sender.batch()
        message(job)
        sender.batch()

        assert len(phone.taken) == 3
        waiting = Message.objects.filter(status="queued")
        assert {(one.error, one.attempts, one.claim) for one in waiting} == {(limits.IN_ALL.format(3), 0, "")}
        assert min(one.send_after for one in waiting) > timezone.now() + timedelta(minutes=9)
        assert waiting.count() == 3
        assert caplog.messages == [f"messages: no more is sent: {limits.IN_ALL.format(3)}"]
        Message.objects.filter(status="sent").update(sent_at=timezone.now() - timedelta(hours=25))
        waiting.update(send_after=timezone.now() - timedelta(seconds=1))
        sender.batch()
        assert (len(phone.taken), waiting.count()) == (6, 0)

    def test_what_waits_for_room_too_long_has_failed_and_says_why(self, job, phone, settings, caplog):
        settings.MESSAGES_A_DAY = 1
        sent(job)
        late = message(job)
        Sender("sms", "w1").batch()
        past = timezone.now() - timedelta(seconds=1)
        Message.objects.filter(pk=late.pk).update(send_after=past, expires_at=past)

        Sender("sms", "w1").batch()

        late.refresh_from_db()
        assert (late.status, late.error.endswith(limits.IN_ALL.format(1)), phone.taken) == ("failed", True, [])

    def test_bookings_of_strangers_leave_half_the_day_to_the_others(self, board, phone, settings, caplog):
        settings.MESSAGES_A_DAY = 6
        board.quiet_until = board.quiet_from
        board.save()
        for number in range(5):
            job = make_job(board, customer_phone=f"+1303555013{number}")
            message(job, kind="booked", by=BY)
        message(job, kind="booked", by="Ana")
        message(job, by=BY)

        Sender("sms", "w1").batch()

        assert len(phone.taken) == 5
        waiting = Message.objects.filter(status="queued")
        assert {(one.kind, one.by, one.error) for one in waiting} == {("booked", BY, limits.OF_STRANGERS.format(3))}
        assert caplog.messages == [f"messages: no more is sent: {limits.OF_STRANGERS.format(3)}"]
        waiting.update(send_after=timezone.now() - timedelta(seconds=1))
        Sender("sms", "w2").batch()
        assert len(phone.taken) == 5
