"""Roster, events and hours in the admin: what staff can do there, what it writes, and who may not."""

import ast
import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.contrib.admin import ModelAdmin, site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db.models.signals import post_init
from django.test import Client
from django.utils import timezone

from crew import plan
from crew.devices import Device, SignInLink, hashed
from crew.event_forms import EventForm
from crew.event_shown import STEPS
from crew.models import Assignment, CrewChange, Event, FirstMateClaim, Member, Role, Shift, Truck
from dispatch.models import Job
from dispatch.words import moment_in_words
from tests.crew.factories import make_event, make_member
from tests.crew.phones import phone, send
from tests.factories import make_job

MEMBERS, EVENTS, SHIFTS = "/admin/crew/member/", "/admin/crew/event/", "/admin/crew/shift/"
TIMES = {
    "starts_at_0": "2027-05-04",
    "starts_at_1": "07:00",
    "ends_at_0": "2027-05-04",
    "ends_at_1": "16:00",
}
"""On the board's clock, when Denver is six hours behind UTC."""
SEVEN, FOUR = datetime(2027, 5, 4, 13, tzinfo=UTC), datetime(2027, 5, 4, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


def staff(username: str, *permissions: str) -> Client:
    """The browser of staff with permissions of the crews' models."""
    user = User.objects.create_user(username, password="password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="crew", codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def office(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture
def watcher(db):
    return staff(
        "watcher", "view_member", "view_event", "view_shift", "view_crewchange", "view_firstmateclaim", "view_truck"
    )


@pytest.fixture
def dee(board):
    return make_member(board, "Dee Ramos", can_captain=True)


@pytest.fixture
def event(board):
    return make_event(board, "North", starts_at=SEVEN, ends_at=FOUR)


def member_page(member: Member) -> str:
    return f"{MEMBERS}{member.pk}/change/"


def page(event: Event) -> str:
    return f"{EVENTS}{event.pk}/change/"


def act(client, event: Event, what: str, **fields: object):
    return client.post(f"{EVENTS}{event.pk}/act/{what}/", {key.replace("_", "-"): value for key, value in fields.items()})


def typed(event: Event, **fields: object) -> dict[str, object]:
    """What the browser sends for an event when nothing was changed in it."""
    facts = {"title": event.title, "truck": event.truck_id or "", "captains": event.captains, "notes": event.notes}
    return TIMES | facts | {"first_mates": event.first_mates, "version": event.seq} | fields


def written(member: Member, **fields: object) -> dict[str, object]:
    facts = {"board": member.board_id, "name": member.name, "phone": member.phone, "email": member.email}
    flags = {"language": member.language, "can_first_mate": "on", "is_active": "on"}
    return facts | flags | ({"can_captain": "on"} if member.can_captain else {}) | fields


def text(answer) -> str:
    """What a person reads on the page."""
    body = re.sub(r"<script.*?</script>", "", answer.content.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def after(client, answer) -> list[str]:
    """The messages on the page that an act leads back to."""
    assert answer.status_code == 302
    return said(client.get(answer.url))


def errors(answer) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def people(event: Event) -> list[tuple[str, str]]:
    return list(event.assignments.present().order_by("role", "place").values_list("member__name", "role"))


def in_order(event: Event) -> list[str]:
    return [outing.job.location for outing in event.outings.select_related("job")]


def history(event: Event) -> list[tuple[str, str]]:
    return list(event.history.values_list("what", "by"))


# --- the roster


def test_a_phone_is_typed_as_people_write_it_and_kept_in_full(office, board):
    facts = {"board": board.pk, "name": "  Dee   Ramos ", "phone": "(303) 555-0123", "email": "Dee@Example.com"}

    answer = office.post(f"{MEMBERS}add/", facts | {"language": "es", "can_first_mate": "on", "is_active": "on"})

    [dee] = Member.objects.all()
    assert answer.status_code == 302
    assert (dee.name, dee.phone, dee.email, dee.language) == ("Dee Ramos", "+13035550123", "dee@example.com", "es")
    assert (dee.can_captain, dee.can_first_mate, dee.is_active) == (False, True, True)


def test_a_member_who_cannot_be_reached_is_refused(office, board):
    answer = office.post(f"{MEMBERS}add/", {"board": board.pk, "name": "Dee", "language": "en"})

    assert errors(answer) == {"__all__": ["A phone number or an e-mail address is needed: that is where the plan goes."]}
    assert Member.objects.count() == 0


def test_a_number_and_an_address_belong_to_one_member(office, board, dee):
    Member.objects.filter(pk=dee.pk).update(phone="+13035550123")
    facts = {"board": board.pk, "name": "Al Poe", "phone": "303 555 0123", "email": "DEE@example.com", "language": "en"}

    answer = office.post(f"{MEMBERS}add/", facts)

    assert errors(answer) == {
        "phone": ["This number is Dee Ramos’s already."],
        "email": ["This address is Dee Ramos’s already."],
    }


@pytest.mark.parametrize("query", ["ramos", "dee@example", "(303) 555-0123", "0123"])
def test_a_member_is_found_by_name_phone_and_address(office, board, dee, query):
    Member.objects.filter(pk=dee.pk).update(phone="+13035550123")
    make_member(board, "Al Poe")

    answer = office.get(MEMBERS, {"q": query})

    assert [member.name for member in answer.context["cl"].result_list] == ["Dee Ramos"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"role": "captain"}, ["Dee Ramos"]),
        ({"is_active__exact": "0"}, ["Al Poe"]),
        ({"signed_in": "yes"}, ["Dee Ramos"]),
        ({"signed_in": "no"}, ["Al Poe", "Bo Lee"]),
    ],
)
def test_the_roster_is_filtered(office, board, dee, query, names):
    make_member(board, "Al Poe", is_active=False)
    bo = make_member(board, "Bo Lee")
    Device.objects.create(member=dee, secret="1")
    Device.objects.create(member=bo, secret="2", revoked_at=timezone.now())

    answer = office.get(MEMBERS, query)

    assert [member.name for member in answer.context["cl"].result_list] == names


