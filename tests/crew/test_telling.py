import re
from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest
import time_machine
from django.utils import timezone
from icalendar import Calendar

from crew import doors, plan, telling
from crew.devices import SignInLink, hashed
from crew.models import Event, Member, Truck
from dispatch.messages import audiences, gsm7, limits, opt_outs, queueing, writing
from dispatch.messages.kinds import KINDS
from dispatch.messages.sending import Sender
from dispatch.models import Board, Message, MessageTemplate, OptOut
from tests.crew.factories import make_event, make_member
from tests.factories import make_job

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)  # for the database, whose clock runs on
NOON = datetime(2026, 11, 22, 19, tzinfo=UTC)  # 12:00 in Denver, on a Sunday
TUESDAY = {"starts_at": datetime(2026, 11, 24, 15, tzinfo=UTC), "ends_at": datetime(2026, 11, 24, 23, tzinfo=UTC)}
TODAY = {"starts_at": NOON + timedelta(hours=2), "ends_at": NOON + timedelta(hours=6)}
PHONE, OTHER_PHONE, EMAIL = "+13035550142", "+13035550177", "dee@example.com"
ORIGIN = "https://dispatch.example"
LINK = f"{ORIGIN}/crew/"
DENVER = "QuickDumpNow Denver"
CREW = [kind.slug for kind in KINDS.values() if kind.audience == "crew"]
OF_EVENTS = [kind for kind in CREW if kind != "crew_sign_in"]


@pytest.fixture(autouse=True)
def clock(settings):
    settings.PUBLIC_ORIGIN, settings.API_ORIGIN = "https://pages.example", ORIGIN
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def dee(board):
    """Has both."""
    return make_member(board, phone=PHONE)


@pytest.fixture
def event(board):
    return make_event(board, truck=Truck.objects.create(board=board, name="Truck 2"), notes="Meet in the yard.", **TUESDAY)


def assign(event: Event, member: Member):
    return plan.assign(Event.objects.get(pk=event.pk), member, "first_mate", by="Ana")[0]


def edit(event: Event, **changes) -> Event:
    return plan.edit_event(event, changes, expect=Event.objects.get(pk=event.pk).seq, by="Ana")


def rows(**which) -> list[tuple[str, str, str]]:
    return [(row.kind, row.channel, row.status) for row in Message.objects.filter(**which).order_by("pk")]


def send(clock, after: float = 9) -> None:
    """What a worker does so many seconds from now."""
    clock.shift(timedelta(seconds=after))
    for channel in ("email", "sms", "email", "sms"):  # once more for what goes the other way
        Message.objects.filter(status="queued", send_after__lte=timezone.now()).update(send_after=LONG_AGO)
        Sender(channel, "w1").batch()


class TestWhoAndWhen:
    def test_an_assignment_is_an_e_mail_after_the_time_for_an_undo(self, event, dee):
        place = assign(event, dee)

        [mail] = Message.objects.all()
        assert (mail.kind, mail.channel, mail.recipient, mail.status) == ("crew_assigned", "email", EMAIL, "queued")
        assert mail.dedupe_key == f"crew:{event.uid}:{place.event.seq}:crew_assigned:{dee.uid}:email"
        assert (mail.board, mail.job, mail.about) == (event.board, None, f"event:{event.uid}/member:{dee.uid}")
        assert (mail.topic, mail.seq, mail.by) == ("Dee Ramos: Tuesday, north, 2026-11-24", place.event.seq, "Ana")
        assert (mail.send_after - NOON, mail.expires_at - NOON) == (timedelta(seconds=8), timedelta(hours=24, seconds=8))

    def test_who_has_no_e_mail_address_gets_a_text(self, event, board):
        assign(event, make_member(board, email="", phone=PHONE))

        assert rows() == [("crew_assigned", "sms", "queued")]

    @pytest.mark.parametrize(("hours", "channels"), [(24, ["email", "sms"]), (25, ["email"])])
    def test_what_is_soon_is_a_text_too(self, board, dee, hours, channels):
        assign(make_event(board, days=hours / 24), dee)

        assert [channel for _, channel, _ in rows()] == channels

    def test_a_text_alone_is_enough_for_who_has_no_e_mail_address(self, board):
        assign(make_event(board, **TODAY), make_member(board, email="", phone=PHONE))

        assert rows() == [("crew_assigned", "sms", "queued")]

    def test_who_claims_a_place_gets_it_in_writing_and_no_text(self, board, dee):
        plan.claim(make_event(board, **TODAY), dee, by=dee.name)

        assert rows() == [("crew_claimed", "email", "queued")]

    @pytest.mark.parametrize(("by", "channels"), [("Ana", ["email", "sms"]), ("Dee Ramos", ["email"])])
    def test_who_gives_a_place_back_needs_no_text_about_it(self, board, dee, texts, mailoutbox, clock, by, channels):
        event = make_event(board, days=0.6)
        plan.claim(event, dee, by=dee.name)
        send(clock)

        plan.release(event, dee, by=by)

        assert [channel for _, channel, _ in rows(kind="crew_released")] == channels

    def test_everybody_on_an_event_is_told_of_a_change_and_nobody_else(self, board, event, dee, texts, mailoutbox, clock):
        al = make_member(board, "Al Ray", can_captain=True)
        make_member(board, "Bo Lee")
        assign(event, dee)
        plan.assign(event, al, "captain", by="Ana")
        send(clock)

        edit(event, notes="Meet at the gate.")

        told = Message.objects.filter(kind="crew_changed").values_list("recipient", flat=True)
        assert sorted(told) == ["al@example.com", EMAIL]

    def test_a_new_title_is_no_news(self, event, dee, clock, texts, mailoutbox):
        assign(event, dee)
        send(clock)

        edit(event, title="Tuesday, south")

        assert rows() == [("crew_assigned", "email", "sent")]

    def test_what_is_over_is_told_to_nobody(self, event, dee, clock, texts, mailoutbox):
        assign(event, dee)
        send(clock)
        clock.move_to(TUESDAY["ends_at"])

        plan.release(event, dee, by="Ana", is_staff=True)

        assert rows(kind="crew_released") == []

    def test_a_change_that_fails_tells_nobody(self, event, dee):
        assign(event, dee)
        stale = Event.objects.get(pk=event.pk).seq - 1

        with pytest.raises(plan.Stale):
            plan.edit_event(event, {"notes": "New"}, expect=stale, by="Ana")

        assert rows() == [("crew_assigned", "email", "queued")]


