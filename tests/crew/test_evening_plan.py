from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from icalendar import Calendar

from crew import message_evening, plan
from crew.models import Assignment, Event, Member
from dispatch.messages import working
from dispatch.messages.sending import Sender
from dispatch.models import Board, Message, OptOut
from tests.crew.factories import make_event, make_member
from tests.factories import make_job

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 19, tzinfo=UTC)  # 12:00 in Denver, on a Monday
EVENING = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)  # 18:30
TUESDAY = datetime(2026, 11, 24, 15, tzinfo=UTC)  # 8:00
PHONE, EMAIL = "+13035550142", "dee@example.com"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def dee(board):
    return make_member(board, phone=PHONE)


def an_event(board, begins=TUESDAY, title="Tuesday, north", **fields) -> Event:
    return make_event(board, title, starts_at=begins, ends_at=begins + timedelta(hours=8), **fields)


def going(board, member, begins=TUESDAY, **fields) -> Event:
    """An event with the member on it, who has been told."""
    event = an_event(board, begins, **fields)
    plan.assign(event, member, "first_mate", by="Ana", reason="They can do both")
    Message.objects.exclude(kind="crew_plan").update(status="sent", attempts=1)
    return event


def plans(**which) -> list[str]:
    return sorted(Message.objects.filter(kind="crew_plan", **which).values_list("dedupe_key", flat=True))


def send(clock, now=EVENING) -> list[str]:
    clock.move_to(now)
    for channel in ("email", "sms", "email"):
        Message.objects.filter(status="queued").update(send_after=datetime(2001, 1, 1, tzinfo=UTC))
        Sender(channel, "w1").batch()
    return list(Message.objects.filter(kind="crew_plan").order_by("pk").values_list("status", flat=True))


def test_who_is_out_tomorrow_gets_one_plan(board, dee):
    event = going(board, dee)

    assert message_evening.queue(EVENING) == 1

    [message] = Message.objects.filter(kind="crew_plan")
    assert message.dedupe_key == f"crew:{event.uid}:2026-11-24:crew_plan:{dee.uid}:email"
    assert (message.channel, message.recipient, message.status) == ("email", EMAIL, "queued")
    assert (message.send_after, message.expires_at) == (EVENING, TUESDAY)


def test_any_number_of_workers_may_do_it_any_number_of_times(board, dee):
    going(board, dee)

    assert [message_evening.queue(EVENING + timedelta(minutes=minute)) for minute in range(3)] == [1, 0, 0]
    assert len(plans()) == 1


def test_nobody_gets_a_second_one_because_their_address_was_changed(board, dee):
    going(board, dee)
    message_evening.queue(EVENING)
    Member.objects.update(email="")

    assert (message_evening.queue(EVENING), len(plans())) == (0, 1)


def test_two_that_look_at_the_same_time_write_one(board, dee, monkeypatch):
    going(board, dee)
    told = message_evening._told

    def look_and_be_late(keys):
        found = told(keys)
        monkeypatch.setattr(message_evening, "_told", told)
        message_evening.queue(EVENING)  # the other worker's
        return found

    monkeypatch.setattr(message_evening, "_told", look_and_be_late)
    message_evening.queue(EVENING)

    assert len(plans()) == 1


@pytest.mark.parametrize(("local", "told"), [(time(17, 59), 0), (time(18), 1), (time(23, 59), 1)])
def test_from_six_in_the_evening_on(board, dee, local, told):
    going(board, dee)

    assert message_evening.queue(datetime.combine(date(2026, 11, 23), local, tzinfo=board.zone)) == told


@pytest.mark.parametrize(
    ("begins", "told"),
    [
        (datetime(2026, 11, 24, 6, 59, tzinfo=UTC), 0),  # 23:59 today
        (datetime(2026, 11, 24, 7, tzinfo=UTC), 1),
        (datetime(2026, 11, 25, 6, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 25, 7, tzinfo=UTC), 0),
    ],
)
def test_tomorrow_is_a_day_of_the_board(board, dee, begins, told):
    going(board, dee, begins)

    assert message_evening.queue(EVENING) == told


