"""What the office does with events over HTTP."""

import pytest

from crew import plan
from crew.models import CrewChange, Event, Outing, Truck
from dispatch.models import Answer, Board
from tests.crew.factories import make_event, make_member
from tests.crew.phones import code, send
from tests.factories import make_job

NOW = "2026-05-04T18:00:00Z"
SHOWN = "2026-05-04T18:00:00.000Z"


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board)


@pytest.fixture
def sam(board):
    return make_member(board, "Sam Oak", can_captain=True)


@pytest.fixture
def event(board):
    return make_event(board)


def steps(event):
    return [(step.what, step.by, step.reason) for step in event.history.order_by("pk")]


# --- opening and editing


def test_the_office_opens_an_event(ana, board):
    Truck.objects.create(board=board, name="Big Red")
    facts = {
        "board": "main", "title": "South", "start": "2026-05-06T08:00:00-06:00", "end": "2026-05-06T16:00:00-06:00",
        "truck": "Big Red", "captains": 1, "firstMates": 2, "notes": "Meet at the yard.",
    }  # fmt: skip

    answer = send(ana, "POST", "/events", facts)

    assert answer.status_code == 201
    assert answer.json() == {
        "event": {
            "id": Event.objects.get().uid, "seq": 1, "title": "South", "start": "2026-05-06T14:00:00.000Z",
            "end": "2026-05-06T22:00:00.000Z", "day": "2026-05-06", "truck": "Big Red", "status": "open", "jobCount": 0,
            "captains": {"places": 1, "people": []}, "firstMates": {"places": 2, "people": []}, "you": None,
            "notes": "Meet at the yard.", "jobs": [], "warnings": [],
        }
    }  # fmt: skip
    assert steps(Event.objects.get()) == [("opened", "Ana Ruiz", "")]


def test_an_event_opened_twice_with_one_key_is_one(ana, board):
    facts = {"title": "South", "start": "2026-05-06T14:00:00Z", "end": "2026-05-06T22:00:00Z"}

    first, again = (send(ana, "POST", "/events", facts, key="8c4f") for _ in range(2))

    assert (first.json(), first.status_code, again.status_code) == (again.json(), 201, 201)
    assert (Event.objects.count(), Answer.objects.count()) == (1, 1)


def test_what_is_wrong_with_an_event_stands_beside_its_key(ana, board):
    Truck.objects.create(board=Board.objects.create(slug="other", name="Other"), name="Abroad")
    Truck.objects.create(board=board, name="Sold", is_active=False)
    hours = {"start": "2026-05-06T14:00:00Z", "end": "2026-05-06T13:00:00Z"}

    backwards = send(ana, "POST", "/events", {"title": "South"} | hours)
    trucks = [send(ana, "POST", "/events", {"title": "South", "truck": name} | hours) for name in ("Abroad", "Sold")]
    crowd = send(ana, "POST", "/events", {"title": "", "firstMates": 21, "start": NOW, "end": "2026-05-06T13:00:00Z"})

    assert backwards.json()["errors"] == {"end": ["The event ends before it begins."]}
    assert [answer.json()["errors"] for answer in trucks] == [
        {"truck": ["There is no truck “Abroad” in use."]}, {"truck": ["There is no truck “Sold” in use."]}
    ]  # fmt: skip
    assert (code(crowd), set(crowd.json()["errors"])) == ((422, "invalid"), {"title", "firstMates"})
    assert not Event.objects.exists()


def test_only_what_is_named_changes(ana, board, event):
    event = plan.edit_event(event, {"notes": "Gate 4.", "truck": Truck.objects.create(board=board, name="Big Red")},
                            expect=event.seq, by="Ana")  # fmt: skip

    edited = send(ana, "PATCH", f"/events/{event.uid}?seq=2", {"title": "North, late"}).json()["event"]
    without = send(ana, "PATCH", f"/events/{event.uid}", {"truck": None}, **{"If-Match": '"3"'}).json()["event"]

    assert {key: edited[key] for key in ("title", "notes", "truck", "seq")} == {
        "title": "North, late", "notes": "Gate 4.", "truck": "Big Red", "seq": 3,
    }  # fmt: skip
    assert (without["truck"], without["seq"]) == (None, 4)


