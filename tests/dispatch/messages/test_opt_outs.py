from datetime import time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from dispatch import flow
from dispatch.board import card
from dispatch.messages import opt_outs, queueing
from dispatch.messages.ledger import Message, OptOut
from dispatch.models import Board, Job
from tests.factories import make_job

PHONE, EMAIL = "+13035550123", "mia@example.com"


@pytest.fixture(autouse=True)
def no_quiet_hours(board):
    Board.objects.filter(pk=board.pk).update(quiet_from=time(0), quiet_until=time(0))
    board.refresh_from_db()


def mias_job(board: Board, **fields) -> Job:
    return make_job(board, **{"customer_phone": PHONE, "customer_email": EMAIL} | fields)


def now(job: Job) -> Job:
    return Job.objects.select_related("board").get(pk=job.pk)


def move(job: Job, to: str) -> Job:
    return flow.move(job, to, expect=job.seq, by="Ana", channel="board", notify=True)


def rows(job: Job) -> list[tuple[str, str, str, str]]:
    found = Message.objects.filter(job=job).order_by("pk")
    return [(row.kind, row.channel, row.status, row.error) for row in found]


# --- whose jobs get the mark


def test_who_says_stop_gets_the_mark_on_every_card_that_is_theirs(board):
    first, second = mias_job(board), mias_job(board, customer_email="")
    other = mias_job(board, customer_phone="+13035550199", customer_email="")

    opt_outs.add("sms", "(303) 555-0123", "stop", "STOP")

    assert [card(now(job))["optedOut"] for job in (first, second, other)] == [["sms"], ["sms"], []]
    assert now(first).updated_by == "Opt-out"
    assert now(first).seq > first.seq
    assert now(other).seq == other.seq


def test_an_e_mail_address_is_the_same_in_capitals(board):
    job = mias_job(board, customer_email="Mia@Example.com")

    opt_out = opt_outs.add("email", " MIA@example.COM ", "bounce")

    assert opt_out.address == "mia@example.com"
    assert now(job).opted_out == ["email"]


def test_both_channels_stand_on_the_card(board):
    job = mias_job(board)

    opt_outs.add("sms", PHONE, "stop")
    opt_outs.add("email", EMAIL, "complaint")

    assert card(now(job))["optedOut"] == ["email", "sms"]


def test_jobs_whose_link_has_ended_are_left_alone(board):
    over, lasting = (mias_job(board, status="completed") for _ in range(2))
    Job.objects.filter(pk=over.pk).update(link_ends_at=timezone.now() - timedelta(seconds=1))

    opt_outs.add("sms", PHONE, "stop")

    assert [now(job).opted_out for job in (over, lasting)] == [[], ["sms"]]
    assert now(over).seq == over.seq


def test_a_job_that_is_opened_later_has_the_mark_from_the_start(board):
    opt_outs.add("sms", PHONE, "stop")

    assert mias_job(board).opted_out == ["sms"]


def test_saying_it_twice_changes_nothing_more(board):
    job = mias_job(board)
    first = opt_outs.add("sms", PHONE, "stop", "STOP")
    seq = now(job).seq

    assert opt_outs.add("sms", PHONE, "staff") == first

    assert OptOut.objects.values_list("reason", "detail").get() == ("stop", "STOP")
    assert now(job).seq == seq


def test_what_was_interrupted_is_finished_by_doing_it_again(board):
    job = mias_job(board)
    OptOut.objects.create(channel="sms", address=PHONE, reason="stop")

    opt_outs.add("sms", PHONE, "stop")

    assert now(job).opted_out == ["sms"]


@pytest.mark.parametrize(
    ("channel", "address"), [("sms", "123"), ("sms", "mia@example.com"), ("email", PHONE), ("email", "")]
)
def test_what_is_no_address_is_refused(board, channel, address):
    with pytest.raises(ValidationError):
        opt_outs.add(channel, address, "staff")

    assert not OptOut.objects.exists()


def test_who_wants_to_hear_from_us_again_loses_that_mark_only(board):
    job = mias_job(board)
    stop = opt_outs.add("sms", PHONE, "stop")
    opt_outs.add("email", EMAIL, "bounce")

    opt_outs.remove(stop)

    assert now(job).opted_out == ["email"]
    assert [one.channel for one in OptOut.objects.all()] == ["email"]


# --- what waits


def test_what_waits_goes_by_e_mail_instead(board):
    job = move(move(mias_job(board), "ready_for_pickup"), "en_route")
    waits = Message.objects.get(job=job, kind="on_the_way")

    opt_outs.add("sms", PHONE, "stop")

    assert rows(job) == [
        ("ready", "sms", "cancelled", queueing.OVERTAKEN),
        ("on_the_way", "sms", "suppressed", "The customer does not want texts."),
        ("on_the_way", "email", "queued", ""),
    ]
    by_mail = Message.objects.get(job=job, channel="email")
    assert (by_mail.recipient, by_mail.seq, by_mail.by) == (EMAIL, waits.seq, "Ana")
    assert (by_mail.send_after, by_mail.expires_at) == (waits.send_after, waits.expires_at)
    assert by_mail.dedupe_key == f"{job.uid}:{job.seq}:on_the_way:email"
    assert Message.objects.get(pk=waits.pk).settled_at is not None


