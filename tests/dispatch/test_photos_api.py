import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dispatch import photos
from dispatch.models import Job
from dispatch.pictures import MOST_BYTES
from dispatch.uploads import MOST_IN_ALL
from tests.dispatch.test_photos import add, files, folder, jpeg
from tests.factories import make_job, make_user

__all__ = ["folder"]  # a fixture
ROOT = Path(__file__).parents[2]


def at(job: Job, photo_id: str = "") -> str:
    return f"/api/v1/jobs/{job.uid}/photos{photo_id and '/'}{photo_id}"


def send(client, job: Job, content: bytes | None = None, **fields):
    file = SimpleUploadedFile("photo.jpg", jpeg() if content is None else content, "image/jpeg")
    return client.post(at(job), {"file": file, "kind": "before"} | fields)


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- adding


def test_a_photo_is_added_and_the_job_comes_back_with_it(ana, job, folder):
    answer = send(ana, job)

    [entry] = Job.objects.get().photos
    assert (answer.status_code, answer.json()["id"], answer.json()["seq"]) == (201, job.uid, 2)
    assert answer.json()["photos"] == [entry]
    assert (entry["kind"], entry["by"], entry["width"], entry["height"]) == ("before", "Ana Ruiz", 80, 60)
    assert len(files(folder)) == 2


def test_what_is_no_photo_is_a_problem_beside_its_field(ana, job, folder):
    answer = send(ana, job, b"<html><script>alert(1)</script></html>")

    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank", "title": "Bad picture", "status": 422, "code": "bad_picture",
        "detail": "This is not a photo we can read: use JPEG, PNG, WebP or HEIC.",
        "errors": {"file": ["This is not a photo we can read: use JPEG, PNG, WebP or HEIC."]},
    }  # fmt: skip
    assert (files(folder), Job.objects.get().photos) == ([], [])


def test_more_than_fifteen_megabytes_are_too_large(ana, job, folder):
    answer = send(ana, job, jpeg() + b"\0" * MOST_BYTES)

    assert (code(answer), answer.json()["errors"]) == (
        (413, "too_large"), {"file": ["A photo may have at most 15 MB; this has 15.0."]},
    )  # fmt: skip
    assert files(folder) == []


def test_a_request_that_announces_far_too_much_is_refused_unread(ana, job, folder):
    class Unread:
        def read(self, *_):
            raise AssertionError("read")

        readline = read

    answer = ana.generic(
        "POST", at(job), b"x", "multipart/form-data; boundary=x", CONTENT_LENGTH=MOST_IN_ALL + 1, **{"wsgi.input": Unread()}
    )

    assert (code(answer), answer.json()["detail"]) == ((413, "too_large"), "At most 151 MB can be sent at once.")


@pytest.mark.parametrize(
    ("fields", "problem", "errors"),
    [
        ({"kind": "selfie"}, "unknown_kind", None),
        ({"kind": ""}, "unknown_kind", None),
        ({"file": "no file"}, "invalid", {"file": ["This is needed."]}),
        ({"file": ""}, "invalid", {"file": ["This is needed."]}),
    ],
)
def test_what_is_missing_or_unknown_is_said(ana, job, folder, fields, problem, errors):
    answer = send(ana, job, **fields)

    assert (code(answer), answer.json().get("errors")) == ((422, problem), errors)


def test_a_kind_is_needed(ana, job, folder):
    answer = ana.post(at(job), {"file": SimpleUploadedFile("photo.jpg", jpeg())})

    assert (code(answer), answer.json()["errors"]) == ((422, "invalid"), {"kind": ["This is needed."]})


def test_a_full_job_takes_no_more(ana, board, folder):
    job = make_job(board, photos=[{"id": str(number), "kind": "before"} for number in range(60)])

    assert code(send(ana, job)) == (422, "too_many")


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\nContent-Disposition: form-data", b"\0" * 100])
def test_a_broken_form_is_a_problem_and_no_failure(ana, job, folder, body):
    answer = ana.generic("POST", at(job), body, "multipart/form-data; boundary=x")

    assert code(answer) == (422, "invalid")


def test_a_form_without_a_boundary_is_unreadable(ana, job, folder):
    answer = ana.generic("POST", at(job), b"--x", "multipart/form-data")

    assert code(answer) == (400, "unreadable")


def test_a_photo_of_no_job_is_nowhere(ana, board, folder):
    assert code(send(ana, Job(uid="no-such-job"))) == (404, "not_found")
    assert files(folder) == []


# --- deleting


def test_a_photo_is_deleted_and_the_job_comes_back_without_it(ana, job, folder, django_capture_on_commit_callbacks):
    photo_id = add(job).photos[0]["id"]

    with django_capture_on_commit_callbacks(execute=True):
        answer = ana.delete(at(job, photo_id))

    assert (answer.status_code, answer.json()["photos"], answer.json()["seq"]) == (200, [], 3)
    assert files(folder) == []


