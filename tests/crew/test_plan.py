from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crew import plan
from crew.models import Assignment, CrewChange, Event, FirstMateClaim, Roster, Truck
from dispatch import flow
from dispatch.rules import Refused
from tests.crew.factories import make_event, make_member
from tests.factories import make_job


def test_a_claim_gives_the_place_and_names_the_crew_in_the_jobs(board):
    event, dee, job = make_event(board), make_member(board), make_job(board)
    plan.put_job(job, event, by="Ana")
    before = job.seq

    claim, is_new = plan.claim(event, dee, by="Dee Ramos")

    job.refresh_from_db()
    event.refresh_from_db()
    assert (is_new, claim.role, claim.place, event.first_mates_taken) == (True, "first_mate", 1, 1)
    assert (job.crew, job.seq > before) == (["Dee Ramos"], True)
    assert [step.what for step in CrewChange.objects.all()] == ["opened", "planned", "claimed"]
    assert event.seq == Roster.objects.seq_of(board) == 3


def test_the_second_reads_who_was_first(board):
    event, dee, sam = make_event(board), make_member(board), make_member(board, "Sam Oak")
    plan.claim(event, dee, by="Dee")

    with pytest.raises(plan.Taken, match=r"^Taken by Dee 0 s ago$"):
        plan.claim(event, sam, by="Sam")
    assert FirstMateClaim.objects.count() == 1
    assert plan.claim(event, dee, by="Dee") == (Assignment.objects.get(), False)


def test_nobody_is_in_two_places_at_once_unless_the_office_says_why(board):
    one, other = make_event(board), make_event(board, "Same day, south")
    dee = make_member(board, can_captain=True)
    plan.claim(one, dee, by="Dee")

    with pytest.raises(plan.Overlaps, match="Dee is on “Tuesday, north” then: "):
        plan.claim(other, dee, by="Dee")
    made, _ = plan.assign(other, dee, "captain", by="Ana", reason="Half a day each.")

    assert made.override == "Half a day each."
    assert plan.warnings(other) == ["Dee is on “Tuesday, north” at the same time."]


def test_a_place_that_is_given_back_can_be_claimed_again(board):
    event, dee, sam, job = make_event(board), make_member(board), make_member(board, "Sam Oak"), make_job(board)
    plan.put_job(job, event, by="Ana")
    plan.claim(event, dee, by="Dee")

    released = plan.release(event, dee, by="Dee", reason="Dentist.")
    plan.claim(event, sam, by="Sam")

    job.refresh_from_db()
    assert (released.ended_because, released.ended_by) == ("Dentist.", "Dee")
    assert (job.crew, Assignment.objects.count(), Assignment.objects.present().get().place) == (["Sam Oak"], 2, 1)


def test_past_the_cut_off_the_office_decides(board):
    event, dee = make_event(board, days=0.1), make_member(board)
    plan.claim(event, dee, by="Dee")

    asked = plan.release(event, dee, by="Dee", reason="Ill.")
    still = Assignment.objects.present().get()
    plan.release(event, dee, by="Ana", is_staff=True)

    assert (asked.release_reason, asked.ended_at, still.member) == ("Ill.", None, dee)
    assert not Assignment.objects.present().exists()


def test_a_cancelled_event_frees_its_people_and_its_jobs(board):
    event, dee, job = make_event(board), make_member(board), make_job(board)
    plan.put_job(job, event, by="Ana")
    plan.claim(event, dee, by="Dee")

    plan.cancel_event(event, by="Ana", reason="Snow.")

    job.refresh_from_db()
    event.refresh_from_db()
    assert (job.crew, event.first_mates_taken, event.cancelled_because) == ([], 0, "Snow.")
    assert not Assignment.objects.present().exists()
    assert not event.outings.exists()