def test_each_board_has_its_own_evening(board, dee):
    tokyo = Board.objects.create(slug="tokyo", name="Tokyo", timezone="Asia/Tokyo")
    going(board, dee)
    there = going(tokyo, make_member(tokyo, "Ken Ito"), datetime(2026, 11, 24, 23, tzinfo=UTC))  # 8:00 on the 25th

    assert message_evening.queue(EVENING) == 1  # 10:30 on the 24th in Tokyo
    message_evening.queue(datetime(2026, 11, 24, 9, tzinfo=UTC))  # 18:00 there

    assert len([key for key in plans() if key.startswith(f"crew:{there.uid}:2026-11-25:")]) == 1


def test_everybody_on_it_and_one_for_each_event(board, dee):
    event = going(board, dee)
    plan.assign(event, make_member(board, "Al Ray", can_captain=True), "captain", by="Ana")
    going(board, dee, TUESDAY + timedelta(hours=9), title="Tuesday, late")
    make_member(board, "Bo Lee")

    assert message_evening.queue(EVENING) == 3
    assert sorted(Message.objects.filter(kind="crew_plan").values_list("topic", flat=True)) == [
        "Al Ray: Tuesday, north, 2026-11-24",
        "Dee Ramos: Tuesday, late, 2026-11-24",
        "Dee Ramos: Tuesday, north, 2026-11-24",
    ]


def test_who_was_assigned_after_six_has_just_been_told(board, dee, clock):
    clock.move_to(EVENING)
    event = an_event(board)
    plan.assign(event, dee, "first_mate", by="Ana")

    assert (message_evening.queue(EVENING), plans()) == (0, [])
    assert Message.objects.filter(kind="crew_assigned").count() == 2


@pytest.mark.parametrize("change", ["released", "cancelled", "left", "board off"])
def test_nobody_who_is_not_going(board, dee, change):
    event = going(board, dee)
    if change == "released":
        plan.release(event, dee, by="Ana", is_staff=True)
    if change == "cancelled":
        plan.cancel_event(event, by="Ana", reason="Snow")
    if change == "left":
        Member.objects.update(is_active=False)
    if change == "board off":
        Board.objects.update(messages_on=False)

    assert (message_evening.queue(EVENING), plans()) == (0, [])


@pytest.mark.parametrize("people", [1, 6])
def test_it_takes_the_same_queries_however_many_there_are(board, people, django_assert_num_queries):
    for number in range(people):
        going(board, make_member(board, f"Dee{'abcdef'[number]} Ramos"), TUESDAY + timedelta(minutes=number))

    with django_assert_num_queries(4):  # boards, places, who was told, rows
        message_evening.queue(EVENING)
    assert len(plans()) == people


def test_by_day_it_asks_for_the_boards_only(board, dee, django_assert_num_queries):
    going(board, dee)

    with django_assert_num_queries(1):
        message_evening.queue(NOON)