def test_two_editors_cannot_overwrite_each_other(ana, event):
    seen = event.seq
    plan.edit_event(event, {"title": "Ben's"}, expect=seen, by="Ben Okafor")

    answer = send(ana, "PATCH", f"/events/{event.uid}?seq={seen}", {"title": "Ana's"})

    assert code(answer) == (409, "stale")
    assert (answer.json()["detail"], answer.json()["event"]["title"]) == (
        "Ben Okafor changed this event 0 s ago.", "Ben's"
    )  # fmt: skip
    assert code(send(ana, "PATCH", f"/events/{event.uid}", {"title": "Ana's"})) == (428, "version_required")


def test_fewer_places_than_people_are_refused(ana, event, dee):
    plan.claim(event, dee, by=dee.name)

    answer = send(ana, "PATCH", f"/events/{event.uid}?seq=2", {"firstMates": 0})

    assert answer.json()["errors"] == {"firstMates": ["1 of them are taken. Release them first."]}


def test_there_are_from_0_to_20_places(ana):
    facts = {"title": "South", "start": "2026-05-06T14:00:00Z", "end": "2026-05-06T22:00:00Z"}

    answer = send(ana, "POST", "/events", facts | {"captains": -3, "firstMates": 21})
    none = send(ana, "POST", "/events", facts | {"captains": 0, "firstMates": 20})

    said = ["There can be 0 to 20 places."]
    assert (answer.json()["errors"], none.status_code) == ({"captains": said, "firstMates": said}, 201)


def test_new_hours_put_nobody_in_two_places_without_a_reason(ana, board, event, dee):
    south = make_event(board, "South", days=3)
    plan.claim(event, dee, by=dee.name)
    plan.claim(south, dee, by=dee.name)
    hours = {"start": f"{event.starts_at:%FT%TZ}", "end": f"{event.ends_at:%FT%TZ}"}

    refused = send(ana, "PATCH", f"/events/{south.uid}?seq=4", hours | {"reason": " "})
    allowed = send(ana, "PATCH", f"/events/{south.uid}?seq=4", hours | {"reason": "Swaps trucks at noon."})

    assert code(refused) == (409, "overlaps")
    assert refused.json()["detail"] == "Dee is on “Tuesday, north” then: Wednesday, May 6, 12:00 PM – 8:00 PM MDT"
    assert allowed.json()["event"]["firstMates"]["people"][0]["override"] == "Swaps trucks at noon."
    assert steps(south)[-1] == ("edited", "Ana Ruiz", "Swaps trucks at noon.")


def test_cancelling_needs_a_reason_and_frees_people_and_jobs(ana, board, event, dee):
    job = make_job(board)
    plan.claim(event, dee, by=dee.name)
    plan.put_job(job, event, by="Ana")

    silent = send(ana, "POST", f"/events/{event.uid}/cancel", {})
    answer = send(ana, "POST", f"/events/{event.uid}/cancel", {"reason": "Snow."})

    assert code(silent) == (422, "reason_required")
    shown = answer.json()["event"]
    assert (shown["status"], shown["jobs"], shown["firstMates"]["people"]) == ("cancelled", [], [])
    assert steps(event)[-1] == ("cancelled", "Ana Ruiz", "Snow.")
    job.refresh_from_db()
    assert job.crew == []


# --- people


def test_somebody_is_given_a_place(ana, event, sam):
    answer = send(ana, "POST", f"/events/{event.uid}/assign", {"member": sam.uid, "role": "captain"})

    assert answer.status_code == 200
    assert answer.json()["event"]["captains"] == {
        "places": 1,
        "people": [
            {"name": "Sam Oak", "since": SHOWN, "you": False, "id": sam.uid, "override": "", "releaseAsked": None,
             "releaseReason": "", "seen": None},
        ],
    }  # fmt: skip
    assert steps(event)[-1] == ("assigned", "Ana Ruiz", "")