def test_jobs_keep_the_order_in_which_they_are_put(board):
    event, other = make_event(board), make_event(board, "South", days=3)
    a, b, c = (make_job(board, location=name) for name in "ABC")
    for job in (a, b, c):
        plan.put_job(job, event, by="Ana")

    plan.put_job(c, event, by="Ana", before=a.uid)
    plan.put_job(b, other, by="Ana")

    assert [(one.job.location, one.place) for one in event.outings.all()] == [("C", 1), ("A", 2)]
    assert [one.job.location for one in other.outings.all()] == ["B"]


def test_a_new_name_follows_in_the_jobs(board):
    event, dee, job = make_event(board), make_member(board), make_job(board)
    plan.put_job(job, event, by="Ana")
    plan.claim(event, dee, by="Dee")
    dee.name = "Dee Ortiz"
    dee.save()

    plan.renamed(dee, by="Ana")

    job.refresh_from_db()
    assert job.crew == ["Dee Ortiz"]


def test_a_cancelled_event_warns_nobody(board):
    truck = Truck.objects.create(board=board, name="Big Red")
    one, other = make_event(board, truck=truck), make_event(board, "South", truck=truck)
    before = plan.warnings(other)

    plan.cancel_event(other, by="Ana", reason="Snow.")
    other.refresh_from_db()

    assert before == ["Big Red is on “Tuesday, north” at the same time."]
    assert (plan.warnings(one), plan.warnings(other)) == ([], [])


def test_a_crew_that_was_typed_by_hand_stays_until_a_plan_says_otherwise(board):
    job = make_job(board, crew=["Pat"])

    plan.put_job(job, None, by="Ana")

    job.refresh_from_db()
    assert job.crew == ["Pat"]


def test_a_new_name_passes_by_what_is_cancelled_in_the_meantime(board, monkeypatch):
    gone, event = make_event(board), make_event(board, "South", days=3)
    dee, job = make_member(board), make_job(board)
    plan.put_job(job, event, by="Ana")
    for one in (gone, event):
        plan.claim(one, dee, by="Dee")
    dee.name = "Dee Ortiz"
    dee.save()
    locked = plan._locked

    def cancelled_first(one):
        if one == gone:
            raise Refused("cancelled", "It is cancelled.")
        return locked(one)

    monkeypatch.setattr(plan, "_locked", cancelled_first)
    plan.renamed(dee, by="Ana")

    job.refresh_from_db()
    assert job.crew == ["Dee Ortiz"]


def test_a_job_in_front_of_itself_stays_where_it_is(board):
    event, jobs = make_event(board), [make_job(board, location=name) for name in "AB"]
    for job in jobs:
        plan.put_job(job, event, by="Ana")

    plan.put_job(jobs[0], event, by="Ana", before=jobs[0].uid)

    assert [one.job.location for one in event.outings.all()] == ["A", "B"]


@pytest.mark.parametrize(("status", "names"), [("cancelled", ["Dee Ramos"]), ("completed", [])])
def test_a_job_that_may_be_opened_again_has_the_crew_of_now_and_a_done_one_who_did_it(board, status, names):
    event, dee, job = make_event(board), make_member(board), make_job(board, status="in_progress")
    plan.put_job(job, event, by="Ana")
    job.refresh_from_db()
    if status == "cancelled":
        job = flow.move(job, "ready_for_pickup", expect=job.seq, by="Ana", channel="board")
    flow.move(job, status, expect=job.seq, by="Ana", channel="board", reason="No need.")

    plan.claim(event, dee, by="Dee")

    job.refresh_from_db()
    assert job.crew == names


def test_an_event_is_an_outing_and_not_a_season(board):
    with pytest.raises(ValidationError, match="An event takes 3 days at most"):
        make_event(board, hours=73)


# --- new hours


def onto(event: Event, other: Event, *, reason: str = "") -> Event:
    """Moves an event onto the hours of another one."""
    hours = {"starts_at": other.starts_at, "ends_at": other.ends_at}
    return plan.edit_event(event, hours, expect=Event.objects.get(pk=event.pk).seq, by="Ana", reason=reason)


