"""What stands in front of production and staging, and how it is looked at."""

import pytest
from django.core.files.storage import storages
from django.db import OperationalError

from dispatch.mirror.document import job_object
from dispatch.mirror.repository import JobRepository
from dispatch.models import Job
from edge import engine, looking, releases
from edge.store import EdgeError
from qdn import edge_places
from qdn.site import SiteStore
from tests.factories import make_job
from tests.postgres import free_port
from tests.qdn.sites import release, use_folders
from tracking.projection import public_object, shown


@pytest.fixture
def folder(settings, tmp_path, board):
    use_folders(settings, tmp_path)
    return tmp_path


def copy(job: Job) -> None:
    for name, document in (job_object(job), public_object(job)):
        JobRepository(storages["state"]).put(name, document)
    Job.objects.filter(pk=job.pk).update(mirrored_seq=job.seq)


def test_a_job_that_was_copied_must_come_through(folder, board):
    id = release("One")
    copied, later = make_job(board), make_job(board)
    copy(shown().get(pk=copied.pk))
    assert edge_places.probe() == looking.Probe(copied.token, copied.seq)
    assert later.seq > copied.seq
    assert problems(id) == []

    (folder / "state" / "public" / "track" / f"{copied.token}.json").unlink()
    assert problems(id) == ["/state/track/….json: 404 for a job whose copy is in the bucket"]


def test_without_the_server_no_copy_is_looked_at(folder, board):
    id, job = release("One"), make_job(board)
    Job.objects.filter(pk=job.pk).update(mirrored_seq=job.seq)
    store = SiteStore()

    assert problems(id) == ["/state/track/….json: 404 for a job whose copy is in the bucket"]
    assert edge_places.problems(store, "production", releases.read(store, id), server_too=False) == []


def problems(id: str) -> list[str]:
    store = SiteStore()
    found = edge_places.problems(store, "production", releases.read(store, id))
    return [one for one in found if one.startswith("/")]  # there is no server here


def test_without_a_release_our_own_function_is_the_one_and_nothing_is_made(folder):
    assert edge_places.live_code("production") is None
    assert edge_places.live_rewrite("production")("/book", "") == engine.rewrite("/book", "")
    assert list(folder.iterdir()) == []


def test_the_function_is_that_of_the_release(folder):
    release("One")

    assert edge_places.live_code("production") == engine.FUNCTION.read_bytes()


def test_a_page_must_be_allowed_to_ask_an_api_elsewhere(settings):
    settings.PUBLIC_ORIGIN, settings.API_ORIGIN = "https://go.example.com", "https://api.example.com"

    policy = edge_places.expected_headers()["Content-Security-Policy"]

    assert policy == "default-src 'none' connect-src https://api.example.com wss://api.example.com"
    settings.API_ORIGIN = settings.PUBLIC_ORIGIN
    assert edge_places.expected_headers()["Content-Security-Policy"] == "default-src 'none' connect-src"


def test_what_our_own_server_says_of_pages_is_what_is_expected():
    given = edge_places.page_headers()

    for name, words in edge_places.expected_headers().items():
        assert [word for word in words.split() if word not in given[name].replace(";", " ").replace(",", " ").split()] == []


def test_a_socket_that_is_not_there(settings):
    settings.API_ORIGIN = f"http://127.0.0.1:{free_port()}"

    assert edge_places.socket_problem() == (
        f"{settings.API_ORIGIN}/ws/track/: no websocket: [Errno 111] Connection refused"
    )


def test_reasons_are_one_line_and_name_the_right_bucket():
    assert edge_places.reason(EdgeError("no")) == "no"
    assert edge_places.reason(OperationalError("no such table: x\nmore")) == "the database cannot be read: no such table: x"
    assert edge_places.reason(PermissionError(13, "Permission denied", "/x")).startswith("may not write /x")


def test_what_is_not_set_is_named(settings):
    assert edge_places.lacking("production") == ""
    settings.SITE_BUCKET = "site"
    assert edge_places.lacking("production").startswith(
        "EDGE_FUNCTION, SITE_DISTRIBUTIONS: not set. What stands in front of"
    )
    assert edge_places.lacking("staging").startswith("STAGING_FUNCTION, STAGING_DISTRIBUTIONS, STAGING_ORIGIN: not set.")
    settings.EDGE_FUNCTION, settings.SITE_DISTRIBUTIONS = "rewrite", ["E1"]
    assert edge_places.lacking("production") == ""
