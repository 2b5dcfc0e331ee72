"""Photos that crews take: kept once, however often they are sent, and shown to the crew."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client

from crew import field_photos, plan
from crew.models import Event
from dispatch import flow, photos, pictures
from dispatch.models import Board, Job
from tests.crew.factories import make_event, make_member
from tests.crew.phones import code, phone
from tests.dispatch.test_photos import files, folder, jpeg
from tests.factories import make_job

__all__ = ["folder"]  # a fixture
AT = "2026-05-04T11:59:00-06:00"
SEEN = "2026-05-04T17:59:00.000Z"
AT_ONCE = 6


@pytest.fixture(autouse=True)
def noon(time_machine, folder):
    time_machine.move_to("2026-05-04T18:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board)


@pytest.fixture
def event(board, dee) -> Event:
    event = make_event(board, days=0.1)
    plan.claim(event, dee, by="Dee")
    return event


@pytest.fixture
def job(board, event) -> Job:
    job = make_job(board, status="in_progress", customer_name="Mia Chen")
    plan.put_job(job, event, by="Ana")
    job.refresh_from_db()
    return job


def send(client: Client, job: Job, content: bytes | None = None, *, key: str = "k-1", **fields):
    file = SimpleUploadedFile("photo.jpg", jpeg() if content is None else content, "image/jpeg")
    url = f"/api/v1/crew/jobs/{job.uid}/photos"
    return client.post(url, {"file": file, "kind": "access", "at": AT} | fields, headers={"Idempotency-Key": key})


def entries(job: Job) -> list[dict]:
    return Job.objects.get(pk=job.pk).photos


@pytest.mark.parametrize("kind", photos.KINDS)
def test_a_photo_from_the_field_is_kept_like_any_other(job, dee, folder, kind):
    answer = send(phone(dee), job, kind=kind)

    [entry] = entries(job)
    assert entry == {
        "id": answer.json()["photo"], "kind": kind, "width": 80, "height": 60, "at": "2026-05-04T18:00:00.000Z",
        "by": "Dee Ramos", "deviceAt": SEEN,
    }  # fmt: skip
    assert (answer.status_code, answer.json()["job"]["photos"]) == (201, [{"id": entry["id"], "kind": kind}])
    assert answer.json()["job"]["contact"]["name"] == "Mia Chen"
    assert (answer.json()["seqBefore"], answer.json()["job"]["seq"]) == (job.seq, job.seq + 1)
    assert (len(entry["id"]), len(files(folder))) == (24, 2)


def test_a_photo_that_is_sent_again_is_answered_again(job, dee, folder):
    client = phone(dee)
    first = send(client, job)
    flow.edit(Job.objects.get(pk=job.pk), {"notes": "Dog"}, expect=job.seq + 1, by="Ana")

    again = send(client, job)

    assert (again.status_code, again.json()["photo"]) == (200, first.json()["photo"])
    assert again.json()["seqBefore"] is None
    assert (len(entries(job)), len(files(folder))) == (1, 2)


def test_another_key_is_another_photo(job, dee):
    client = phone(dee)

    ids = [send(client, job, key=key).json()["photo"] for key in ("k-1", "k-2")]

    assert [one["id"] for one in entries(job)] == ids
    assert len({one[: field_photos.START] for one in ids}) == 2


def test_two_members_may_choose_the_same_key(board, job, event, dee):
    sam = make_member(board, "Sam Oak", can_captain=True)
    plan.assign(event, sam, "captain", by="Ana")

    assert [send(phone(member), job).status_code for member in (dee, sam)] == [201, 201]
    assert [one["by"] for one in entries(job)] == ["Dee Ramos", "Sam Oak"]


def test_a_key_stands_for_one_photo(job, dee):
    client = phone(dee)
    send(client, job)

    assert code(send(client, job, kind="after")) == (422, "key_reused")


def test_nobody_can_tell_an_id_from_its_key(job, dee, settings):
    first = send(phone(dee), job).json()["photo"]
    settings.SECRET_KEY = "another"

    assert send(phone(dee), job).json()["photo"][: field_photos.START] != first[: field_photos.START]


class Killed(BaseException):
    pass


def test_a_server_that_dies_between_the_files_and_the_entry_is_healed_by_sending_again(job, dee, folder, monkeypatch):
    def dies(*_, **__):
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(flow, "amend", dies)
        broken.setattr(photos, "_delete", lambda names: None)  # nobody is left to clean up
        with pytest.raises(Killed):
            send(phone(dee), job)
    left = files(folder)

    answer = send(phone(dee), job)

    [entry] = entries(job)
    assert (len(left), answer.status_code, entry["id"]) == (2, 201, answer.json()["photo"])
    assert set(photos.file_names(job, entry["id"]).values()) == set(files(folder)) - set(left)


def test_a_photo_whose_answer_was_lost_is_found_though_the_job_is_full_now(job, dee):
    client = phone(dee)
    first = send(client, job)
    full = [*entries(job), *({"id": str(number), "kind": "before"} for number in range(photos.MOST - 1))]
    flow.amend(job, lambda current, seq: {"photos": full}, by="Ana")

    assert send(client, job).json()["photo"] == first.json()["photo"]
    assert code(send(client, job, key="k-2")) == (422, "too_many")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"kind": "selfie"}, (422, "unknown_kind")), ({"content": b"<svg/>"}, (422, "bad_picture")),
        ({"content": jpeg() + b"\0" * pictures.MOST_BYTES}, (413, "too_large")), ({"at": "noon"}, (422, "invalid")),
        ({"file": ""}, (422, "invalid")),
    ],
    ids=["kind", "no photo", "size", "time", "no file"],
)  # fmt: skip
def test_the_limits_are_those_of_the_office(job, dee, folder, fields, refusal):
    assert code(send(phone(dee), job, **fields)) == refusal
    assert (entries(job), files(folder)) == ([], [])


def test_only_the_crew_of_the_job_sends_photos(board, job, dee, folder):
    assert code(send(phone(make_member(board, "Sam Oak")), job)) == (403, "not_yours")
    assert files(folder) == []


def test_a_photo_that_a_phone_kept_overnight_is_taken(job, event, dee, noon):
    Event.objects.filter(pk=event.pk).update(starts_at="2026-05-03T14:00Z", ends_at="2026-05-03T22:00Z")

    assert code(send(phone(dee), job)) == (403, "not_yours")
    assert send(phone(dee), job, at="2026-05-03T15:00:00-06:00").json()["job"]["contact"] is None


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_is_kept_and_all_get_its_id(job, dee, folder):
    clients, start = [phone(dee) for _ in range(AT_ONCE)], threading.Barrier(AT_ONCE)

    def run(client):
        start.wait(20)
        try:
            answer = send(client, job)
            return answer.status_code, answer.json()["photo"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(run, clients))

    [entry] = entries(job)
    assert {photo for _, photo in answers} == {entry["id"]}
    assert sorted({status for status, _ in answers}) in ([201], [200, 201])
    assert sorted(files(folder)) == sorted(photos.file_names(job, entry["id"]).values())


# --- looking at them


def address(job: Job, photo_id: str, size: str = "full") -> str:
    return f"/crew/photos/{job.uid}/{photo_id}/{size}"


def test_the_crew_sees_the_photos_of_its_job(job, dee, folder):
    client = phone(dee)
    photo_id = send(client, job).json()["photo"]

    full, thumb = (client.get(address(job, photo_id, size)) for size in ("full", "thumb"))

    assert full.content == (folder / f"photos/{job.uid}/{photo_id}.jpg").read_bytes()
    assert thumb.content == (folder / f"photos/{job.uid}/{photo_id}-thumb.jpg").read_bytes()
    assert (full["Content-Type"], full["Cache-Control"]) == ("image/jpeg", "private, max-age=86400")


def test_nobody_else_sees_them(ana, client, board, job, event, dee, stranger):
    mine = phone(dee)
    photo_id = send(mine, job).json()["photo"]
    sam, other = phone(make_member(board, "Sam Oak")), make_job(Board.objects.create(slug="other", name="Other"))

    assert [one.get(address(job, photo_id)).status_code for one in (mine, sam, ana, Client())] == [200, 404, 403, 403]
    assert mine.get(address(other, photo_id)).status_code == 404
    assert [mine.get(address(job, *what)).status_code for what in ((photo_id, "huge"), ("unknown",))] == [404, 404]
    assert mine.post(address(job, photo_id)).status_code == 405
    plan.release(event, dee, by="Ana", is_staff=True)
    assert mine.get(address(job, photo_id)).status_code == 404


def test_customers_do_not_see_the_locked_gate(client, job, dee):
    hidden = send(phone(dee), job).json()["photo"]
    job = flow.move(Job.objects.get(pk=job.pk), "completed", expect=Job.objects.get().seq, by="Ana", channel="board")

    assert client.get(f"/api/v1/track/{job.token}").json()["photos"] == []
    assert client.get(f"/api/v1/track/{job.token}/photos/{hidden}").status_code == 404
