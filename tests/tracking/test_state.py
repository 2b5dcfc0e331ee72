"""The public copy, as the edge serves it from object storage."""

import json

import pytest
from django.core.files.storage import storages

from dispatch import links
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage
from tests.factories import make_job
from tracking.projection import public_object, shown


@pytest.fixture
def bucket(monkeypatch):
    storage = CompareAndSwapInMemoryStorage()
    monkeypatch.setitem(storages._storages, "state", storage)
    return storage


def put(bucket, name, document):
    bucket.write(name, json.dumps(document).encode(), if_match=bucket.etag(name))


def test_it_is_the_object_and_needs_no_database(client, board, bucket, django_assert_num_queries):
    job = shown().get(pk=make_job(board).pk)
    name, document = public_object(job)
    put(bucket, name, document)

    with django_assert_num_queries(0):
        answer = client.get(f"/state/track/{job.token}.json")

    assert (answer.status_code, answer.json(), answer["Content-Type"]) == (200, document, "application/json")
    assert (answer["Cache-Control"], answer["X-Robots-Tag"]) == ("no-store", "noindex, nofollow")


def test_who_has_it_already_gets_nothing_again(client, bucket):
    put(bucket, links.PUBLIC.format(token="some-token"), {"seq": 1})
    first = client.get("/state/track/some-token.json")
    again = client.get("/state/track/some-token.json", headers={"if-none-match": first["ETag"]})
    put(bucket, links.PUBLIC.format(token="some-token"), {"seq": 2})
    later = client.get("/state/track/some-token.json", headers={"if-none-match": first["ETag"]})

    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", "no-store")
    assert (later.status_code, later.json()) == (200, {"seq": 2})


def test_a_tombstone_is_served_as_it_is(client, bucket):
    tombstone = {"gone": True, "seq": 4, "epoch": "e"}
    put(bucket, links.PUBLIC.format(token="some-token"), tombstone)

    assert client.get("/state/track/some-token.json").json() == tombstone


@pytest.mark.parametrize(
    "token", ["unknown-token", "short", "a" * 65, "..%2F..%2Fjobs%2Fsecret-job", "%00" * 8, "private-job", "é" * 8]
)
def test_what_is_not_there_is_always_the_same(client, bucket, token):
    put(bucket, "jobs/secret-job.json", {"customer": "Vega"})
    put(bucket, "private-job.json", {"customer": "Vega"})

    answer = client.get(f"/state/track/{token}.json")

    assert (answer.status_code, answer.json()) == (404, {"code": "not_found"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_read(client, bucket, method):
    assert getattr(client, method)("/state/track/some-token.json").status_code == 405