@pytest.fixture
def monday(board):
    return make_event(board, "Monday", days=2, captains=2, first_mates=2)


@pytest.fixture
def tuesday(board):
    return make_event(board, "Tuesday", days=3, captains=2, first_mates=2)


def test_new_hours_put_nobody_in_two_places_at_once(board, monday, tuesday):
    dee, sam, bo = (make_member(board, name) for name in ("Dee Ramos", "Sam Oak", "Bo Lee"))
    for event, member in ((monday, dee), (monday, sam), (tuesday, dee), (tuesday, bo)):
        plan.claim(event, member, by=member.name)

    with pytest.raises(plan.Overlaps, match=r"^Dee is on “Monday” then: [^;]+$") as refused:
        onto(tuesday, monday)

    assert refused.value.other == monday
    assert Event.objects.get(pk=tuesday.pk).starts_at == tuesday.starts_at
    assert tuesday.history.last().what == "claimed"


def test_everybody_who_is_elsewhere_then_is_named(board, monday, tuesday):
    for name in ("Sam Oak", "Dee Ramos"):
        for event in (monday, tuesday):
            plan.claim(event, make_member(board, name) if event == monday else monday.assignments.last().member, by=name)

    with pytest.raises(plan.Overlaps, match=r"^Dee is on “Monday” then: .+; Sam is on “Monday” then: .+$"):
        onto(tuesday, monday)


def test_a_reason_for_new_hours_stays_with_those_who_are_in_two_places(board, monday, tuesday):
    dee, bo = make_member(board), make_member(board, "Bo Lee")
    for event, member in ((monday, dee), (tuesday, dee), (tuesday, bo)):
        plan.claim(event, member, by=member.name)

    moved = onto(tuesday, monday, reason=" Half a day each. ")

    assert (moved.starts_at, moved.ends_at) == (monday.starts_at, monday.ends_at)
    assert dict(tuesday.assignments.values_list("member__name", "override")) == {
        "Dee Ramos": "Half a day each.", "Bo Lee": "",
    }  # fmt: skip
    assert monday.assignments.get().override == ""
    assert (tuesday.history.last().what, tuesday.history.last().reason) == ("edited", "Half a day each.")


def test_a_reason_that_nobody_needs_is_not_kept(board, monday, tuesday):
    plan.claim(tuesday, make_member(board), by="Dee Ramos")

    onto(tuesday, monday, reason="Just in case.")

    assert (tuesday.assignments.get().override, tuesday.history.last().reason) == ("", "")


def test_an_overlap_that_was_there_is_no_news(board, monday):
    other, dee = make_event(board, "South", days=2), make_member(board)
    plan.claim(monday, dee, by="Dee")
    plan.assign(other, dee, "first_mate", by="Ana", reason="Half a day each.")

    earlier = {"ends_at": other.ends_at - timedelta(hours=2)}
    plan.edit_event(other, earlier, expect=Event.objects.get(pk=other.pk).seq, by="Bo")

    assert (other.assignments.get().override, other.history.last().reason) == ("Half a day each.", "")


@pytest.mark.parametrize("gone", ["released", "cancelled", "next to it"])
def test_who_is_nowhere_else_then_comes_along(board, monday, tuesday, gone):
    dee = make_member(board)
    for event in (monday, tuesday):
        plan.claim(event, dee, by="Dee")
    if gone == "released":
        plan.release(monday, dee, by="Dee")
    elif gone == "cancelled":
        plan.cancel_event(monday, by="Ana", reason="Snow.")
    hours = {"starts_at": monday.ends_at, "ends_at": monday.ends_at + timedelta(hours=1)}
    if gone != "next to it":
        hours = {"starts_at": monday.starts_at, "ends_at": monday.ends_at}

    moved = plan.edit_event(tuesday, hours, expect=Event.objects.get(pk=tuesday.pk).seq, by="Ana")

    assert moved.starts_at == hours["starts_at"]


