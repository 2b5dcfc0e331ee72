from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from dispatch import flow
from dispatch.messages import queueing
from dispatch.messages.kinds import KINDS, OF_STATUS
from dispatch.models import Message, OptOut
from dispatch.statuses import STATUS_FLOW
from tests.factories import make_job

NOON = datetime(2026, 5, 4, 18, tzinfo=UTC)  # 12:00 in Denver
PHONE, EMAIL = "+13035550123", "kim@example.com"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def customer_job(board, **fields):
    return make_job(board, **{"customer_name": "Kim Lee", "customer_phone": PHONE, "customer_email": EMAIL} | fields)


def move(job, to, **more):
    return flow.move(job, to, expect=job.seq, by="Ana", channel="board", **{"notify": True} | more)


def rows(**which) -> list[tuple]:
    found = Message.objects.filter(**which).order_by("pk")
    return [(row.kind, row.channel, row.recipient, row.status) for row in found]


def test_a_move_is_told_after_the_time_for_an_undo(board):
    job = move(customer_job(board), "scheduled")

    (text, mail) = Message.objects.order_by("pk")
    assert (text.kind, text.channel, text.recipient, text.status) == ("scheduled", "sms", PHONE, "queued")
    assert (mail.kind, mail.channel, mail.recipient, mail.status) == ("scheduled", "email", EMAIL, "queued")
    assert (text.send_after, text.seq, text.by) == (NOON + timedelta(seconds=8), job.seq, "Ana")
    assert text.expires_at == text.send_after + KINDS["scheduled"].shelf


@pytest.mark.parametrize("status", STATUS_FLOW)
def test_each_status_tells_what_it_means_to_a_customer(board, status):
    told = {
        "scheduled": ["scheduled"], "ready_for_pickup": ["ready"], "en_route": ["on_the_way"], "completed": ["done"],
        "cancelled": ["cancelled"],
    }.get(status, [])  # fmt: skip
    came_from = next(slug for slug, known in STATUS_FLOW.items() if status in known.may_go_to)

    move(customer_job(board, status=came_from, customer_email=""), status, reason="Why not")

    assert [row[0] for row in rows()] == told
    assert {kind.of_status for kind in OF_STATUS.values()} <= set(STATUS_FLOW)


def test_a_silent_move_tells_nobody(board):
    move(customer_job(board), "scheduled", notify=False)

    assert rows() == []


def test_who_is_not_to_be_told_is_not(board):
    move(customer_job(board, customer_notify=False), "scheduled")
    move(customer_job(board, customer_phone="", customer_email=""), "scheduled")

    assert rows() == []


def test_a_text_is_enough_for_passing_news_and_an_address_for_who_has_no_phone(board):
    move(customer_job(board, status="scheduled"), "en_route")
    move(customer_job(board, status="scheduled", customer_phone=""), "en_route")

    assert rows() == [("on_the_way", "sms", PHONE, "queued"), ("on_the_way", "email", EMAIL, "queued")]


def test_undo_takes_back_what_has_not_gone_out(board):
    job = move(customer_job(board), "scheduled")
    Message.objects.filter(channel="email").update(status="sending", attempts=1)

    flow.undo(job, expect=job.seq, by="Ana")

    assert rows() == [("scheduled", "sms", PHONE, "cancelled"), ("scheduled", "email", EMAIL, "sending")]
    assert Message.objects.get(channel="sms").error == "Ana took the move back."


def test_the_next_move_makes_the_last_ones_news_old(board):
    job = customer_job(board, customer_email="", status="scheduled")
    queueing.queue(job, "link", by="Ana", at=NOON, event="asked")
    job = move(job, "en_route")

    move(job, "in_progress")

    assert rows() == [("link", "sms", PHONE, "queued"), ("on_the_way", "sms", PHONE, "cancelled")]


@pytest.mark.parametrize(
    ("to", "status"),
    [("ready_for_pickup", "queued"), ("requested", "queued"), ("en_route", "cancelled"), ("cancelled", "cancelled")],
)
def test_a_reminder_is_good_until_the_crew_is_on_its_way(board, to, status):
    job = customer_job(board, customer_email="", status="scheduled")
    queueing.queue(job, "reminder", by="", at=NOON, event="reminder:2026-05-05")

    move(job, to, notify=False, reason="Why not")

    assert rows() == [("reminder", "sms", PHONE, status)]