class TestOvertaken:
    """Within the time for an undo, or while a text waits for the morning."""

    def test_a_place_that_came_and_went_is_not_told_at_all(self, event, dee):
        assign(event, dee)
        plan.release(event, dee, by="Ana", is_staff=True)

        assert rows() == [("crew_assigned", "email", "cancelled")]
        assert Message.objects.get().error == "The plan has moved on since."

    def test_nor_is_a_cancelled_event_to_who_never_heard_of_it(self, event, dee):
        assign(event, dee)
        plan.cancel_event(event, by="Ana", reason="Snow")

        assert rows() == [("crew_assigned", "email", "cancelled")]

    def test_what_changes_before_somebody_heard_of_it_is_still_an_assignment(self, event, dee):
        assign(event, dee)
        edit(event, notes="Meet at the gate.")

        assert rows() == [("crew_assigned", "email", "cancelled"), ("crew_assigned", "email", "queued")]

    def test_several_changes_are_told_once(self, event, dee, clock, mailoutbox):
        assign(event, dee)
        send(clock)
        for notes in ("One", "Two", "Three"):
            edit(event, notes=notes)
        send(clock)

        assert [mail.subject.partition(":")[0] for mail in mailoutbox] == [
            "You are on Tuesday, north, Tuesday, November 24, 8",
            "Changed",
        ]
        assert "Notes: Three\n" in mailoutbox[1].body

    def test_who_has_heard_of_a_place_hears_that_it_is_gone(self, event, dee, clock, mailoutbox):
        assign(event, dee)
        send(clock)
        edit(event, notes="One")
        plan.release(event, dee, by="Ana", is_staff=True)

        assert rows() == [
            ("crew_assigned", "email", "sent"),
            ("crew_changed", "email", "cancelled"),
            ("crew_released", "email", "queued"),
        ]

    def test_who_has_heard_by_one_channel_has_heard(self, board, dee, clock, mailoutbox):
        event = make_event(board, **TODAY)
        assign(event, dee)
        Message.objects.filter(channel="email").update(status="sending", attempts=1)

        plan.release(event, dee, by="Ana", is_staff=True)

        assert rows(kind="crew_assigned") == [("crew_assigned", "email", "sending"), ("crew_assigned", "sms", "cancelled")]
        assert rows(kind="crew_released") == [("crew_released", "email", "queued"), ("crew_released", "sms", "queued")]

    def test_so_has_who_may_have_heard_by_a_try_that_broke_off(self, event, dee):
        assign(event, dee)
        Message.objects.update(attempts=1)

        plan.release(event, dee, by="Ana", is_staff=True)

        assert rows() == [("crew_assigned", "email", "cancelled"), ("crew_released", "email", "queued")]

    def test_off_and_on_again_is_told_once(self, event, dee, clock, mailoutbox):
        assign(event, dee)
        send(clock)
        plan.release(event, dee, by="Ana", is_staff=True)
        assign(event, dee)

        assert rows()[1:] == [("crew_released", "email", "cancelled"), ("crew_assigned", "email", "queued")]

    @pytest.mark.parametrize("first", ["declined", "edited"])
    def test_that_a_wish_was_declined_and_that_the_hours_changed_are_both_told(self, event, dee, clock, mailoutbox, first):
        place = assign(event, dee)
        send(clock)
        type(place).objects.update(release_asked_at=NOON)
        for what in ("declined", "edited") if first == "declined" else ("edited", "declined"):
            if what == "declined":
                plan.decline_release(event, dee, by="Ana", reason="We have nobody else.")
            else:
                edit(event, notes="Meet at the gate.")
        send(clock)

        assert sorted(rows()) == [
            ("crew_assigned", "email", "sent"), ("crew_changed", "email", "sent"), ("crew_stays", "email", "sent"),
        ]  # fmt: skip
        bodies = "".join(mail.body for mail in mailoutbox[1:])
        assert ("Why: We have nobody else.\n" in bodies, "Notes: Meet at the gate.\n" in bodies) == (True, True)

    def test_of_two_changes_with_a_declined_wish_between_them_the_last_is_told(self, event, dee, clock, mailoutbox):
        place = assign(event, dee)
        send(clock)
        edit(event, notes="One")
        type(place).objects.update(release_asked_at=NOON)
        plan.decline_release(event, dee, by="Ana")
        edit(event, notes="Two")

        assert rows()[1:] == [
            ("crew_changed", "email", "cancelled"), ("crew_stays", "email", "queued"), ("crew_changed", "email", "queued"),
        ]  # fmt: skip

    def test_who_is_off_reads_of_neither(self, event, dee, clock, mailoutbox):
        place = assign(event, dee)
        send(clock)
        type(place).objects.update(release_asked_at=NOON)
        plan.decline_release(event, dee, by="Ana")
        edit(event, notes="One")

        plan.release(event, dee, by="Ana", is_staff=True)

        assert rows()[1:] == [
            ("crew_stays", "email", "cancelled"),
            ("crew_changed", "email", "cancelled"),
            ("crew_released", "email", "queued"),
        ]

    def test_another_event_and_somebody_else_are_another_matter(self, board, event, dee):
        other = make_event(board, "Wednesday", days=9)
        assign(event, dee)
        assign(other, dee)
        plan.assign(event, make_member(board, "Al Ray", can_captain=True), "captain", by="Ana")

        plan.release(event, dee, by="Ana", is_staff=True)

        assert [status for _, _, status in rows()] == ["cancelled", "queued", "queued"]