def test_a_photo_is_deleted_once(ana, job, folder):
    photo_id = add(job).photos[0]["id"]
    ana.delete(at(job, photo_id))

    assert code(ana.delete(at(job, photo_id))) == (404, "not_found")
    assert Job.objects.get().seq == 3


# --- who may


@pytest.mark.parametrize("call", [send, lambda client, job: client.delete(at(job, "some-photo"))])
def test_only_people_who_may_change_jobs_add_and_delete_photos(client, job, folder, stranger, call):
    answers = [code(call(client, job))]
    client.force_login(stranger)
    answers.append(code(call(client, job)))
    client.force_login(make_user("reader", "view_job", "add_job"))
    answers.append(code(call(client, job)))
    client.force_login(make_user("changer", "change_job"))
    allowed = call(client, job)

    assert answers == [(401, "sign_in"), (403, "forbidden"), (403, "forbidden")]
    assert allowed.status_code in {201, 404}


@pytest.mark.parametrize("call", [send, lambda client, job: client.delete(at(job, "some-photo"))])
def test_another_site_cannot_add_or_delete_photos_for_somebody_who_is_signed_in(job, folder, dispatcher, call):
    client = Client(enforce_csrf_checks=True)
    client.force_login(dispatcher)

    assert (code(call(client, job)), files(folder)) == ((403, "csrf"), [])


def test_only_people_who_may_see_jobs_see_photos(client, job, folder, stranger):
    address = reverse("dispatch:photo", args=[job.uid, add(job).photos[0]["id"]])
    anonymous = client.get(address)
    client.force_login(stranger)
    strange = client.get(address)
    client.force_login(make_user("reader", "view_job"))
    allowed = client.get(address)

    assert (anonymous.status_code, anonymous["Location"]) == (302, f"/login/?next={address}")
    assert (strange.status_code, allowed.status_code) == (403, 200)


# --- the pictures themselves


def test_a_page_shows_the_photo_and_its_thumbnail(ana, job, folder):
    photo_id = add(job).photos[0]["id"]
    address = f"/jobs/{job.uid}/photos/{photo_id}.jpg"

    full, thumb = ana.get(address), ana.get(address, {"size": "thumb"})

    assert full.content == (folder / f"photos/{job.uid}/{photo_id}.jpg").read_bytes()
    assert thumb.content == (folder / f"photos/{job.uid}/{photo_id}-thumb.jpg").read_bytes()
    assert (full["Content-Type"], full["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert full["Cache-Control"] == "private, max-age=86400"
    assert "default-src 'none'" in full["Content-Security-Policy"]


def test_there_is_nothing_at_the_address_of_no_photo(ana, board, job, folder):
    other = add(make_job(board)).photos[0]["id"]
    photo_id = add(job).photos[0]["id"]
    addresses = [
        f"/jobs/{job.uid}/photos/{other}.jpg",
        f"/jobs/nowhere/photos/{photo_id}.jpg",
        f"/jobs/{job.uid}/photos/{photo_id}-thumb.jpg",
        f"/jobs/{job.uid}/photos/{photo_id}.jpg?size=huge",
        f"/jobs/{job.uid}/photos/..%2f{photo_id}.jpg",
    ]

    assert [ana.get(address).status_code for address in addresses] == [404] * 5
    assert ana.post(f"/jobs/{job.uid}/photos/{photo_id}.jpg").status_code == 405
    assert photos.MOST == 60


FORM = """
import email, os, sys, threading, time, urllib.error, urllib.request
from daphne.server import Server

taken_apart = []
import twisted.web.http as http
http._getMultiPartArgs = lambda content, ctype: taken_apart.append(len(content)) or {}
from qdn.asgi import application

def send():
    head = b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\n'
    body = head + b"a" * 200_000 + b"\\r\\n--x--\\r\\n"
    url = f"http://127.0.0.1:{server.listening_addresses[0][1]}/api/v1/jobs/1/photos"
    request = urllib.request.Request(url, body, {"Content-Type": "multipart/form-data; boundary=x"})
    try:
        urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        print(error.code, taken_apart, flush=True)
    os._exit(0)

endpoints = ["tcp:port=0:interface=127.0.0.1"]
server = Server(application, endpoints=endpoints, ready_callable=lambda: threading.Thread(target=send).start())
server.run()
"""


@pytest.mark.processes
def test_the_server_does_not_take_forms_apart_in_memory_before_django_does(tmp_path):
    environment = os.environ | {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "qdn.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", FORM], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert ran.stdout == "403 []\n"