def test_an_e_mail_address_is_kept_in_small_letters(board):
    move(customer_job(board, customer_phone="", customer_email="Kim@Example.com"), "scheduled")

    assert rows() == [("scheduled", "email", EMAIL, "queued")]


@pytest.mark.parametrize(("now", "to"), [("+13035550199", "+13035550199"), ("", PHONE)])
def test_what_is_sent_again_goes_to_the_number_that_the_job_has_now(board, now, to):
    job = move(customer_job(board), "scheduled")
    Message.objects.update(status="failed")
    flow.edit(job, {"customer_phone": now}, expect=job.seq, by="Ana")

    assert queueing.again(Message.objects.select_related("job__board").get(channel="sms"))

    assert rows(channel="sms") == [("scheduled", "sms", to, "queued")]


def test_a_move_that_fails_tells_nobody(board):
    job = customer_job(board)
    stale = flow.edit(job, {"notes": "Piano"}, expect=job.seq, by="Bo").seq - 1

    with pytest.raises(flow.Conflict):
        flow.move(job, "scheduled", expect=stale, by="Ana", channel="board", notify=True)

    assert rows() == []


def test_of_one_event_there_is_one_row_for_each_channel(board):
    job = customer_job(board)

    for _ in range(2):
        queued = queueing.queue(job, "reminder", by="", at=NOON, event="reminder:2026-05-05")

    assert [row.channel for row in queued] == ["sms"]
    assert rows() == [("reminder", "sms", PHONE, "queued")]


@pytest.mark.parametrize(
    ("opted_out", "expected"),
    [
        (["sms"], [("sms", "suppressed"), ("email", "queued")]),
        (["email"], [("sms", "queued")]),
        (["email", "sms"], [("sms", "suppressed"), ("email", "suppressed")]),
    ],
    ids=str,
)
def test_who_opted_out_of_one_channel_is_told_by_the_other(board, opted_out, expected):
    for channel in opted_out:
        OptOut.objects.create(channel=channel, address={"sms": PHONE, "email": EMAIL}[channel])

    move(customer_job(board, status="scheduled"), "en_route")

    assert [(row[1], row[3]) for row in rows()] == expected


def test_a_new_number_has_not_opted_out(board):
    OptOut.objects.create(channel="sms", address=PHONE)
    OptOut.objects.create(channel="email", address="other@example.com")
    job = customer_job(board)
    assert job.opted_out == ["sms"]

    job = flow.edit(job, {"customer_phone": "+13035550199"}, expect=job.seq, by="Ana")
    assert job.opted_out == []

    assert flow.edit(job, {"customer_email": "Other@example.com"}, expect=job.seq, by="Ana").opted_out == ["email"]


# --- quiet hours: 21:00 to 7:00 in Denver


def test_texts_wait_for_the_end_of_the_quiet_hours_and_mails_do_not(board, clock):
    clock.move_to(datetime(2026, 5, 5, 4, 30, tzinfo=UTC))  # 22:30

    move(customer_job(board), "scheduled")

    due = dict(Message.objects.values_list("channel", "send_after"))
    assert due == {
        "sms": datetime(2026, 5, 5, 13, tzinfo=UTC),
        "email": datetime(2026, 5, 5, 4, 30, 8, tzinfo=UTC),
    }


def test_what_would_be_old_news_in_the_morning_goes_by_mail(board, clock):
    clock.move_to(datetime(2026, 5, 5, 4, 30, tzinfo=UTC))

    move(customer_job(board, status="scheduled"), "en_route")

    assert [(row[1], row[3]) for row in rows()] == [("sms", "suppressed"), ("email", "queued")]
    assert Message.objects.get(channel="sms").error == queueing.QUIET


def test_a_board_may_have_no_quiet_hours(board, clock):
    board.quiet_from = board.quiet_until = time(7)
    board.save()
    clock.move_to(datetime(2026, 5, 5, 4, 30, tzinfo=UTC))

    move(customer_job(board), "scheduled")

    assert Message.objects.get(channel="sms").send_after == datetime(2026, 5, 5, 4, 30, 8, tzinfo=UTC)


def test_a_new_job_is_confirmed_when_that_is_wanted(board):
    customer_job(board)
    assert rows() == []

    customer_job(board, notify=True)

    assert rows() == [("booked", "sms", PHONE, "queued"), ("booked", "email", EMAIL, "queued")]