class TestSending:
    def test_an_event_that_was_moved_meanwhile_is_told_as_it_is(self, event, dee, clock, mailoutbox):
        assign(event, dee)
        later = {name: moment + timedelta(days=1) for name, moment in TUESDAY.items()}
        Event.objects.update(**later)

        send(clock)

        assert [mail.subject for mail in mailoutbox] == [
            "You are on Tuesday, north, Wednesday, November 25, 8:00 AM – 4:00 PM MST"
        ]

    def test_a_corrected_number_and_address_are_the_ones_that_count(self, board, dee, clock, texts, mailoutbox):
        assign(make_event(board, **TODAY), dee)
        Member.objects.update(phone=OTHER_PHONE, email="ramos@example.com")

        send(clock)

        assert [to for to, _ in texts] == [OTHER_PHONE]
        assert [mail.to for mail in mailoutbox] == [["ramos@example.com"]]

    @pytest.mark.parametrize("why", ["opted out", "the address is gone", "no such mailbox"])
    def test_who_cannot_be_reached_by_e_mail_gets_a_text(self, event, dee, clock, texts, mailoutbox, why):
        assign(event, dee)
        if why == "opted out":
            OptOut.objects.create(channel="email", address=EMAIL)
        if why == "the address is gone":
            Member.objects.update(email="")
        if why == "no such mailbox":
            opt_outs.add("email", EMAIL, "bounce")

        send(clock)

        assert mailoutbox == []
        assert [to for to, _ in texts] == [PHONE]
        assert rows() == [("crew_assigned", "email", "suppressed"), ("crew_assigned", "sms", "sent")]

    def test_who_wants_neither_is_left_alone(self, event, dee, clock, texts, mailoutbox):
        OptOut.objects.bulk_create([OptOut(channel="email", address=EMAIL), OptOut(channel="sms", address=PHONE)])
        assign(event, dee)

        send(clock)

        assert (texts, mailoutbox, rows()) == ([], [], [("crew_assigned", "email", "suppressed")])

    def test_who_says_stop_while_a_text_waits_gets_none(self, board, dee, clock, texts, mailoutbox):
        dee.email = ""
        dee.save()
        assign(make_event(board, **TODAY), dee)
        opt_outs.add("sms", PHONE, "stop")
        Member.objects.update(email=EMAIL)

        send(clock)

        assert (texts, rows()) == ([], [("crew_assigned", "sms", "suppressed")])
        assert Message.objects.get().error == "They do not want texts."

    @pytest.mark.parametrize("change", ["released", "cancelled", "over", "left"])
    def test_what_is_not_true_any_more_is_not_sent(self, event, dee, clock, mailoutbox, change):
        place = assign(event, dee)
        if change == "released":
            type(place).objects.update(ended_at=NOON)
        if change == "cancelled":
            Event.objects.update(cancelled_at=NOON)
        if change == "over":
            Event.objects.update(starts_at=NOON - timedelta(hours=2), ends_at=NOON - timedelta(hours=1))
        if change == "left":
            Member.objects.update(is_active=False)

        send(clock)

        why = "They do not work here any more." if change == "left" else "The plan has moved on since."
        assert (mailoutbox, [(row.status, row.error) for row in Message.objects.all()]) == ([], [("suppressed", why)])

    def test_nor_is_a_release_of_who_is_on_it_again(self, event, dee, clock, mailoutbox):
        assign(event, dee)
        send(clock)
        plan.release(event, dee, by="Ana", is_staff=True)
        released = Message.objects.get(kind="crew_released")
        assign(event, dee)
        Message.objects.filter(pk=released.pk).update(status="queued")

        send(clock)

        assert rows(kind="crew_released") == [("crew_released", "email", "suppressed")]

    def test_a_board_that_is_switched_off_tells_nobody(self, event, dee, clock, mailoutbox):
        assign(event, dee)
        Board.objects.update(messages_on=False)

        send(clock)

        assert (mailoutbox, rows()) == ([], [("crew_assigned", "email", "queued")])

    def test_texts_wait_for_the_end_of_the_quiet_hours(self, board, event, clock):
        clock.move_to(datetime(2026, 11, 23, 5, tzinfo=UTC))  # 22:00
        assign(event, make_member(board, email="", phone=PHONE))

        assert Message.objects.get().send_after == datetime(2026, 11, 23, 14, tzinfo=UTC)

    def test_so_many_to_one_person_about_one_event(self, event, dee, clock, mailoutbox, settings):
        settings.MESSAGES_A_JOB = 1
        assign(event, dee)
        send(clock)
        edit(event, notes="New")
        send(clock)

        assert [row.status for row in Message.objects.order_by("pk")] == ["sent", "suppressed"]
        assert (
            Message.objects.get(kind="crew_changed").error
            == "1 messages about this were sent to them already (MESSAGES_A_JOB)."
        )

    def test_what_was_not_sent_is_sent_again_to_the_present_address(self, event, dee, clock, mailoutbox):
        assign(event, dee)
        Message.objects.update(status="failed")
        Member.objects.update(email="ramos@example.com")
        message = Message.objects.get()
        audiences.of(message).load(message)

        assert queueing.again(message)

        assert (Message.objects.get().recipient, rows()) == ("ramos@example.com", [("crew_assigned", "email", "queued")])