def test_news_that_goes_by_e_mail_anyway_goes_once(board):
    job = move(mias_job(board), "scheduled")

    opt_outs.add("sms", PHONE, "stop")

    assert rows(job) == [
        ("scheduled", "sms", "suppressed", "The customer does not want texts."),
        ("scheduled", "email", "queued", ""),
    ]


def test_doing_it_twice_sends_nothing_twice(board):
    job = move(mias_job(board), "ready_for_pickup")

    for _ in range(2):
        opt_outs.add("sms", PHONE, "stop")

    assert [(channel, status) for _, channel, status, _ in rows(job)] == [("sms", "suppressed"), ("email", "queued")]


@pytest.mark.parametrize("facts", [{"customer_email": ""}, {"customer_email": "gone@example.com"}])
def test_without_another_way_it_is_not_sent(board, facts):
    OptOut.objects.create(channel="email", address="gone@example.com", reason="bounce")
    job = move(mias_job(board, **facts), "ready_for_pickup")

    opt_outs.add("sms", PHONE, "stop")

    assert [row[1:3] for row in rows(job)] == [("sms", "suppressed")]


def test_a_mail_that_cannot_arrive_goes_by_text(board):
    job = move(mias_job(board, customer_phone=""), "ready_for_pickup")
    job = flow.edit(job, {"customer_phone": PHONE}, expect=job.seq, by="Ana")

    opt_outs.add("email", EMAIL.upper(), "bounce")

    assert [row[1:3] for row in rows(job)] == [("email", "suppressed"), ("sms", "queued")]


def test_a_text_in_place_of_a_mail_keeps_the_quiet_hours(board):
    job = move(mias_job(board, customer_phone=""), "ready_for_pickup")
    job = flow.edit(job, {"customer_phone": PHONE}, expect=job.seq, by="Ana")
    due = Message.objects.get(job=job).send_after.astimezone(board.zone)
    ends = (due + timedelta(hours=2)).replace(microsecond=0)
    Board.objects.filter(pk=board.pk).update(quiet_from=(due - timedelta(hours=1)).time(), quiet_until=ends.time())

    opt_outs.add("email", EMAIL, "bounce")

    assert Message.objects.get(job=job, channel="sms").send_after == ends


def test_what_is_being_sent_or_was_sent_is_left_alone(board):
    job = move(mias_job(board), "ready_for_pickup")
    Message.objects.filter(job=job).update(status="sending")

    opt_outs.add("sms", PHONE, "stop")

    assert rows(job) == [("ready", "sms", "sending", "")]


def test_what_a_worker_has_taken_meanwhile_does_not_go_twice(board):
    job = move(mias_job(board), "ready_for_pickup")
    as_seen = Message.objects.select_related("job__board").get(job=job)
    Message.objects.filter(job=job).update(status="sending")

    assert queueing.instead(as_seen, "No.") is None

    assert rows(job) == [("ready", "sms", "sending", "")]


def test_messages_to_others_are_left_alone(board):
    job = move(mias_job(board, customer_phone="+13035550199"), "ready_for_pickup")

    opt_outs.add("sms", PHONE, "stop")

    assert rows(job) == [("ready", "sms", "queued", "")]


# --- once more


@pytest.mark.parametrize("status", ["failed", "suppressed", "cancelled"])
def test_what_did_not_go_out_can_be_queued_again(board, status):
    job = move(mias_job(board), "ready_for_pickup")
    long_ago = timezone.now() - timedelta(days=9)
    Message.objects.filter(job=job).update(
        status=status, attempts=7, error="No.", expires_at=long_ago, send_after=long_ago, claim="w1", settled_at=long_ago
    )

    assert queueing.again(Message.objects.select_related("job__board").get(job=job))

    row = Message.objects.get(job=job)
    assert (row.status, row.attempts, row.error, row.claim, row.settled_at) == ("queued", 0, "", "", None)
    assert timedelta(0) <= timezone.now() - row.send_after < timedelta(seconds=20)
    assert row.expires_at - row.send_after == timedelta(hours=12)


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "delivered"])
def test_what_waits_or_went_out_is_not_queued_again(board, status):
    job = move(mias_job(board), "ready_for_pickup")
    Message.objects.filter(job=job).update(status=status, attempts=7)

    assert not queueing.again(Message.objects.select_related("job__board").get(job=job))

    assert Message.objects.values_list("status", "attempts").get(job=job) == (status, 7)