class TestSending:
    def test_it_says_what_there_is_to_know_with_the_event_for_the_calendar(self, board, dee, clock, mailoutbox):
        event = going(board, dee, notes="Meet in the yard.")
        message_evening.queue(EVENING)
        plan.put_job(make_job(board, location="1428 Elm St, Denver"), event, by="Ana")  # written when it is sent

        assert send(clock) == ["sent"]

        [mail] = mailoutbox
        assert mail.subject == "Your plan: Tuesday, north, Tuesday, November 24, 8:00 AM – 4:00 PM MST"
        assert "\nJobs: 1 job\nFirst stop: Elm St, Denver\nNotes: Meet in the yard.\n" in mail.body
        [(name, content, _)] = mail.attachments
        assert (name, Calendar.from_ical(content).walk("VEVENT")[0]["uid"]) == ("event.ics", f"{event.uid}@127.0.0.1")

    def test_a_text_to_who_has_no_e_mail_address(self, board, clock, texts):
        going(board, make_member(board, email="", phone=PHONE))
        message_evening.queue(EVENING)

        assert (send(clock), [to for to, _ in texts]) == (["sent"], [PHONE])

    def test_who_does_not_want_e_mails_gets_one_text(self, board, dee, clock, texts, mailoutbox):
        OptOut.objects.create(channel="email", address=EMAIL)
        going(board, dee)
        message_evening.queue(EVENING)

        assert send(clock) == ["suppressed", "sent"]
        message_evening.queue(EVENING)
        assert (len(plans()), len(texts), mailoutbox) == (2, 1, [])

    @pytest.mark.parametrize("change", ["released", "cancelled"])
    def test_it_is_taken_back_when_it_is_not_true_any_more(self, board, dee, clock, mailoutbox, change):
        event = going(board, dee)
        message_evening.queue(EVENING)
        if change == "released":
            plan.release(event, dee, by="Ana", is_staff=True)
        else:
            plan.cancel_event(event, by="Ana", reason="Snow")

        assert send(clock) == ["cancelled"]

    @pytest.mark.parametrize("change", ["released", "cancelled", "moved away", "it has begun"])
    def test_and_not_sent_when_that_happened_at_the_same_moment(self, board, dee, clock, mailoutbox, change):
        going(board, dee)
        message_evening.queue(EVENING)
        now = EVENING
        if change == "released":
            Assignment.objects.update(ended_at=NOON)
        if change == "cancelled":
            Event.objects.update(cancelled_at=NOON)
        if change == "moved away":
            Event.objects.update(starts_at=TUESDAY + timedelta(days=1), ends_at=TUESDAY + timedelta(days=1, hours=1))
        if change == "it has begun":
            now = TUESDAY
            Message.objects.update(expires_at=TUESDAY + timedelta(days=1))

        assert (send(clock, now), mailoutbox) == (["suppressed"], [])

    def test_one_that_was_moved_gets_its_plan_on_its_own_evening(self, board, dee, clock, mailoutbox):
        event = going(board, dee)
        message_evening.queue(EVENING)
        send(clock)
        later = TUESDAY + timedelta(days=2)
        plan.edit_event(
            event, {"starts_at": later, "ends_at": later + timedelta(hours=8)}, by="Ana",
            expect=Event.objects.get().seq,
        )  # fmt: skip

        assert [message_evening.queue(EVENING + timedelta(days=days)) for days in (1, 2)] == [0, 1]

    def test_a_change_before_it_is_sent_leaves_it_true(self, board, dee, clock, mailoutbox):
        event = going(board, dee)
        message_evening.queue(EVENING)
        plan.edit_event(event, {"notes": "At the gate."}, expect=Event.objects.get().seq, by="Ana")

        assert send(clock) == ["sent"]

    def test_in_the_quiet_hours_a_text_waits(self, board, clock, texts):
        night = datetime(2026, 11, 24, 5, tzinfo=UTC)  # 22:00
        going(board, make_member(board, email="", phone=PHONE), TUESDAY)
        message_evening.queue(night)

        assert Message.objects.get(kind="crew_plan").send_after == datetime(2026, 11, 24, 14, tzinfo=UTC)  # 7:00

    def test_a_text_that_would_wait_until_it_has_begun_is_not_sent(self, board, clock, texts):
        early, night = datetime(2026, 11, 24, 13, tzinfo=UTC), datetime(2026, 11, 24, 5, tzinfo=UTC)  # 6:00, 22:00
        going(board, make_member(board, email="", phone=PHONE), early)
        message_evening.queue(night)
        assert Message.objects.get(kind="crew_plan").send_after == night

        assert (send(clock, night), texts) == (["suppressed"], [])


def test_workers_do_it(board, dee, clock, monkeypatch):
    going(board, dee)
    clock.move_to(EVENING)
    done = []
    monkeypatch.setattr(working.Chores, "do", lambda self, what, chore: done.append((what, chore())))
    monkeypatch.setattr(working, "CHORES_SECONDS", 0.001)

    class Once:
        turns = iter([False, True])

        def wait(self, seconds):
            return next(self.turns)

    working.Chores().run(Once())

    assert ("queue the crews' plans of tomorrow", 1) in done
    assert len(plans()) == 1