def test_nobody_is_in_two_places_without_a_reason(ana, board, event, dee):
    other = make_event(board, "South")
    plan.claim(other, dee, by=dee.name)
    place = {"member": dee.uid, "role": "first_mate"}

    refused = send(ana, "POST", f"/events/{event.uid}/assign", place)
    allowed = send(ana, "POST", f"/events/{event.uid}/assign", place | {"reason": "Swaps trucks at noon."})

    assert code(refused) == (409, "overlaps")
    assert refused.json()["detail"] == "Dee is on “South” then: Wednesday, May 6, 12:00 PM – 8:00 PM MDT"
    shown = allowed.json()["event"]
    assert shown["firstMates"]["people"][0]["override"] == "Swaps trucks at noon."
    assert shown["warnings"] == ["Dee is on “South” at the same time."]
    assert steps(event)[-1] == ("assigned", "Ana Ruiz", "Swaps trucks at noon.")


def test_the_last_place_goes_once(ana, event, dee, sam):
    plan.claim(event, dee, by=dee.name)

    answer = send(ana, "POST", f"/events/{event.uid}/assign", {"member": sam.uid, "role": "first_mate"})

    assert code(answer) == (409, "taken")
    assert (answer.json()["detail"], answer.json()["event"]["id"]) == ("Taken by Dee 0 s ago", event.uid)


def test_a_place_is_only_for_who_may_have_it(ana, event, dee):
    wrong = send(ana, "POST", f"/events/{event.uid}/assign", {"member": dee.uid, "role": "captain"})
    odd = send(ana, "POST", f"/events/{event.uid}/assign", {"member": dee.uid, "role": "cook"})
    abroad = make_member(Board.objects.create(slug="other", name="Other"), "Max Orr")
    stranger = send(ana, "POST", f"/events/{event.uid}/assign", {"member": abroad.uid, "role": "first_mate"})

    assert [code(answer) for answer in (wrong, odd, stranger)] == [
        (422, "wrong_role"), (422, "unknown_role"), (404, "not_found")
    ]  # fmt: skip


def test_somebody_is_taken_off_whenever_the_office_says_so(ana, event, dee, noon):
    plan.assign(event, dee, "first_mate", by="Ana")
    noon.move_to(event.starts_at, tick=False)

    answer = send(ana, "DELETE", f"/events/{event.uid}/assignments/{dee.uid}?reason=Ill.")

    assert answer.json()["event"]["firstMates"] == {"places": 1, "people": []}
    assert steps(event)[-1] == ("released", "Ana Ruiz", "Ill.")
    assert code(send(ana, "DELETE", f"/events/{event.uid}/assignments/{dee.uid}")) == (422, "not_yours")


def test_who_asked_to_be_released_can_be_kept(ana, event, dee):
    plan.assign(event, dee, "first_mate", by="Ana")
    plan.release(event, dee, by=dee.name, reason="My car broke down.")

    kept = send(ana, "POST", f"/events/{event.uid}/decline/{dee.uid}", {"reason": "We fetch you."})
    again = send(ana, "POST", f"/events/{event.uid}/decline/{dee.uid}", {})

    assert kept.json()["event"]["firstMates"]["people"][0]["releaseAsked"] is None
    assert (code(again), steps(event)[-1]) == ((422, "not_asked"), ("release_declined", "Ana Ruiz", "We fetch you."))


# --- jobs


def test_a_job_is_put_in_front_of_another_and_its_crew_follows(ana, board, event, dee):
    first, second = make_job(board), make_job(board)
    plan.claim(event, dee, by=dee.name)

    send(ana, "PUT", f"/jobs/{first.uid}/event", {"event": event.uid, "before": None})
    answer = send(ana, "PUT", f"/jobs/{second.uid}/event", {"event": event.uid, "before": first.uid})

    assert [one["jobs"] for one in answer.json()["events"]] == [[second.uid, first.uid]]
    second.refresh_from_db()
    assert (second.crew, second.updated_by) == (["Dee Ramos"], "Ana Ruiz")