def test_other_facts_ask_nobody_where_they_are(board, monday):
    other, dee = make_event(board, "South", days=2), make_member(board)
    plan.claim(monday, dee, by="Dee")
    plan.assign(other, dee, "first_mate", by="Ana", reason="Half a day each.")

    plan.edit_event(other, {"notes": "Gate 4."}, expect=Event.objects.get(pk=other.pk).seq, by="Ana")

    assert other.history.last().what == "edited"


def test_members_are_locked_before_their_other_places_are_looked_up(board, monday, tuesday):
    """In the order of their keys, and after the event, as everywhere."""
    members = [make_member(board, name) for name in ("Dee Ramos", "Al Poe")]
    for member in members:
        plan.claim(tuesday, member, by=member.name)

    with CaptureQueriesContext(connection) as queries:
        onto(tuesday, monday)

    texts = [query["sql"] for query in queries]
    written = [at for at, sql in enumerate(texts) if sql.startswith('UPDATE "crew_member"')]
    event = next(at for at, sql in enumerate(texts) if sql.startswith('UPDATE "crew_event"') and "starts_at" in sql)
    looked = next(at for at, sql in enumerate(texts) if "crew_assignment" in sql and " IN (SELECT" in sql)
    assert [texts[at].endswith(f'"id" = {member.pk}') for at, member in zip(written, members, strict=True)] == [True, True]
    assert event < written[0] < written[1] < looked


def test_a_truck_in_two_places_is_warned_of_and_moves(board, monday, tuesday):
    truck = Truck.objects.create(board=board, name="Big Red")
    for event in (monday, tuesday):
        plan.edit_event(event, {"truck": truck}, expect=event.seq, by="Ana")
    before = plan.warnings(Event.objects.get(pk=tuesday.pk))

    moved = onto(tuesday, monday)

    assert (before, plan.warnings(moved)) == ([], ["Big Red is on “Monday” at the same time."])


def test_a_truck_that_is_not_in_use_gets_no_new_events(board, monday):
    truck = Truck.objects.create(board=board, name="Big Red")
    kept = make_event(board, "Kept", truck=truck)
    Truck.objects.update(is_active=False)
    truck.refresh_from_db()

    for change in (lambda: make_event(board, "New", truck=truck),
                   lambda: plan.edit_event(monday, {"truck": truck}, expect=monday.seq, by="Ana")):  # fmt: skip
        with pytest.raises(ValidationError) as refused:
            change()
        assert refused.value.message_dict == {"truck": ["Big Red is not in use. It gets no new events."]}
    edited = plan.edit_event(kept, {"title": "Kept on", "truck": truck}, expect=kept.seq, by="Ana")

    assert (edited.title, edited.truck, Event.objects.count()) == ("Kept on", truck, 2)


@pytest.mark.parametrize("places", [-3, 21])
def test_places_are_0_to_20(board, monday, places):
    for change in (lambda: make_event(board, "New", captains=places),
                   lambda: plan.edit_event(monday, {"captains": places}, expect=monday.seq, by="Ana")):  # fmt: skip
        with pytest.raises(ValidationError) as refused:
            change()
        assert refused.value.message_dict == {"captains": ["There can be 0 to 20 places."]}


def test_what_is_over_keeps_its_crew_and_its_jobs(board, time_machine):
    event, dee, job = make_event(board), make_member(board), make_job(board)
    plan.put_job(job, event, by="Ana")
    plan.claim(event, dee, by="Dee")
    time_machine.move_to(event.ends_at, tick=False)

    with pytest.raises(Refused, match=r"^“Tuesday, north” is over\. It cannot be cancelled any more\.$") as refused:
        plan.cancel_event(event, by="Ana", reason="Snow.")

    job.refresh_from_db()
    assert (refused.value.code, job.crew, event.outings.count()) == ("over", ["Dee Ramos"], 1)
    assert (event.assignments.present().count(), event.history.last().what) == (1, "claimed")