def test_a_new_name_follows_in_the_jobs(office, board, dee, event, django_capture_on_commit_callbacks):
    job = make_job(board, status="scheduled")
    plan.put_job(job, event, by="Ana")
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")

    with django_capture_on_commit_callbacks(execute=True):
        office.post(member_page(dee), written(dee, name="Dee Walker"))

    job.refresh_from_db()
    assert (Member.objects.get().name, job.crew) == ("Dee Walker", ["Dee Walker"])
    assert history(event)[-1] == ("renamed", "root")


def test_saving_a_member_writes_what_was_changed_and_nothing_else(office, dee, monkeypatch):
    """A colleague saves their number between the reading and the writing."""
    clean = Member.full_clean

    def meanwhile(self, *args, **kwargs):
        Member.objects.filter(pk=dee.pk).update(phone="+13035550123")
        return clean(self, *args, **kwargs)

    monkeypatch.setattr(Member, "full_clean", meanwhile)
    office.post(member_page(dee), written(dee, language="es"))

    dee.refresh_from_db()
    assert (dee.language, dee.phone) == ("es", "+13035550123")
    assert CrewChange.objects.count() == 0


def test_who_leaves_with_a_place_is_named(office, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    facts = written(dee)
    del facts["is_active"]

    answer = office.post(member_page(dee), facts, follow=True)

    [warning] = [one for one in said(answer) if "still" in one]
    link = f'<a href="{member_page(dee)}#places">Give back their place</a>'
    assert warning == f"Dee still has a place in “North”. {link}"
    assert (Member.objects.get().is_active, people(event)) == (False, [("Dee Ramos", "captain")])
    assert "Give back their place" in text(office.get(member_page(dee)))


def test_who_may_not_change_events_reads_who_can(dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    facts = written(dee)
    del facts["is_active"]
    client = staff("sam", "view_member", "change_member")

    answer = client.post(member_page(dee), facts, follow=True)
    refused = client.post(f"{MEMBERS}{dee.pk}/leave/")

    warning = "Dee still has a place in “North”. Somebody who may change events can release them there."
    assert warning in said(answer)
    assert "Give back" not in text(client.get(member_page(dee)))
    assert (refused.status_code, people(event)) == (403, [("Dee Ramos", "captain")])


@pytest.mark.parametrize("is_active", [True, False])
def test_who_leaves_gives_all_places_back_in_one_go(office, board, dee, event, is_active):
    """Places in events that are over stay: they were there."""
    mine, job = phone(dee), make_job(board)
    south, past = make_event(board, "South", days=3), make_event(board, "Past", days=-1, hours=36)
    for one in (event, south, past):
        plan.assign(one, dee, Role.CAPTAIN, by="Ana")
    plan.put_job(job, south, by="Ana")
    Event.objects.filter(pk=past.pk).update(ends_at=timezone.now() - HOUR)
    Member.objects.update(is_active=is_active)
    shown = text(office.get(member_page(dee)))

    answer = office.post(f"{MEMBERS}{dee.pk}/leave/", {"reason": " Moved away\0 "})

    job.refresh_from_db()
    button = "Make inactive and give back their 2 places" if is_active else "Give back their 2 places"
    assert (button in shown, "Past" in shown) == (True, False)
    assert after(office, answer) == ["Dee Ramos is not active, and has given their 2 places back."]
    assert [people(one) for one in (event, south, past)] == [[], [], [("Dee Ramos", "captain")]]
    assert (job.crew, Member.objects.get().is_active) == ([], False)
    assert (history(south)[-1], south.history.last().reason) == (("released", "root"), "Moved away")
    assert "give back" not in text(office.get(member_page(dee))).lower()
    Member.objects.update(is_active=True)
    assert send(mine, "GET", "/crew/plan").status_code == 401


def test_a_place_in_what_is_cancelled_at_that_moment_keeps_no_other(office, board, dee, event, monkeypatch):
    south, release = make_event(board, "South", days=3), plan.release
    for one in (event, south):
        plan.assign(one, dee, Role.CAPTAIN, by="Ana")

    def slower(one, *args, **kwargs):
        if one == south:
            plan.cancel_event(south, by="Bo", reason="Snow")
        return release(one, *args, **kwargs)

    monkeypatch.setattr(plan, "release", slower)
    answer = office.post(f"{MEMBERS}{dee.pk}/leave/", {})

    assert after(office, answer) == ["Dee Ramos is not active, and has given their place back."]
    assert (people(event), event.history.last().reason) == ([], "They do not work here any more.")


def test_the_only_board_is_chosen_for_a_new_member(office, board):
    only = office.get(f"{MEMBERS}add/").context["adminform"].form["board"].value()
    type(board).objects.create(slug="boulder", name="Boulder")
    several = office.get(f"{MEMBERS}add/").context["adminform"].form["board"].value()

    assert (only, several) == (board.pk, None)


def test_the_phones_of_somebody_who_left_do_not_come_back_with_them(office, board, dee):
    mine, others = phone(dee), phone(make_member(board, "Al Poe"))
    office.post(f"{MEMBERS}{dee.pk}/link/")
    left = written(dee)
    del left["is_active"]

    office.post(member_page(dee), left)
    office.post(member_page(dee), written(dee))

    assert Member.objects.get(pk=dee.pk).is_active is True
    assert [send(client, "GET", "/crew/plan").status_code for client in (mine, others)] == [401, 200]
    assert SignInLink.objects.filter(used_at=None, expires_at__gt=timezone.now()).count() == 0


def test_saving_an_active_member_signs_no_phone_out(office, dee):
    mine = phone(dee)

    office.post(member_page(dee), written(dee, language="es"))

    assert send(mine, "GET", "/crew/plan").status_code == 200


def test_nobody_changes_the_board_with_a_place_on_the_old_one(office, board, dee, event):
    other = type(board).objects.create(slug="boulder", name="Boulder")
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")

    answer = office.post(member_page(dee), written(dee, board=other.pk))
    plan.release(event, dee, by="Ana", is_staff=True)
    office.post(member_page(dee), written(dee, board=other.pk))

    assert errors(answer) == {"board": ["Dee has a place in “North”. Release them first."]}
    assert Member.objects.get().board == other


def test_a_link_to_sign_in_is_shown_once_and_kept_as_a_hash(office, dee):
    answer = office.post(f"{MEMBERS}{dee.pk}/link/")

    [secret] = re.findall(r"/crew/sign-in/([\w-]+)/</a>", answer.content.decode())
    [link] = SignInLink.objects.all()
    assert (link.member, link.secret) == (dee, hashed(secret))
    assert "no-store" in answer["Cache-Control"]
    assert secret not in office.get(member_page(dee)).content.decode()
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Made a link to sign in."]


def test_the_link_that_the_office_made_signs_in(office, dee):
    answer = office.post(f"{MEMBERS}{dee.pk}/link/")
    [path] = re.findall(r"(/crew/sign-in/[\w-]+/)</a>", answer.content.decode())

    signed_in = Client().post(path)

    assert (signed_in.status_code, [device.member for device in Device.objects.all()]) == (302, [dee])


def test_looking_at_the_address_of_a_link_makes_none(office, dee):
    assert office.get(f"{MEMBERS}{dee.pk}/link/").status_code == 405
    assert SignInLink.objects.count() == 0


def test_there_is_no_link_for_somebody_who_has_left(office, board):
    al = make_member(board, "Al Poe", is_active=False)

    answer = office.post(f"{MEMBERS}{al.pk}/link/")

    assert after(office, answer) == ["Al Poe is not active on the roster."]
    assert SignInLink.objects.count() == 0


def test_phones_are_signed_out_one_by_one_or_all_with_the_links(office, dee):
    first, *_ = (Device.objects.create(member=dee, secret=f"{n}", name=f"Phone {n}") for n in range(3))
    office.post(f"{MEMBERS}{dee.pk}/link/")

    one = after(office, office.post(f"{MEMBERS}{dee.pk}/revoke/", {"device": first.pk}))
    left = [device.name for device, _ in office.get(member_page(dee)).context["phones"]]
    all_ = after(office, office.post(f"{MEMBERS}{dee.pk}/revoke/"))

    assert (one, sorted(left)) == (["Signed out: Phone 0."], ["Phone 1", "Phone 2"])
    assert all_ == ["All phones of Dee Ramos are signed out, and no link that was made works any more."]
    assert Device.objects.filter(revoked_at=None).count() == 0
    assert SignInLink.objects.filter(expires_at__gt=timezone.now()).count() == 0


def test_another_members_phone_is_not_signed_out_in_passing(office, board, dee):
    theirs = Device.objects.create(member=make_member(board, "Al Poe"), secret="1")

    assert office.post(f"{MEMBERS}{dee.pk}/revoke/", {"device": theirs.pk}).status_code == 404
    assert Device.objects.get().revoked_at is None


# --- events


def test_an_event_is_opened_in_the_time_of_its_board(office, board):
    truck = Truck.objects.create(board=board, name="Truck 1")
    facts = {
        "board": board.pk,
        "title": "North",
        "truck": truck.pk,
        "captains": 1,
        "first_mates": 2,
        "notes": "Two\r\nlines",
    }

    answer = office.post(f"{EVENTS}add/", TIMES | facts)

    [event] = Event.objects.all()
    assert answer.status_code == 302
    assert (event.starts_at, event.ends_at, event.truck, event.first_mates) == (SEVEN, FOUR, truck, 2)
    assert (event.notes, event.seq, history(event)) == ("Two\nlines", 1, [("opened", "root")])


def test_the_form_names_the_zone(office, event):
    assert text(office.get(page(event))).count("In the board's time zone, America/Denver.") == 2


def test_an_edit_is_a_change_of_the_plan(office, event):
    answer = office.post(page(event), typed(event, title="North and west"))

    event.refresh_from_db()
    assert (answer.status_code, event.title, event.seq) == (302, "North and west", 2)
    assert history(event)[1:] == [("edited", "root")]
    assert event.history.last().facts == {"changed": ["title"]}


def test_saving_an_event_without_a_change_is_none(office, event):
    office.post(page(event), typed(event))

    assert history(event) == [("opened", "Ana")]


def test_a_stale_edit_says_what_is_different_and_the_second_save_means_it(office, event):
    mine = typed(event, title="Mine")
    plan.edit_event(event, {"title": "Bo's", "notes": "Boots"}, expect=event.seq, by="Bo")

    first = office.post(page(event), mine)
    kept = first.context["adminform"].form["version"].value()
    title = Event.objects.get().title
    office.post(page(event), mine | {"version": kept})

    [problem] = errors(first)["__all__"]
    assert problem.startswith("Bo changed this event ")
    assert problem.endswith(
        "while you were editing: Title is now “Bo's”; Notes is now “Boots”. Save again to keep what this form says."
    )
    assert (title, Event.objects.get().title, Event.objects.get().notes) == ("Bo's", "Mine", "")


def test_who_loses_between_check_and_save_gets_the_form_too(office, event, monkeypatch):
    """The other edit commits while this request is between its check and its UPDATE."""
    edit, show, lost = plan.edit_event, ModelAdmin.changeform_view, []

    def lose(current, changes, *, expect, by, reason):
        lost.append(current)
        raise plan.Stale(current)

    def show_what_was_committed(*args, **kwargs):
        if lost:
            edit(event, {"title": "Theirs"}, expect=event.seq, by="Bo")
        return show(*args, **kwargs)

    monkeypatch.setattr(plan, "edit_event", lose)
    monkeypatch.setattr(ModelAdmin, "changeform_view", show_what_was_committed)
    answer = office.post(page(event), typed(event, title="Mine"))

    form = answer.context["adminform"].form
    assert (answer.status_code, len(lost), Event.objects.get().title) == (200, 1, "Theirs")
    assert (form["title"].value(), form["version"].value()) == ("Mine", "2")
    assert "while you were editing: Title is now “Theirs”" in text(answer)


def test_the_plan_is_told_which_change_the_form_showed(office, event, monkeypatch):
    """Not the one that the event has by then: somebody else may have changed it since the check."""
    edit, changes, expected = plan.edit_event, EventForm.changes, []

    def note(current, different, *, expect, by, reason):
        expected.append(expect)
        return edit(current, different, expect=expect, by=by, reason=reason)

    def meanwhile(form):
        if not expected:
            edit(event, {"title": "Theirs"}, expect=event.seq, by="Bo")
        return changes(form)

    monkeypatch.setattr(plan, "edit_event", note)
    monkeypatch.setattr(EventForm, "changes", meanwhile)
    office.post(page(event), typed(event, title="Mine"))

    assert expected[0] == event.seq


def test_fewer_places_than_people_are_refused(office, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    event.refresh_from_db()

    answer = office.post(page(event), typed(event, captains=0))

    assert errors(answer) == {"captains": ["1 of them are taken. Release them first."]}


@pytest.mark.parametrize("places", [-3, 21])
def test_places_are_0_to_20(office, board, event, places):
    new = office.post(f"{EVENTS}add/", typed(event, board=board.pk, captains=places))
    edited = office.post(page(event), typed(event, captains=places))

    assert [errors(answer) for answer in (new, edited)] == [{"captains": ["There can be 0 to 20 places."]}] * 2
    assert Event.objects.get().captains == 1


@pytest.fixture
def south(board, dee, event):
    """The day before, with Dee, who is on North, too."""
    made = make_event(board, "South", starts_at=SEVEN - 24 * HOUR, ends_at=FOUR - 24 * HOUR)
    for one in (event, made):
        plan.assign(one, dee, Role.CAPTAIN, by="Ana")
        one.refresh_from_db()
    return made


ONTO_SOUTH = {"starts_at_0": "2027-05-03", "ends_at_0": "2027-05-03"}


def test_new_hours_that_put_somebody_on_two_events_are_refused_until_a_reason_is_given(office, event, south):
    first = office.post(page(event), typed(event, **ONTO_SOUTH))
    stayed = Event.objects.get(pk=event.pk).starts_at
    second = office.post(page(event), typed(event, **ONTO_SOUTH, reason="Short run"), follow=True)

    [problem] = errors(first)["reason"]
    assert re.fullmatch(r"Dee is on “South” then: .+\. Say why they may be on both, and save again\.", problem)
    assert (stayed, Event.objects.get(pk=event.pk).starts_at) == (SEVEN, SEVEN - 24 * HOUR)
    assert Assignment.objects.get(event=event).override == "Short run"
    assert (history(event)[-1], event.history.last().reason) == (("edited", "root"), "Short run")
    assert said(second)[0] == "Dee is on “South” at the same time."


def test_who_gets_another_place_between_check_and_save_is_named_in_the_form(office, dee, event, south, monkeypatch):
    """The assignment commits while this request is between its check and its UPDATE."""
    show, lost = ModelAdmin.changeform_view, []
    plan.release(south, dee, by="Ana", is_staff=True)

    def lose(current, changes, *, expect, by, reason):
        lost.append(current)
        raise plan.Overlaps(dee, south)

    def show_what_was_committed(*args, **kwargs):
        if lost:
            plan.assign(south, dee, Role.CAPTAIN, by="Bo")
        return show(*args, **kwargs)

    monkeypatch.setattr(plan, "edit_event", lose)
    monkeypatch.setattr(ModelAdmin, "changeform_view", show_what_was_committed)
    answer = office.post(page(event), typed(event, **ONTO_SOUTH))

    assert (answer.status_code, len(lost), list(errors(answer))) == (200, 1, ["reason"])
    assert answer.context["adminform"].form["starts_at"].value() == ["2027-05-03", "07:00"]


def test_a_new_event_asks_for_no_reason(office):
    assert 'name="reason"' not in office.get(f"{EVENTS}add/").content.decode()


def test_a_truck_in_two_places_is_warned_of_when_an_event_is_saved(office, board, event):
    truck = Truck.objects.create(board=board, name="Big Red")
    make_event(board, "South", starts_at=SEVEN, ends_at=FOUR, truck=truck)

    edited = office.post(page(event), typed(event, truck=truck.pk), follow=True)
    new = office.post(f"{EVENTS}add/", typed(event, board=board.pk, title="West", truck=truck.pk), follow=True)

    assert "Big Red is on “South” at the same time." in said(edited)
    assert any(one.startswith("Big Red is on “") for one in said(new))


def test_somebody_gets_a_place_and_is_released_with_a_reason(office, dee, event):
    given = act(office, event, "assign", assign_member=dee.pk, assign_role="captain")
    had = people(event)
    taken = act(office, event, "release", member=dee.pk, reason="Ill")

    assert after(office, given) == ["Dee Ramos is captain of this event.", "Dee Ramos is released."]
    assert taken.url == page(event)
    assert (had, people(event)) == ([("Dee Ramos", "captain")], [])
    assert history(event)[1:] == [("assigned", "root"), ("released", "root")]
    assert event.history.last().reason == "Ill"


def test_overlaps_are_refused_until_a_reason_is_given(office, board, dee, event):
    south = make_event(board, "South", starts_at=SEVEN, ends_at=FOUR)
    plan.assign(south, dee, Role.CAPTAIN, by="Ana")

    first = act(office, event, "assign", assign_member=dee.pk, assign_role="captain")
    shown = office.get(first.url)
    second = act(office, event, "assign", assign_member=dee.pk, assign_role="captain", assign_reason="Short run")

    form = shown.context["assign_form"]
    assert first.url == f"{page(event)}?member={dee.pk}&role=captain#assign"
    assert (form["member"].value(), form["role"].value()) == (str(dee.pk), "captain")
    assert "Dee Ramos (captain and first mate), on “South” then" in dict(form.fields["member"].choices).values()
    [problem] = said(shown)
    assert problem.startswith("Dee is on “South” then: Tuesday, May 4")
    assert (second.url, Assignment.objects.get(event=event).override) == (page(event), "Short run")
    assert "Dee is on “South” at the same time." in text(office.get(page(event)))


def test_a_full_event_says_who_has_the_place(office, board, dee, event):
    plan.claim(event, make_member(board, "Al Poe"), by="Al Poe")

    answer = act(office, event, "assign", assign_member=dee.pk, assign_role="first_mate")

    [problem] = after(office, answer)
    assert re.fullmatch(r"Taken by Al \d+ s ago\.", problem)
    assert people(event) == [("Al Poe", "first_mate")]


@pytest.mark.parametrize("fields", [{}, {"assign_member": "x"}, {"assign_member": "99999"}])
def test_nobody_chosen_is_nobody_assigned(office, event, fields):
    answer = act(office, event, "assign", assign_role="captain", **fields)

    assert (after(office, answer), people(event)) == (["Choose somebody first."], [])


def test_who_asks_to_be_released_is_let_go_or_kept(office, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    plan.release(event, dee, by="Dee", reason="Dentist")
    asked = text(office.get(page(event)))
    listed = office.get(EVENTS, {"when": "asked"})

    act(office, event, "decline", member=dee.pk)

    assert "Asked to be released 0 s ago: Dentist" in asked
    assert [row.title for row in listed.context["cl"].result_list] == ["North"]
    assert (people(event), history(event)[-1]) == ([("Dee Ramos", "captain")], ("release_declined", "root"))
    assert list(office.get(EVENTS, {"when": "asked"}).context["cl"].result_list) == []


def test_the_page_says_who_has_seen_the_plan(office, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    event.refresh_from_db()
    before = text(office.get(page(event)))
    plan.seen(dee, {event.uid: event.seq})
    at = moment_in_words(Assignment.objects.get().seen_at, event.board.zone)
    seen = text(office.get(page(event)))
    plan.edit_event(event, {"notes": "Boots"}, expect=event.seq, by="Ana")

    assert "○ has not seen it yet" in before
    assert f"✓ has seen it, {at}" in seen
    assert f"○ has not seen the last change (looked {at})" in text(office.get(page(event)))


def test_jobs_are_put_in_moved_and_taken_out(office, board, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    one, two, three = (make_job(board, status="scheduled", location=f"{n} Elm St") for n in (1, 2, 3))
    put = partial(act, office, event, "put")

    put(put_job=one.uid)
    put(put_job=two.uid)
    put(put_job=three.uid, put_before=one.uid)
    first = in_order(event)
    buttons = office.get(page(event)).context["crew"]["jobs"]
    put(put_job=one.uid, put_before=buttons[1]["down"])
    second = in_order(event)
    act(office, event, "take-out", put_job=three.uid)

    assert first == ["3 Elm St", "1 Elm St", "2 Elm St"]
    assert [(job["up"], job["down"]) for job in buttons] == [(None, two.uid), (three.uid, ""), (one.uid, None)]
    assert second == ["3 Elm St", "2 Elm St", "1 Elm St"]
    assert in_order(event) == ["2 Elm St", "1 Elm St"]
    assert [Job.objects.get(pk=job.pk).crew for job in (one, two, three)] == [["Dee Ramos"], ["Dee Ramos"], []]


def test_the_jobs_to_choose_from_are_open_and_not_in_the_event(office, board, event):
    day = {"window_start": SEVEN, "window_end": SEVEN + timedelta(hours=2)}
    make_job(board, status="scheduled", location="1 That Day", **day)
    make_job(board, status="scheduled", location="2 Other Day")
    make_job(board, status="cancelled", location="3 Cancelled")
    plan.put_job(make_job(board, status="scheduled", location="4 In It", **day), event, by="Ana")
    plan.put_job(make_job(board, location="5 Elsewhere"), make_event(board, "South"), by="Ana")

    choices = office.get(page(event)).context["put_form"].fields["job"].choices

    groups = {title: [label for _, label in jobs] for title, jobs in choices[1:]}
    assert groups == {
        "That day": ["1 That Day · Tuesday, May 4, 7:00 AM – 9:00 AM MDT · Scheduled"],
        "Another day, or not set": [
            "2 Other Day · no time set · Scheduled",
            "5 Elsewhere · no time set · Requested · now in “South”",
        ],
    }


def test_no_job_to_choose_is_also_one_to_stand_before(office, board, event):
    plan.put_job(make_job(board, location="1 In It"), event, by="Ana")
    make_job(board, location="2 Not In It")

    fields = office.get(page(event)).context["put_form"].fields

    jobs = {uid for _, group in fields["job"].choices[1:] for uid, _ in group}
    before = {uid for uid, _ in fields["before"].choices if uid}
    assert (len(jobs), len(before), jobs & before) == (1, 1, set())


def test_a_job_that_was_put_elsewhere_meanwhile_is_not_taken_out(office, board, event):
    job, south = make_job(board), make_event(board, "South")
    plan.put_job(job, south, by="Bo")

    answer = act(office, event, "take-out", put_job=job.uid)

    assert after(office, answer) == ["1428 Elm St is not in this event any more."]
    assert in_order(south) == ["1428 Elm St"]


def test_nul_which_postgresql_takes_in_no_text_is_left_out_of_what_was_posted(office, board, dee, event):
    south, job, other = make_event(board, "South", starts_at=SEVEN, ends_at=FOUR), make_job(board), make_job(board)
    plan.assign(south, dee, Role.CAPTAIN, by="Ana")
    acts = (
        ("assign", {"assign_member": f"{dee.pk}\0", "assign_role": "cap\0tain", "assign_reason": "a\0b"}),
        ("decline", {"member": f"{dee.pk}\0", "reason": "a\0b"}),
        ("release", {"member": f"{dee.pk}\0", "reason": "a\0b"}),
        ("put", {"put_job": f"{other.uid}\0"}),
        ("put", {"put_job": f"\0{job.uid}", "put_before": f"{other.uid}\0"}),
        ("take-out", {"put_job": f"{other.uid}\0"}),
        ("cancel", {"reason": "a\0b"}),
    )
    for what, fields in acts:
        if what == "decline":
            plan.release(event, dee, by="Dee", reason="Dentist")
        assert act(office, event, what, **fields).status_code == 302

    assert [(step.what, step.reason) for step in event.history.order_by("pk")][1:] == [
        ("assigned", "ab"), ("release_asked", "Dentist"), ("release_declined", "ab"),
        ("released", "ab"), ("planned", ""), ("planned", ""), ("planned", ""), ("cancelled", "ab"),
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["assign", "release", "decline", "cancel", "put", "take-out"])
def test_no_act_falls_over_a_nul(office, event, what):
    names = ("assign_member", "assign_role", "assign_reason", "member", "reason", "put_job", "put_before")

    answer = act(office, event, what, **dict.fromkeys(names, "a\0b"))

    assert answer.status_code == 302
    assert "\0" not in "".join(event.history.values_list("reason", flat=True))


def test_cancelling_needs_a_reason_and_frees_people_and_jobs(office, board, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    plan.put_job(make_job(board), event, by="Ana")

    without = act(office, event, "cancel", reason="  ")
    refused = after(office, without)
    act(office, event, "cancel", reason="Snow")

    event.refresh_from_db()
    assert refused == ["Cancelling an event needs a reason."]
    assert (event.cancelled_because, people(event), in_order(event)) == ("Snow", [], [])
    assert history(event)[-1] == ("cancelled", "root")


def test_what_is_over_is_not_cancelled(office, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    before = text(office.get(page(event)))
    now = timezone.now()
    Event.objects.update(starts_at=now - 9 * HOUR, ends_at=now - HOUR)

    refused = act(office, event, "cancel", reason="Snow")

    assert after(office, refused) == ["“North” is over. It cannot be cancelled any more."]
    assert (people(event), Event.objects.get().cancelled_at) == ([("Dee Ramos", "captain")], None)
    assert ["Cancel this event" in shown for shown in (before, text(office.get(page(event))))] == [True, False]


def test_a_cancelled_event_is_only_to_look_at(office, dee, event):
    plan.cancel_event(event, by="Ana", reason="Snow")
    event.refresh_from_db()

    shown = office.get(page(event))
    saved = office.post(page(event), typed(event, title="Again"))
    assigned = act(office, event, "assign", assign_member=dee.pk, assign_role="captain")

    assert "This event is cancelled: Snow" in text(shown)
    assert (shown.context["has_change_permission"], "assign_form" in shown.context) == (False, False)
    assert re.findall(r"<form[^>]*act/", shown.content.decode()) == []
    assert saved.status_code == 403
    assert after(office, assigned) == ["“North” is cancelled."]
    assert (Event.objects.get().title, people(event)) == ("North", [])


def test_an_event_that_is_cancelled_while_it_is_saved_says_so(office, event, monkeypatch):
    edit = plan.edit_event

    def slower(*args, **kwargs):
        plan.cancel_event(event, by="Bo", reason="Snow")
        return edit(*args, **kwargs)

    monkeypatch.setattr(plan, "edit_event", slower)
    answer = office.post(page(event), typed(event, title="Mine"))

    assert (answer.status_code, answer.url) == (302, page(event))
    assert after(office, answer) == ["“North” is cancelled."]


def test_the_history_of_an_event_is_in_words_latest_first(office, board, dee, event):
    plan.put_job(make_job(board), event, by="Ana")
    plan.claim(event, dee, by="Dee Ramos")
    plan.release(event, dee, by="Ana", reason="Ill", is_staff=True)

    lines = office.get(page(event)).context["crew"]["history"]

    assert [(line["what"], line["more"], line["step"].by, line["step"].reason) for line in lines] == [
        ("Released", "First mate", "Ana", "Ill"),
        ("Claimed", "First mate", "Dee Ramos", ""),
        ("Jobs changed", "1428 Elm St: put in", "Ana", ""),
        ("Opened", "", "Ana", ""),
    ]


def test_every_step_of_the_plan_has_words():
    """The steps are the second argument of `note`; who takes a place claims it or is given it."""
    calls = [node for node in ast.walk(ast.parse(Path(plan.__file__).read_text())) if isinstance(node, ast.Call)]
    noted = [call.args[1] for call in calls if ast.unparse(call.func) == "note"]
    steps = {argument.value for argument in noted if isinstance(argument, ast.Constant)}

    assert steps | {"claimed", "assigned"} == set(STEPS)


def test_the_page_of_an_event_costs_the_same_with_more_jobs_and_history(
    office, board, event, django_assert_max_num_queries
):
    for number in range(12):
        plan.put_job(make_job(board, location=f"{number} Elm St"), event, by="Ana")

    with django_assert_max_num_queries(32):
        office.get(page(event))


# --- who may


def denied(client: Client, event: Event, dee: Member, device: Device) -> dict[str, int]:
    return {
        what: answer.status_code
        for what, answer in {
            "member": client.post(member_page(dee), written(dee, name="X")),
            "new member": client.post(f"{MEMBERS}add/", written(dee, name="X")),
            "link": client.post(f"{MEMBERS}{dee.pk}/link/"),
            "revoke": client.post(f"{MEMBERS}{dee.pk}/revoke/", {"device": device.pk}),
            "leave": client.post(f"{MEMBERS}{dee.pk}/leave/"),
            "event": client.post(page(event), typed(event, title="X")),
            "new event": client.post(f"{EVENTS}add/", typed(event)),
            **{
                what: act(client, event, what, member=dee.pk, assign_member=dee.pk, assign_role="captain", reason="X")
                for what in ("assign", "release", "decline", "cancel", "put", "take-out")
            },
        }.items()
    }


@pytest.mark.parametrize("permissions", [(), ("view_member", "view_event"), ("change_shift", "change_crewchange")])
def test_who_may_not_change_changes_nothing(dee, event, permissions):
    device = Device.objects.create(member=dee, secret="1")
    client = staff("sam", *permissions)

    codes = denied(client, event, dee, device)

    device.refresh_from_db()
    assert set(codes.values()) == {403}
    assert (Member.objects.get().name, Event.objects.get().title) == ("Dee Ramos", "North")
    assert (device.revoked_at, SignInLink.objects.count(), history(event)) == (None, 0, [("opened", "Ana")])


@pytest.mark.parametrize(
    ("path", "needs"),
    [
        (MEMBERS, "view_member"),
        (EVENTS, "view_event"),
        (f"{EVENTS}calendar/", "view_event"),
        (SHIFTS, "view_shift"),
        (f"{SHIFTS}csv/", "view_shift"),
        ("/admin/crew/crewchange/", "view_crewchange"),
        ("/admin/crew/firstmateclaim/", "view_firstmateclaim"),
        ("/admin/crew/truck/", "view_truck"),
    ],
)
def test_looking_needs_the_permission_to_look(board, path, needs):
    may, may_not = staff("may", needs), staff("may-not", "view_assignment")

    assert (may.get(path).status_code, may_not.get(path).status_code) == (200, 403)


def test_who_only_looks_has_no_buttons(watcher, dee, event):
    plan.assign(event, dee, Role.CAPTAIN, by="Ana")
    Device.objects.create(member=dee, secret="1", name="Safari on iPhone")

    pages = [watcher.get(path).content.decode() for path in (page(event), member_page(dee))]

    assert [re.findall(r"<form[^>]*/(?:act|link|revoke)/", one) for one in pages] == [[], []]
    assert ("Dee Ramos" in pages[0], "Safari on iPhone" in pages[1]) == (True, True)


def test_who_may_change_events_may_not_sign_in_as_a_member(dee, event):
    client = staff("bo", "view_event", "change_event", "view_member")

    answer = act(client, event, "assign", assign_member=dee.pk, assign_role="captain")

    assert (answer.status_code, people(event)) == (302, [("Dee Ramos", "captain")])
    assert client.post(f"{MEMBERS}{dee.pk}/link/").status_code == 403


@pytest.mark.parametrize("model", [Member, Truck, Event, FirstMateClaim, CrewChange, Shift])
def test_nothing_is_deleted(rf, admin, model):
    request = rf.get("/")
    request.user = admin

    assert site.get_model_admin(model).has_delete_permission(request) is False
    assert "delete_selected" not in site.get_model_admin(model).get_actions(request)


@pytest.mark.parametrize("model", [FirstMateClaim, CrewChange, Shift])
def test_what_happened_is_only_to_look_at(rf, admin, model):
    request = rf.get("/")
    request.user = admin
    model_admin = site.get_model_admin(model)

    assert (model_admin.has_add_permission(request), model_admin.has_change_permission(request)) == (False, False)


def test_an_act_that_does_not_exist_is_not_found(office, event):
    assert act(office, event, "explode").status_code == 404
    assert office.get(f"{EVENTS}{event.pk}/act/cancel/").status_code == 405


# --- lists of what happened


def test_claims_and_changes_are_lists_in_words(watcher, dee, event):
    plan.claim(event, dee, by="Dee Ramos")
    plan.release(event, dee, by="Ana", reason="Ill", is_staff=True)
    [claim] = FirstMateClaim.objects.all()

    claims = text(watcher.get("/admin/crew/firstmateclaim/"))
    changes = text(watcher.get("/admin/crew/crewchange/"))
    one = text(watcher.get(f"/admin/crew/crewchange/{CrewChange.objects.last().pk}/change/"))

    assert ("Dee Ramos" in claims, "Ill" in claims) == (True, True)
    assert changes.index("Released") < changes.index("Claimed") < changes.index("Opened")
    assert "First mate" in one
    assert watcher.get(f"/admin/crew/firstmateclaim/{claim.pk}/change/").status_code == 200


# --- hours


@pytest.fixture
def shifts(board, dee):
    """In the week of Sunday, May 3: eight hours and, over midnight, two and a half. In the week before: four."""
    zone = board.zone
    for start, hours in (
        (datetime(2026, 5, 4, 7, tzinfo=zone), 8),
        (datetime(2026, 5, 9, 23, tzinfo=zone), 2.5),
        (datetime(2026, 5, 2, 23, 30, tzinfo=zone), 4),
    ):
        began = start.astimezone(UTC)
        Shift.objects.create(member=dee, started_at=began, started_device_at=began, ended_at=began + timedelta(hours=hours))


def summed(answer) -> list[tuple]:
    return [(total.member, total.words, round(total.hours, 2), total.is_at_work) for total in answer.context["totals"]]


def test_hours_are_summed_by_member_for_this_week_until_another_one_is_chosen(office, shifts, board, time_machine):
    bo = make_member(board, "Bo Lee")
    Shift.objects.create(member=bo, started_at=datetime(2026, 5, 8, 14, tzinfo=UTC))
    time_machine.move_to(datetime(2026, 5, 8, 15, 30, tzinfo=UTC), tick=False)

    this, before, after = (office.get(SHIFTS, week) for week in ({}, {"week": "2026-04-26"}, {"week": "2026-05-10"}))

    assert summed(this) == [
        ("Bo Lee", "May 3 – May 9, 2026", 1.5, True),
        ("Dee Ramos", "May 3 – May 9, 2026", 10.5, False),
    ]
    assert summed(before) == [("Dee Ramos", "Apr 26 – May 2, 2026", 4.0, False)]
    assert summed(after) == []
    assert len(this.context["cl"].result_list) == 4


def test_the_list_of_hours_reads_the_rows_of_a_page_and_of_a_week(
    office, shifts, dee, time_machine, django_assert_max_num_queries
):
    Shift.objects.bulk_create(
        Shift(member=dee, started_at=SEVEN - timedelta(days=day), ended_at=FOUR - timedelta(days=day))
        for day in range(400, 700)
    )
    time_machine.move_to(datetime(2026, 5, 9, 12, tzinfo=UTC), tick=False)
    read = []

    def note(sender, instance, **kwargs):
        read.append(instance.pk)

    post_init.connect(note, sender=Shift)
    try:
        with django_assert_max_num_queries(14):
            answer = office.get(SHIFTS)
    finally:
        post_init.disconnect(note, sender=Shift)

    assert ([total.member for total in answer.context["totals"]], len(read)) == (["Dee Ramos"], 100 + 2)


def test_a_week_is_one_of_the_board(office, shifts):
    answer = office.get(SHIFTS, {"week": "2026-05-03"})

    assert [round(total.hours, 2) for total in answer.context["totals"]] == [10.5]
    assert len(answer.context["cl"].result_list) == 2


def test_a_shift_belongs_to_the_week_in_which_it_was_worked_though_it_was_sent_later(office, board, dee):
    saturday, monday = (datetime(2026, 5, day, 8, tzinfo=board.zone) for day in (9, 11))
    Shift.objects.create(
        member=dee, started_at=monday, started_device_at=saturday, ended_at=monday, ended_device_at=saturday + HOUR
    )

    worked, sent = (office.get(SHIFTS, {"week": sunday}) for sunday in ("2026-05-03", "2026-05-10"))

    assert summed(worked) == [("Dee Ramos", "May 3 – May 9, 2026", 1.0, False)]
    assert (summed(sent), len(sent.context["cl"].result_list)) == ([], 0)


@pytest.mark.parametrize("week", ["x", "9999-12-31", "2026-13-01"])
def test_a_week_that_is_none_leads_back_to_the_list(office, shifts, week):
    assert office.get(SHIFTS, {"week": week}).url == f"{SHIFTS}?e=1"
    assert office.get(f"{SHIFTS}csv/", {"week": week}).url == SHIFTS


def test_hours_as_a_file_are_those_of_the_list(office, shifts):
    answer = office.get(f"{SHIFTS}csv/", {"week": "2026-04-26"})

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="hours-')
    assert list(csv.reader(io.StringIO(answer.content.decode()))) == [
        [
            "Week from", "Member", "From", "Until", "Hours", "Counted",
            "Phone said from", "Phone said until", "Reached us from", "Reached us until",
        ],
        [
            "2026-04-26", "Dee Ramos", "2026-05-02 23:30-0600", "2026-05-03 03:30-0600", "4.00", "by our clock",
            "2026-05-02 23:30-0600", "", "2026-05-02 23:30-0600", "2026-05-03 03:30-0600",
        ],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)"])
def test_a_name_is_no_formula_in_a_spreadsheet(office, board, name):
    member = make_member(board, name, email="x@example.com")
    Shift.objects.create(member=member, started_at=SEVEN, ended_at=FOUR)

    [_, row] = csv.reader(io.StringIO(office.get(f"{SHIFTS}csv/").content.decode()))

    assert row[1] == f"'{name}"


def test_a_day_without_a_signal_is_paid_by_the_phone_and_both_clocks_are_shown(office, dee):
    sent = FOUR + HOUR
    Shift.objects.create(
        member=dee, started_at=sent, started_device_at=SEVEN, ended_at=sent + timedelta(seconds=36), ended_device_at=FOUR
    )

    page = text(office.get(SHIFTS))
    [_, row] = csv.reader(io.StringIO(office.get(f"{SHIFTS}csv/").content.decode()))

    assert row == [
        "2027-05-02", "Dee Ramos", "2027-05-04 07:00-0600", "2027-05-04 16:00-0600", "9.00", "by the phone, sent later",
        "2027-05-04 07:00-0600", "2027-05-04 16:00-0600", "2027-05-04 17:00-0600", "2027-05-04 17:00-0600",
    ]  # fmt: skip
    assert "9.00 by the phone, sent later from: the phone said Tue, May 4, 7:00 AM MDT, it reached us" in page
    assert "until: the phone said Tue, May 4, 4:00 PM MDT, it reached us Tue, May 4, 5:00 PM MDT" in page


def test_each_end_of_a_shift_says_which_clock_counted(office, dee):
    Shift.objects.create(member=dee, started_at=SEVEN, started_device_at=SEVEN - HOUR, ended_at=FOUR, ended_device_at=FOUR)

    assert "from by the phone, sent later; until by our clock" in text(office.get(SHIFTS))


def test_a_clock_that_is_ahead_does_not_count_and_is_shown(office, dee):
    Shift.objects.create(member=dee, started_at=SEVEN, started_device_at=SEVEN + HOUR, ended_at=FOUR)
    [shift] = Shift.objects.all()

    page = text(office.get(f"{SHIFTS}{shift.pk}/change/"))

    assert ("9.00" in page, "by our clock" in page) == (True, True)
    assert "from: the phone said Tue, May 4, 8:00 AM MDT, it reached us Tue, May 4, 7:00 AM MDT" in page
