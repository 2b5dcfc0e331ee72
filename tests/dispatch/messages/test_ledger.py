from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from dispatch.messages import ledger, queueing
from dispatch.models import Board, Job, Message
from tests.factories import make_job

SENT = {"subject": "", "body": "We are on our way."}


@pytest.fixture
def job(board) -> Job:
    return make_job(board, customer_phone="+13035550123")


def queued(job, number=1, **facts):
    """Messages that are due."""
    now = timezone.now()
    rows = queueing.rows(job, "link", by="Ana", at=now)
    made = []
    for place in range(number):
        [row] = rows
        row.pk, row.dedupe_key = None, f"{job.uid}:{place}:{Message.objects.count()}:sms"
        row.send_after = now - timedelta(seconds=60 - place)
        for name, value in facts.items():
            setattr(row, name, value)
        row.save()
        made.append(row.pk)
    return made


def row(pk):
    return Message.objects.get(pk=pk)


def expire(pk):
    Message.objects.filter(pk=pk).update(send_after=F("send_after") - timedelta(hours=1))


def test_of_two_workers_each_message_goes_to_one(job):
    pks = queued(job, 5)

    first = Message.objects.take("one", 3)
    second = Message.objects.take("two", 3)

    assert ([one.pk for one in first], [one.pk for one in second]) == (pks[:3], pks[3:])
    assert Message.objects.take("three", 3) == []