NIGHT = datetime(2026, 11, 24, 5, tzinfo=UTC)  # 22:00 on Monday
MORNING = datetime(2026, 11, 24, 14, tzinfo=UTC)  # 7:00, when the quiet hours end


class TestTheNightBefore:
    """Of somebody who has no e-mail address."""

    @pytest.fixture
    def al(self, board):
        return make_member(board, "Al Ray", email="", phone=PHONE)

    @pytest.fixture
    def tell(self, board, al, clock, texts):
        """What is decided at 22:00 about an event that begins so long before or after 7:00."""

        def do(kind: str, begins: timedelta) -> Event:
            starts_at = MORNING + begins
            event = make_event(board, starts_at=starts_at, ends_at=starts_at + timedelta(hours=8))
            if kind != "crew_assigned":
                place = assign(event, al)
                send(clock)
                type(place).objects.update(release_asked_at=NOON)
            texts.clear()
            clock.move_to(NIGHT)
            match kind:
                case "crew_assigned":
                    assign(event, al)
                case "crew_changed":
                    edit(event, notes="Meet at the gate.")
                case "crew_cancelled":
                    plan.cancel_event(event, by="Ana", reason="Snow")
                case "crew_released":
                    plan.release(event, al, by="Ana", is_staff=True)
                case "crew_stays":
                    plan.decline_release(event, al, by="Ana")
            return event

        return do

    KINDS = ("crew_assigned", "crew_changed", "crew_cancelled", "crew_released", "crew_stays")

    @pytest.mark.parametrize("begins", [timedelta(hours=-1), timedelta(0)])
    @pytest.mark.parametrize("kind", KINDS)
    def test_what_begins_before_the_quiet_hours_end_is_told_in_them(self, tell, clock, texts, kind, begins):
        tell(kind, begins)
        assert Message.objects.get(kind=kind).send_after == NIGHT + timedelta(seconds=8)

        send(clock)

        assert (rows(kind=kind), [to for to, _ in texts]) == ([(kind, "sms", "sent")], [PHONE])

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_begins_after_them_waits_for_their_end(self, tell, clock, texts, kind):
        tell(kind, timedelta(seconds=1))
        assert Message.objects.get(kind=kind).send_after == MORNING

        Message.objects.filter(kind=kind).update(send_after=NIGHT)
        send(clock)

        message = Message.objects.get(kind=kind)
        assert (texts, message.status, message.send_after) == ([], "queued", MORNING)

    def test_one_that_was_moved_to_later_meanwhile_waits_after_all(self, tell, clock, texts):
        tell("crew_assigned", timedelta(hours=-1))
        Event.objects.update(starts_at=MORNING + timedelta(hours=1))

        send(clock)

        assert (texts, Message.objects.get().send_after) == ([], MORNING)

    def test_so_does_the_text_in_place_of_an_e_mail_that_comes_back(self, tell, al, clock, texts):
        Member.objects.update(email=EMAIL)
        al.refresh_from_db()
        OptOut.objects.create(channel="email", address=EMAIL)
        early = make_event(al.board, starts_at=MORNING, ends_at=MORNING + timedelta(hours=2))
        late = make_event(al.board, starts_at=MORNING + timedelta(hours=3), ends_at=MORNING + timedelta(hours=5))
        clock.move_to(NIGHT)
        plan.claim(early, al, by=al.name)
        plan.claim(late, al, by=al.name)

        send(clock)

        instead = Message.objects.filter(channel="sms").order_by("pk")
        assert [(row.about.split("/")[0], row.status) for row in instead] == [
            (f"event:{early.uid}", "sent"), (f"event:{late.uid}", "queued"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("begins", "due"), [(timedelta(0), NIGHT + timedelta(seconds=8)), (timedelta(hours=1), MORNING)]
    )
    def test_it_is_due_as_the_text_would_have_been(self, tell, al, begins, due):
        Member.objects.update(email=EMAIL)
        al.refresh_from_db()
        tell("crew_assigned", begins)
        mail = Message.objects.get(channel="email")
        Message.objects.exclude(pk=mail.pk).delete()
        audiences.of(mail).load(mail)

        assert queueing.instead(mail, "It comes back.").send_after == due

    @pytest.mark.parametrize(("begins", "due"), [(timedelta(0), NIGHT), (timedelta(hours=1), MORNING)])
    def test_nor_does_it_wait_when_the_office_sends_it_again(self, tell, clock, texts, begins, due):
        tell("crew_assigned", begins)
        clock.move_to(NIGHT)
        Message.objects.update(status="failed")
        message = Message.objects.get()
        audiences.of(message).load(message)

        assert queueing.again(message)

        assert Message.objects.get().send_after == due


class TestSigningIn:
    def test_the_link_is_new_works_and_is_kept_nowhere(self, dee, clock, mailoutbox):
        telling.sign_in_link(dee, by=dee.name)
        send(clock, after=0)

        [secret] = set(re.findall(rf"{ORIGIN}/crew/sign-in/([\w-]+)/", mailoutbox[0].body))
        assert SignInLink.objects.get(secret=hashed(secret)).member == dee
        message = Message.objects.get()
        assert (message.status, message.subject) == ("sent", "Sign in to QuickDumpNow Denver")
        assert "It works once, for 15 minutes:\n\n…\n\nIf you" in message.body
        assert secret not in str(Message.objects.values().get())

    def test_by_text_to_who_has_no_e_mail_address(self, board, clock, texts):
        telling.sign_in_link(make_member(board, email="", phone=PHONE), by="Dee Ramos")
        send(clock, after=0)

        [(to, text)] = texts
        assert to == PHONE
        assert re.fullmatch(rf"{DENVER}: sign in within 15 minutes: {ORIGIN}/crew/sign-in/[\w-]{{43}}/", text)
        assert Message.objects.get().body == f"{DENVER}: sign in within 15 minutes: …"

    def test_it_is_sent_at_once_at_any_hour(self, board, clock, texts):
        clock.move_to(datetime(2026, 11, 23, 5, tzinfo=UTC))  # 22:00
        telling.sign_in_link(make_member(board, email="", phone=PHONE), by="Dee Ramos")
        assert Message.objects.get().send_after == timezone.now()
        send(clock, after=0)

        assert [to for to, _ in texts] == [PHONE]

    def test_another_try_makes_another_link(self, dee, clock, mailoutbox):
        telling.sign_in_link(dee, by=dee.name)
        send(clock, after=0)
        Message.objects.update(status="queued", send_after=LONG_AGO)
        send(clock, after=0)

        links = {re.search(r"/crew/sign-in/[\w-]+/", mail.body)[0] for mail in mailoutbox}
        assert (len(links), SignInLink.objects.count()) == (2, 2)

    def test_looking_at_it_in_the_admin_makes_none(self, dee):
        telling.sign_in_link(dee, by=dee.name)
        message = Message.objects.get()
        audiences.of(message).load(message)

        assert "…" in writing.render(message).text
        assert SignInLink.objects.count() == 0

    def test_of_two_that_wait_the_last_is_sent(self, dee):
        telling.sign_in_link(dee, by=dee.name)
        telling.sign_in_link(dee, by=dee.name)

        assert rows() == [("crew_sign_in", "email", "cancelled"), ("crew_sign_in", "email", "queued")]

    def test_who_asks_in_somebodys_name_does_not_use_up_their_day(self, event, dee, clock, mailoutbox, settings):
        settings.MESSAGES_A_DAY_TO_ONE = 2
        for _ in range(3):
            telling.sign_in_link(dee, by="Somebody")
            send(clock, after=0)
        assign(event, dee)
        send(clock)
        event = edit(event, notes="One")
        send(clock)

        assert [status for _, _, status in rows(kind="crew_sign_in")] == ["sent"] * 3
        assert rows(kind="crew_assigned") == [("crew_assigned", "email", "sent")]
        assert rows(kind="crew_changed") == [("crew_changed", "email", "sent")]

    def test_nobody_who_was_let_in_by_the_door_waits_for_nothing(self):
        """Twice a day's asks, in 24 hours over midnight, for the number and for the address of one member."""
        assert doors.ASKS_A_DAY * 2 * 2 < limits.ASKED_FOR_TO_ONE

    def test_a_mistake_of_ours_has_an_end(self, dee, clock, mailoutbox, monkeypatch):
        monkeypatch.setattr(limits, "ASKED_FOR_TO_ONE", 2)
        for _ in range(3):
            telling.sign_in_link(dee, by="Somebody")
            send(clock, after=0)

        assert [status for _, _, status in rows()] == ["sent", "sent", "suppressed"]
        assert Message.objects.get(status="suppressed").error == (
            "2 links that were asked for went to this address in 24 hours already."
        )

    def test_a_board_that_is_switched_off_lets_its_people_in(self, event, dee, clock, mailoutbox):
        Board.objects.update(messages_on=False)
        assign(event, dee)
        telling.sign_in_link(dee, by=dee.name)

        send(clock)

        assert rows() == [("crew_assigned", "email", "queued"), ("crew_sign_in", "email", "sent")]

    def test_it_is_never_too_many_about_one_person(self, dee, clock, mailoutbox, settings):
        settings.MESSAGES_A_JOB = 1
        for _ in range(2):
            telling.sign_in_link(dee, by="Somebody")
            send(clock, after=0)

        assert [status for _, _, status in rows()] == ["sent", "sent"]

    def test_a_company_may_say_it_in_its_own_words_and_keeps_no_secret_either(self, board, dee, clock, mailoutbox):
        MessageTemplate.objects.create(
            board=board, kind="crew_sign_in", channel="email", subject="In: {{ link }}", body="Go to {{ link }} now"
        )
        telling.sign_in_link(dee, by=dee.name)
        send(clock, after=0)

        message = Message.objects.get()
        assert (message.subject, message.body.partition("\n")[0]) == ("In: …", "Go to … now")
        assert mailoutbox[0].subject == "In: …"


# --- words


def message(place, kind: str, channel: str, language: str) -> Message:
    member = place.member
    member.language = language
    member.save()
    event = None if kind == "crew_sign_in" else place.event
    made = telling.row(member, kind, channel, event=event, key=f"1:{kind}", by="Ana", at=NOON, due=NOON)
    audiences.of(made).load(made)
    return made


def text(place, kind: str, language: str = "en") -> str:
    return writing.render(message(place, kind, "sms", language)).text


@pytest.fixture
def place(board, event, dee):
    """With a captain, and two jobs."""
    plan.assign(event, make_member(board, "Al Ray", can_captain=True), "captain", by="Ana")
    for location in ("1428 Elm St, Denver", "9 Oak Ave, Denver"):
        plan.put_job(make_job(board, location=location), event, by="Ana")
    return assign(event, dee)


WHEN, CUANDO = "Tue Nov 24, 8 AM-4 PM MST", "mar 24 nov, 8 AM-4 PM MST"


@pytest.mark.parametrize(
    ("kind", "language", "said"),
    [
        ("crew_assigned", "en", f"{DENVER}: you are on Tuesday, north, {WHEN}, Truck 2. {LINK}"),
        ("crew_claimed", "en", f"{DENVER}: it is yours: Tuesday, north, {WHEN}, Truck 2. {LINK}"),
        ("crew_changed", "en", f"{DENVER}: changed: Tuesday, north, now {WHEN}, Truck 2. {LINK}"),
        ("crew_cancelled", "en", f"{DENVER}: cancelled: Tuesday, north, {WHEN}. {LINK}"),
        ("crew_released", "en", f"{DENVER}: you are off Tuesday, north, {WHEN}. {LINK}"),
        ("crew_stays", "en", f"{DENVER}: you stay on Tuesday, north, {WHEN}. Call (303) 555-0100. {LINK}"),
        (
            "crew_plan", "en",
            f"{DENVER}: your plan: Tuesday, north, {WHEN}, Truck 2, 2 jobs, first Elm St, Denver, with Al. {LINK}",
        ),
        ("crew_assigned", "es", f"{DENVER}: le toca Tuesday, north, {CUANDO}, Truck 2. {LINK}"),
        ("crew_claimed", "es", f"{DENVER}: el lugar es suyo: Tuesday, north, {CUANDO}, Truck 2. {LINK}"),
        ("crew_changed", "es", f"{DENVER}: hay un cambio: Tuesday, north, ahora {CUANDO}, Truck 2. {LINK}"),
        ("crew_cancelled", "es", f"{DENVER}: se cancelo Tuesday, north, {CUANDO}. {LINK}"),
        ("crew_released", "es", f"{DENVER}: ya no va en Tuesday, north, {CUANDO}. {LINK}"),
        ("crew_stays", "es", f"{DENVER}: sigue en Tuesday, north, {CUANDO}. ¿Dudas? (303) 555-0100. {LINK}"),
        (
            "crew_plan", "es",
            f"{DENVER}: su plan: Tuesday, north, {CUANDO}, Truck 2, 2 trabajos, primero Elm St, Denver, con Al. {LINK}",
        ),
        ("crew_sign_in", "en", f"{DENVER}: sign in within 15 minutes: …"),
        ("crew_sign_in", "es", f"{DENVER}: entre en los proximos 15 minutos: …"),
    ],
)  # fmt: skip
def test_texts_word_for_word(place, kind, language, said):
    assert text(place, kind, language).replace("...", "…") == said


def test_why_it_is_cancelled(place):
    plan.cancel_event(place.event, by="Ana", reason="Snow")

    assert text(place, "crew_cancelled") == f"{DENVER}: cancelled: Tuesday, north, {WHEN}. Why: Snow {LINK}"


def test_why_somebody_stays(place):
    type(place).objects.filter(pk=place.pk).update(release_asked_at=NOON)
    plan.decline_release(place.event, place.member, by="Ana", reason="We have nobody else.")

    assert "\nWhy: We have nobody else.\n" in writing.render(message(place, "crew_stays", "email", "en")).text


@pytest.mark.parametrize(("kind", "language", "channel"), list(product(CREW, writing.LANGUAGES, ("sms", "email"))))
def test_the_longest_words_fit_and_lead_to_the_page(board, kind, language, channel):
    board.name = "Rocky Mountain Junk Hauling and Dumpster Rental of Denver Co"
    longest = audiences.of_kind(kind).sample(kind, board, language, channel, longest=True)

    written = writing.compose(writing.built_in(kind, channel, language), longest, channel, language, kind)

    assert longest["link"] in written.text
    assert "{" not in written.text + written.subject
    if channel == "sms":
        assert set(written.text) <= gsm7.ALPHABET | gsm7.EXTENSION
        assert gsm7.septets(written.text) <= 160
        assert kind == "crew_sign_in" or "Saturday" in written.text


def test_a_mail_word_for_word(place):
    mail = writing.render(message(place, "crew_assigned", "email", "en"))

    assert mail.subject == "You are on Tuesday, north, Tuesday, November 24, 8:00 AM – 4:00 PM MST"
    assert (
        mail.text
        == f"""Hello Dee,

You have a place:

What: Tuesday, north
When: Tuesday, November 24, 8:00 AM – 4:00 PM MST
You are: first mate
Truck: Truck 2
With you: Al
Jobs: 2 jobs
First stop: Elm St, Denver
Notes: Meet in the yard.

The attached file puts it into your calendar.

Your plan always shows how things stand:

{LINK}

Is something wrong? Call us: (303) 555-0100.

{"-- "}
QuickDumpNow Denver, (303) 555-0100

You get this e-mail because you work with QuickDumpNow Denver.
"""
    )
    assert re.findall(r'href="([^"]*)"', mail.html) == [LINK, LINK]
    assert ">Open my plan<" in mail.html


def test_a_mail_in_spanish_word_for_word(place):
    mail = writing.render(message(place, "crew_plan", "email", "es"))

    assert mail.subject == "Su plan: Tuesday, north, martes 24 de noviembre, 8:00 a. m. – 4:00 p. m. MST"
    assert (
        mail.text
        == f"""Hola Dee:

Esto es lo que sigue:

Salida: Tuesday, north
Cuándo: martes 24 de noviembre, 8:00 a. m. – 4:00 p. m. MST
Usted va como: ayudante
Camión: Truck 2
Con usted: Al
Trabajos: 2 trabajos
Primera parada: Elm St, Denver
Notas: Meet in the yard.

El archivo adjunto lo pone en su calendario.

Su plan siempre muestra cómo va todo:

{LINK}

¿Algo no está bien? Llámenos: (303) 555-0100.

{"-- "}
QuickDumpNow Denver, (303) 555-0100

Recibe este correo porque trabaja con QuickDumpNow Denver.
"""
    )


def test_what_is_not_known_is_left_out(board):
    place = assign(make_event(board, **TUESDAY), make_member(board))

    assert text(place, "crew_plan") == f"{DENVER}: your plan: Tuesday, north, {WHEN}. {LINK}"
    mail = writing.render(message(place, "crew_assigned", "email", "en")).text
    assert "You are: first mate\n\nThe attached file" in mail


@pytest.mark.parametrize(("by", "why"), [("Ana", " Why: Too many of us."), ("Dee Ramos", "")])
def test_a_members_own_reason_does_not_come_back_to_them_as_the_offices(place, by, why):
    plan.release(place.event, place.member, by=by, reason="Too many of us.", is_staff=True)

    place.refresh_from_db()
    assert place.ended_because == "Too many of us."
    assert text(place, "crew_released") == f"{DENVER}: you are off Tuesday, north, {WHEN}.{why} {LINK}"


@pytest.mark.parametrize(("reason", "why"), [("Doctor.", ""), ("Doctor. Get well.", " Why: Doctor. Get well.")])
def test_who_is_let_go_for_their_own_reason_does_not_read_it_as_the_offices(place, reason, why):
    plan.release(place.event, place.member, by="Dee Ramos", reason="Doctor.")
    plan.release(place.event, place.member, by="Ana", reason=reason, is_staff=True)

    place.refresh_from_db()
    assert (place.ended_by, place.ended_because) == ("Ana", reason)
    assert text(place, "crew_released") == f"{DENVER}: you are off Tuesday, north, {WHEN}.{why} {LINK}"


@pytest.mark.parametrize("kind", ["crew_released", "crew_cancelled"])
def test_a_mail_says_how_to_take_an_event_out_of_the_calendar(place, kind):
    in_english, in_spanish = (writing.render(message(place, kind, "email", language)).text for language in ("en", "es"))

    assert (
        "\nOpen the attached file to take it out of your calendar. If it stays there, delete it yourself.\n" in in_english
    )
    assert "\nAbra el archivo adjunto para quitarlo de su calendario. Si sigue ahí, bórrelo usted mismo.\n" in in_spanish


@pytest.mark.parametrize(
    ("kind", "status", "method"),
    [
        ("crew_plan", "CONFIRMED", "PUBLISH"),
        ("crew_changed", "CONFIRMED", "PUBLISH"),
        ("crew_released", "CANCELLED", "CANCEL"),
        ("crew_cancelled", "CANCELLED", "CANCEL"),
    ],
)
def test_the_calendar_file_follows_the_event(place, settings, kind, status, method):
    settings.DEFAULT_FROM_EMAIL = "QuickDumpNow <crews@dispatch.example>"
    made = message(place, kind, "email", "en")

    [(name, content, mimetype)] = writing.render(made).attachments

    calendar = Calendar.from_ical(content)
    [entry] = calendar.walk("VEVENT")
    assert (name, mimetype, calendar["method"]) == ("event.ics", f"text/calendar; method={method}", method)
    assert (entry["organizer"], entry["organizer"].params["CN"]) == ("mailto:crews@dispatch.example", DENVER)
    assert (entry["uid"], entry["sequence"]) == (f"{place.event.uid}@pages.example", made.loaded.event.seq)
    assert (entry["dtstart"].dt, entry["dtend"].dt) == (TUESDAY["starts_at"], TUESDAY["ends_at"])
    assert (entry["summary"], entry["status"], entry["url"]) == (f"Tuesday, north · {DENVER}", status, LINK)


def test_the_file_is_in_the_mail_and_not_in_a_link_to_sign_in(event, dee, clock, mailoutbox):
    assign(event, dee)
    telling.sign_in_link(dee, by=dee.name)
    send(clock)

    names = {mail.subject[:4]: [one.filename for one in mail.attachments] for mail in mailoutbox}
    assert names == {"You ": ["event.ics"], "Sign": []}
    [plan_mail] = (mail for mail in mailoutbox if mail.attachments)
    [file] = (part for part in plan_mail.message().walk() if part.get_content_type() == "text/calendar")
    assert (file.get_param("method"), file.get_param("charset"), file.get_filename()) == ("PUBLISH", "utf-8", "event.ics")


def test_a_later_file_has_a_higher_number_and_the_same_name(event, dee, clock, mailoutbox):
    assign(event, dee)
    send(clock)
    plan.cancel_event(event, by="Ana", reason="Snow")
    send(clock)

    calendars = [Calendar.from_ical(mail.attachments[0].content) for mail in mailoutbox]
    (first, last), methods = [one.walk("VEVENT")[0] for one in calendars], [one["method"] for one in calendars]
    assert (methods, first["uid"] == last["uid"], last["sequence"] > first["sequence"]) == (
        ["PUBLISH", "CANCEL"], True, True,
    )  # fmt: skip


def test_no_quiet_hours_is_the_boards_choice(board, event, clock):
    Board.objects.update(quiet_from=time(7), quiet_until=time(7))
    clock.move_to(datetime(2026, 11, 23, 5, tzinfo=UTC))
    assign(event, make_member(board, email="", phone=PHONE))

    assert Message.objects.get().send_after == timezone.now() + timedelta(seconds=8)


# --- what the docs say


def test_the_docs_show_every_text_as_it_is(place, settings):
    docs = (settings.BASE_DIR / "docs" / "messages.md").read_text()

    missing = {kind for kind in OF_EVENTS if f"`{text(place, kind).partition(LINK)[0]}https://" not in docs}

    assert missing == set()
    assert "`QuickDumpNow Denver: sign in within 15 minutes: https://" in docs


def test_the_docs_list_every_gap(settings):
    docs = (settings.BASE_DIR / "docs" / "messages.md").read_text()
    told = docs.partition("Messages to crews have gaps of their own:")[2].partition("\n\n")[0]

    assert re.findall(r"\{\{ (\w+) \}\}", told) == list(audiences.AUDIENCES["crew"].placeholders)
