import pytest
from django.core.exceptions import ValidationError

from crew import plan
from crew.models import Assignment, CrewChange, FirstMateClaim, Roster, Truck
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