def test_who_was_slower_by_a_hair_gets_the_next_ones(job):
    """Both have seen the same rows when the first of them takes them."""
    pks, faster = queued(job, 3), []

    def meanwhile(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and not faster:
            faster.append("is here")
            faster[:] = [one.pk for one in Message.objects.take("faster", 2)]
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        slower = [one.pk for one in Message.objects.take("slower", 2)]

    assert (faster, slower) == (pks[:2], pks[2:])


def test_what_is_not_due_is_not_taken(job):
    queued(job, send_after=timezone.now() + timedelta(minutes=1))

    assert Message.objects.take("one", 10) == []


@pytest.mark.parametrize("status", ["sent", "delivered", "failed", "suppressed", "cancelled"])
def test_what_is_settled_is_not_taken(job, status):
    queued(job, status=status)

    assert Message.objects.take("one", 10) == []


def test_what_a_dead_worker_had_is_taken_when_its_lease_is_over(job):
    [pk] = queued(job)
    Message.objects.take("dead", 1)
    assert Message.objects.take("other", 1) == []

    expire(pk)

    assert [one.pk for one in Message.objects.take("other", 1)] == [pk]


def test_a_board_that_is_switched_off_keeps_its_messages_as_they_are(job):
    other = make_job(Board.objects.create(slug="other", name="Other"), customer_phone="+13035550124")
    [pk], [elsewhere] = queued(job), queued(other)
    Board.objects.filter(pk=job.board_id).update(messages_on=False)

    assert [one.pk for one in Message.objects.take("one", 10)] == [elsewhere]
    assert (row(pk).status, row(pk).claim) == ("queued", "")


def test_but_for_what_somebody_asked_for_and_waits_for(job):
    [pk], [asked_for] = queued(job), queued(job, kind="crew_sign_in")
    Board.objects.update(messages_on=False)

    assert [one.pk for one in Message.objects.take("one", 10)] == [asked_for]
    assert row(pk).status == "queued"


class TestBegin:
    def test_it_counts_and_renews_the_lease(self, job):
        [pk] = queued(job)
        Message.objects.take("one", 1)
        expire(pk)

        assert Message.objects.begin("one", pk) == {pk}
        assert row(pk).attempts == 1
        assert Message.objects.take("two", 1) == []

    def test_it_is_refused_when_somebody_else_has_it(self, job):
        [pk] = queued(job)
        Message.objects.take("one", 1)
        expire(pk)
        Message.objects.take("two", 1)

        assert (Message.objects.begin("one", pk), Message.objects.begin("two", pk)) == (set(), {pk})
        assert row(pk).attempts == 1

    def test_it_is_refused_when_the_message_was_taken_back(self, job):
        [pk] = queued(job)
        Message.objects.take("one", 1)

        assert Message.objects.take_back("Undone.", pk=pk) == 1
        assert Message.objects.begin("one", pk) == set()
        assert (row(pk).status, row(pk).attempts) == ("cancelled", 0)

    def test_what_was_begun_is_not_taken_back(self, job):
        [pk] = queued(job)
        Message.objects.take("one", 1)
        Message.objects.begin("one", pk)

        assert Message.objects.take_back("Undone.", pk=pk) == 0
        assert row(pk).status == "sending"


ENDINGS = {
    "sent": lambda claim, pk: Message.objects.sent(claim, pk, "id-1", **SENT),
    "suppress": lambda claim, pk: Message.objects.suppress(claim, pk, "Too late."),
    "fail": lambda claim, pk: Message.objects.fail(claim, pk, "No such number."),
    "put_off": lambda claim, pk: Message.objects.put_off(claim, pk, "busy"),
    "put_back": lambda claim, pk: Message.objects.put_back(claim, pk, timezone.now()),
    "release": lambda claim, pk: Message.objects.release(claim),
    "renew": lambda claim, pk: Message.objects.renew(claim),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("later", ["taken", "sent", "delivered"])
def test_who_slept_past_its_lease_overwrites_nothing(job, ending, later):
    [pk] = queued(job)
    Message.objects.take("sleeper", 1)
    Message.objects.begin("sleeper", pk)
    expire(pk)
    Message.objects.take("other", 1)
    Message.objects.begin("other", pk)
    if later != "taken":
        Message.objects.sent("other", pk, "id-2", **SENT)
    if later == "delivered":
        Message.objects.filter(pk=pk).update(status="delivered")
    before = Message.objects.filter(pk=pk).values().get()

    ENDINGS[ending]("sleeper", pk)

    assert Message.objects.filter(pk=pk).values().get() == before


def test_a_report_that_was_faster_than_our_own_note_stays_and_gets_the_words(job):
    [pk] = queued(job)
    Message.objects.take("one", 1)
    Message.objects.begin("one", pk)
    Message.objects.filter(pk=pk).update(status="delivered", provider_id="id-1", claim="")

    assert Message.objects.sent("one", pk, "id-1", **SENT) is True
    assert (row(pk).status, row(pk).body) == ("delivered", SENT["body"])


class TestPutOff:
    def attempt(self, pk, number):
        Message.objects.filter(pk=pk).update(status="queued", attempts=number - 1)
        Message.objects.take("one", 1)
        Message.objects.begin("one", pk)

    @pytest.mark.parametrize(("number", "most"), [(1, 15), (2, 30), (4, 120), (7, 960)])
    def test_the_pause_is_random_and_its_limit_doubles(self, job, monkeypatch, number, most):
        [pk] = queued(job)
        asked = []
        monkeypatch.setattr(ledger.random, "uniform", lambda least, limit: asked.append((least, limit)) or limit)
        self.attempt(pk, number)

        assert Message.objects.put_off("one", pk, "busy") is True

        assert asked == [(0, most)]
        assert row(pk).send_after - timezone.now() == pytest.approx(timedelta(seconds=most), abs=timedelta(seconds=5))
        assert (row(pk).status, row(pk).error, row(pk).claim, row(pk).attempts) == ("queued", "busy", "", number)

    def test_the_eighth_try_was_the_last(self, job):
        [pk] = queued(job)
        self.attempt(pk, 8)

        assert Message.objects.put_off("one", pk, "busy") is False
        assert (row(pk).status, row(pk).error, row(pk).attempts) == ("failed", "busy", 8)
        assert row(pk).settled_at is not None


def test_what_is_put_back_counts_no_attempt(job):
    [pk] = queued(job)
    Message.objects.take("one", 1)
    Message.objects.begin("one", pk)

    Message.objects.put_back("one", pk, timezone.now() - timedelta(seconds=1), "away")

    assert (row(pk).status, row(pk).attempts, row(pk).error) == ("queued", 0, "away")
    assert [one.pk for one in Message.objects.take("two", 1)] == [pk]


def test_taking_costs_the_same_however_many_there_are(job, django_assert_num_queries):
    queued(job, 30)

    with django_assert_num_queries(3):
        assert len(Message.objects.take("one", 20)) == 20