def test_both_events_are_told_when_a_job_goes_from_one_to_the_other(ana, board, event):
    job, other = make_job(board), make_event(board, "South", days=3)
    plan.put_job(job, event, by="Ana")

    answer = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": other.uid})
    out = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": None})

    assert [(one["id"], one["jobs"]) for one in answer.json()["events"]] == [(event.uid, []), (other.uid, [job.uid])]
    assert [(one["id"], one["jobs"]) for one in out.json()["events"]] == [(other.uid, [])]
    assert CrewChange.objects.filter(what="planned").count() == 4


def test_two_who_put_one_job_into_two_events_at_once_do_not_overwrite_each_other(ana, board, event, noon):
    """Both saw it in North. Who comes second is told who was first, and where it is."""
    job, south, west = make_job(board), make_event(board, "South"), make_event(board, "West")
    plan.put_job(job, event, by="Ana")
    seen = {"from": event.uid}
    plan.put_job(job, south, by="Ben Okafor", expect=event.uid)
    plan.edit_event(south, {"notes": "Gate 4."}, expect=Event.objects.get(pk=south.pk).seq, by="Cara")
    noon.shift(4)

    late = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": west.uid} | seen)
    out = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": None} | seen)

    assert [code(answer) for answer in (late, out)] == [(409, "stale"), (409, "stale")]
    said = late.json()
    assert (said["detail"], said["event"]["id"]) == ("Ben Okafor put this job into “South” 4 s ago.", south.uid)
    assert {one["id"]: one["jobs"] for one in said["events"]} == {event.uid: [], south.uid: [job.uid]}
    assert Outing.objects.get(job=job).event == south
    anyway = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": west.uid, "from": south.uid})
    assert {one["id"]: one["jobs"] for one in anyway.json()["events"]} == {south.uid: [], west.uid: [job.uid]}


def test_a_job_that_was_in_no_event_or_is_in_none_any_more_is_not_overwritten_either(ana, board, event, noon):
    job, south = make_job(board), make_event(board, "South")
    plan.put_job(job, event, by="Ben Okafor", expect="")

    unseen = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": south.uid, "from": None})
    plan.put_job(job, None, by="Ben Okafor")
    gone = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": south.uid, "from": event.uid})
    plan.put_job(job, event, by="Ana")
    plan.cancel_event(event, by="Ben Okafor", reason="Snow.")
    cancelled = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": south.uid, "from": event.uid})
    never = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": None, "from": south.uid})
    nowhere = send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": south.uid, "from": "nothing"})

    assert [answer.json()["detail"] for answer in (unseen, gone, cancelled, never)] == [
        "Ben Okafor put this job into “Tuesday, north” 0 s ago.",
        "Ben Okafor took this job out of “Tuesday, north” 0 s ago.",
        "Ben Okafor cancelled “Tuesday, north” 0 s ago.",
        "Ana changed this event 0 s ago.",
    ]
    assert [answer.json()["event"]["jobs"] for answer in (unseen, gone, cancelled, never)] == [[job.uid], [], [], []]
    assert (code(nowhere), Outing.objects.filter(job=job).exists()) == ((404, "not_found"), False)
    assert send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": south.uid, "from": None}).status_code == 200


def test_who_does_not_say_where_they_saw_a_job_overwrites_as_ever(ana, board, event):
    job, south = make_job(board), make_event(board, "South")
    plan.put_job(job, event, by="Ben Okafor")

    assert send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": south.uid}).status_code == 200
    assert Outing.objects.get(job=job).event == south


def test_a_job_goes_into_no_event_of_another_board_and_into_no_cancelled_one(ana, board, event):
    job, abroad = make_job(board), make_event(Board.objects.create(slug="other", name="Other"))
    plan.cancel_event(event, by="Ana", reason="Snow.")

    answers = [send(ana, "PUT", f"/jobs/{job.uid}/event", {"event": uid}) for uid in (abroad.uid, event.uid, "nothing")]

    assert [code(answer) for answer in answers] == [(422, "other_board"), (422, "cancelled"), (404, "not_found")]
