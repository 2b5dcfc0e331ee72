import pytest

from dispatch import flow
from dispatch.messages import desk
from dispatch.models import Message, OptOut
from dispatch.rules import Refused
from tests.factories import make_job

PHONE, EMAIL = "+13035550123", "kim@example.com"

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(board):
    """Of a board without quiet hours: the tests run at night, too."""
    board.quiet_until = board.quiet_from
    board.save()
    return make_job(board, customer_name="Kim Lee", customer_phone=PHONE, customer_email=EMAIL)


def refused(function, *arguments) -> str:
    with pytest.raises(Refused) as error:
        function(*arguments, by="Ana")
    return error.value.code


def test_a_dispatcher_sees_what_a_move_brings_about(job):
    moved = flow.move(job, "scheduled", expect=job.seq, by="Ana", channel="board", notify=True)

    text = desk.of_change(moved)[-1]

    assert text == {
        "id": Message.objects.get(channel="sms").pk, "kind": "scheduled", "label": "Scheduled", "channel": "sms",
        "to": "Kim Lee", "status": "queued", "says": "Queued", "sendAfter": text["sendAfter"], "sentAt": None,
        "error": "", "text": "",
    }  # fmt: skip
    assert desk.of_change(job) == []
    assert [one["channel"] for one in desk.of_job(job)] == ["email", "sms"]


def test_a_message_that_is_asked_for_goes_at_once_and_as_often_as_it_is_asked_for(job):
    desk.send(job, "link", by="Ana")
    desk.send(job, "link", by="Ana")

    assert list(Message.objects.values_list("kind", "channel", "status", "by")) == [("link", "sms", "queued", "Ana")] * 2
    assert all(one.send_after == one.created_at for one in Message.objects.all())


def test_it_goes_out_even_to_who_gets_none_by_themselves(job):
    job = flow.edit(job, {"customer_notify": False}, expect=job.seq, by="Ana")

    assert [row.status for row in desk.send(job, "link", by="Ana")] == ["queued"]


def test_what_cannot_be_sent_is_said(board, job):
    assert refused(desk.send, job, "poem") == "unknown_kind"
    assert refused(desk.send, make_job(board), "link") == "no_address"
    for channel, address in (("sms", PHONE), ("email", EMAIL)):
        OptOut.objects.create(channel=channel, address=address)
    job = flow.edit(job, {"customer_phone": "", "customer_email": ""}, expect=job.seq, by="Ana")
    job = flow.edit(job, {"customer_phone": PHONE, "customer_email": EMAIL}, expect=job.seq, by="Ana")
    assert refused(desk.send, job, "link") == "not_wanted"


def test_a_message_is_taken_back_while_it_waits(board, job):
    (row,) = desk.send(job, "link", by="Ana")
    assert refused(desk.cancel, make_job(board), row.pk) == "not_waiting"  # of another job

    desk.cancel(job, row.pk, by="Bo")

    row.refresh_from_db()
    assert (row.status, row.error) == ("cancelled", "Bo took it back.")
    assert refused(desk.cancel, job, row.pk) == "not_waiting"
