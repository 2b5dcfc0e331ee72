"""The bucket that fails on demand: each fault does what it says, and leaves the bucket itself unharmed."""

import errno
import os
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import boto3
import httpx
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from moto import mock_aws
from moto.s3.models import S3Backend

from tests.faults import faults
from tests.faults.exchange import Request
from tests.faults.faulty_bucket import FaultyBucket
from tests.faults.full_disk import small_disk
from tests.faults.skewed_worker import skewed_worker
from tests.s3 import client_at, locked_moto, running_s3
from tests.waiting import wait_for

KEY = "jobs/a.json"
CONTENT = bytes(range(256)) * 20
THREADS, ROUNDS = 8, 20

pytestmark = pytest.mark.processes


class Program:
    """What a program does with the bucket, every call one request."""

    def __init__(self, client, bucket):
        self.client, self.bucket = client, bucket

    def put(self, content=b"new", key=KEY, **conditions):
        return self.client.put_object(Bucket=self.bucket, Key=key, Body=content, **conditions)["ETag"]

    def get(self, key=KEY):
        with closing(self.client.get_object(Bucket=self.bucket, Key=key)["Body"]) as body:
            return body.read()


@pytest.fixture
def program(faulty):
    with closing(client_at(faulty.url, patience=30)) as client:
        yield Program(client, faulty.bucket)


@pytest.fixture
def background():
    with ThreadPoolExecutor() as threads:
        yield threads.submit


def refusal(error):
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


# --- no fault


def test_without_a_rule_it_is_the_bucket(faulty, program):
    etag = program.put(CONTENT)

    assert (program.get(), faulty.s3.get(KEY), faulty.s3.put(KEY, CONTENT)) == (CONTENT, CONTENT, etag)
    assert faulty.requests == [Request("PUT", KEY, 200), Request("GET", KEY, 200)]


def test_the_bucket_keeps_its_own_mind(faulty, program):
    program.put(IfNoneMatch="*")

    with pytest.raises(ClientError) as there:
        program.put(IfNoneMatch="*")
    with pytest.raises(ClientError) as missing:
        program.get("jobs/ä b.json")

    assert (refusal(there), refusal(missing)) == ((412, "PreconditionFailed"), (404, "NoSuchKey"))
    assert faulty.requests[1:] == [Request("PUT", KEY, 412), Request("GET", "jobs/ä b.json", 404)]


def test_listing_and_asking_and_deleting_go_through(faulty, program):
    program.put()

    listed = program.client.list_objects_v2(Bucket=faulty.bucket)["Contents"]
    size = program.client.head_object(Bucket=faulty.bucket, Key=KEY)["ContentLength"]
    program.client.delete_object(Bucket=faulty.bucket, Key=KEY)

    assert ([found["Key"] for found in listed], size, faulty.s3.keys()) == ([KEY], 3, [])
    assert [(one.method, one.key) for one in faulty.requests] == [("PUT", KEY), ("GET", ""), ("HEAD", KEY), ("DELETE", KEY)]


def test_a_body_that_waits_to_be_asked_for_goes_through(faulty, program, tmp_path):
    (tmp_path / "large").write_bytes(CONTENT * 400)

    with (tmp_path / "large").open("rb") as body:
        program.put(body)

    assert faulty.s3.get(KEY) == CONTENT * 400


def test_a_body_in_chunks_goes_through(faulty):
    told = httpx.put(f"{faulty.url}/{faulty.bucket}/{KEY}", content=iter([CONTENT, b"", b"end"]))

    assert (told.status_code, faulty.s3.get(KEY)) == (200, CONTENT + b"end")


# --- errors


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (403, "AccessDenied"),
        (404, "NoSuchKey"),
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
        (500, "InternalError"),
        (503, "SlowDown"),
    ],
)
def test_an_error_is_told_as_s3_tells_it_and_nothing_is_written(faulty, program, number, code):
    faulty.on(method="PUT", fault=faults.status(number), times=1)

    with pytest.raises(ClientError) as error:
        program.put()

    assert (refusal(error), faulty.s3.keys()) == ((number, code), [])
    assert faulty.requests == [Request("PUT", KEY, number, "status")]
    assert_unharmed(faulty, program)


def test_an_error_may_have_a_code_of_its_own(faulty, program):
    faulty.on(fault=faults.status(404, "NoSuchBucket"))

    with pytest.raises(ClientError) as error:
        program.get()

    assert refusal(error) == (404, "NoSuchBucket")


def test_an_error_may_be_a_lie(faulty, program):
    faulty.on(method="PUT", fault=faults.status(500, forward=True))

    with pytest.raises(ClientError) as error:
        program.put()

    assert (refusal(error), faulty.s3.get(KEY)) == ((500, "InternalError"), b"new")


# --- broken connections


def test_a_reset_comes_before_the_write(faulty, program):
    faulty.on(method="PUT", fault=faults.reset, times=1)

    with pytest.raises(ConnectionClosedError, match="Connection"):
        program.put()

    assert (faulty.s3.keys(), faulty.requests) == ([], [Request("PUT", KEY, None, "reset")])
    assert_unharmed(faulty, program)


def test_a_reply_is_lost_after_the_write(faulty, program):
    faulty.on(method="PUT", fault=faults.lost_reply, times=1)

    with pytest.raises(ConnectionClosedError):
        program.put()

    assert (faulty.s3.get(KEY), faulty.requests) == (b"new", [Request("PUT", KEY, None, "lost_reply")])
    assert_unharmed(faulty, program)


def test_silence_lasts_until_the_client_leaves(faulty, program):
    silent = faulty.on(method="PUT", fault=faults.silence, times=1)

    with closing(client_at(faulty.url, patience=0.2)) as client, pytest.raises(ReadTimeoutError):
        Program(client, faulty.bucket).put()

    silent.arrived()  # by then, be it after the client has left
    assert (faulty.s3.keys(), faulty.requests) == ([], [Request("PUT", KEY, None, "silence")])
    assert_unharmed(faulty, program)


def test_a_slow_body_arrives_in_the_end(faulty, program):
    faulty.s3.put(KEY, CONTENT)
    faulty.on(method="GET", fault=faults.slow_body(0.3), times=1)
    before = datetime.now(UTC)

    assert program.get() == CONTENT

    assert (datetime.now(UTC) - before).total_seconds() > 0.25
    assert_unharmed(faulty, program)


def test_a_broken_body_is_noticed(faulty, program):
    faulty.s3.put(KEY, CONTENT)
    faulty.on(method="GET", fault=faults.broken_body(), times=1)

    with pytest.raises(ResponseStreamingError):
        program.get()

    assert faulty.requests == [Request("GET", KEY, 200, "broken_body")]
    assert_unharmed(faulty, program)


def test_a_bucket_that_is_gone_refuses_until_it_comes_back(faulty, program):
    program.put(b"old")
    faulty.gone()

    with pytest.raises(EndpointConnectionError):
        program.put()
    assert faulty.s3.get(KEY) == b"old"

    faulty.come_back()
    assert_unharmed(faulty, program)


# --- hold


def test_a_held_request_is_carried_out_when_it_is_released(faulty, program, background):
    held = faulty.on(method="PUT", fault=faults.held_request)
    put = background(program.put)

    held.arrived()
    assert (put.done(), faulty.s3.get(KEY)) == (False, None)

    held.release()
    assert (put.result(30), faulty.s3.get(KEY)) == (faulty.s3.put("same", b"new"), b"new")
    assert_unharmed(faulty, program)


def test_a_held_request_is_carried_out_though_its_client_has_left(faulty):
    held = faulty.on(method="PUT", fault=faults.held_request)
    with closing(client_at(faulty.url, patience=0.2)) as client, pytest.raises(ReadTimeoutError):
        Program(client, faulty.bucket).put()
    held.arrived()
    assert faulty.s3.keys() == []

    held.release()

    wait_for(faulty.s3.keys, "the write arrives late", 30)
    assert faulty.s3.get(KEY) == b"new"


def test_a_held_reply_is_that_of_a_write_that_is_done(faulty, program, background):
    held = faulty.on(method="PUT", fault=faults.held_reply)
    put = background(program.put)

    wait_for(faulty.s3.keys, "the write is done", 30)
    assert (put.done(), faulty.requests) == (False, [Request("PUT", KEY, None, "held_reply")])

    held.release()
    assert put.result(30) == faulty.s3.put("same", b"new")
    assert_unharmed(faulty, program)


def test_what_is_held_ends_with_the_proxy(s3, background):
    with FaultyBucket(s3) as faulty, closing(client_at(faulty.url, patience=30)) as client:
        held = faulty.on(fault=faults.held_request)
        put = background(Program(client, s3.bucket).put)
        held.arrived()

    assert isinstance(put.exception(30), ConnectionClosedError)
    assert (s3.keys(), [thread for thread in threading.enumerate() if thread.name == "faulty-bucket"]) == ([], [])


# --- rules


def test_a_fault_lasts_as_many_times_as_it_should(faulty, program):
    faulty.on(method="PUT", key="jobs/*", fault=faults.status(503), times=2)

    for _ in range(2):
        with pytest.raises(ClientError):
            program.put()
    program.put()

    assert [one.status for one in faulty.requests] == [503, 503, 200]
    assert (faulty.count("PUT", "jobs/*"), faulty.count(status=503), faulty.count(fault="status")) == (3, 2, 2)


def test_a_client_that_tries_again_uses_them_up(faulty):
    faulty.on(method="PUT", fault=faults.status(503), times=2)

    with closing(client_at(faulty.url, attempts=3)) as client:
        Program(client, faulty.bucket).put()

    assert [one.status for one in faulty.requests] == [503, 503, 200]


def test_a_fault_meets_only_what_it_is_meant_for(faulty, program):
    faulty.on(method="GET", key="jobs/*", fault=faults.reset)

    program.put()
    program.put(key="track/a.json")

    assert program.get("track/a.json") == b"new"
    with pytest.raises(ConnectionClosedError):
        program.get()


def test_the_first_rule_that_fits_decides_until_it_is_used_up(faulty, program):
    faulty.on(fault=faults.status(409), times=1)
    faulty.on(fault=faults.status(503))

    told = []
    for _ in range(3):
        with pytest.raises(ClientError) as error:
            program.put()
        told.append(refusal(error)[0])

    assert told == [409, 503, 503]


def test_clearing_ends_every_fault(faulty, program, background):
    held = faulty.on(method="PUT", fault=faults.held_request)
    faulty.on(fault=faults.reset)
    put = background(program.put)
    held.arrived()

    faulty.clear()

    put.result(30)
    assert_unharmed(faulty, program)


# --- the server


def test_of_many_who_replace_the_same_object_exactly_one_wins(s3, monkeypatch):
    write = S3Backend.put_object

    def write_after_a_pause(*arguments, **options):
        threading.Event().wait(0.02)  # between comparing and writing: time enough for everybody to compare
        return write(*arguments, **options)

    monkeypatch.setattr(S3Backend, "put_object", write_after_a_pause)

    told = race_for_one_object(s3)

    assert told == [{"won": 1, "PreconditionFailed": THREADS - 1}] * ROUNDS


def test_locking_twice_is_locking_once_and_holds_in_mock_aws():
    locked_moto()
    locked_moto()

    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="state")
        client.put_object(Bucket="state", Key=KEY, Body=b"new")
        assert client.get_object(Bucket="state", Key=KEY)["Body"].read() == b"new"
        client.close()


def test_every_server_starts_empty_and_leaves_no_thread():
    before = set(threading.enumerate())
    for _ in range(2):
        with running_s3("other") as s3:
            assert s3.keys() == []
            s3.put(KEY, b"new")

    assert set(threading.enumerate()) - before == set()


def test_a_child_process_finds_it_by_its_environment(faulty):
    code = f"import boto3, os; boto3.client('s3').put_object(Bucket=os.environ['STATE_BUCKET'], Key={KEY!r}, Body=b'new')"

    subprocess.run([sys.executable, "-c", code], env=os.environ | faulty.env, check=True, timeout=30)

    assert (faulty.s3.get(KEY), faulty.requests) == (b"new", [Request("PUT", KEY, 200)])


# --- a small disk, a wrong clock


def test_a_small_disk_is_soon_full_and_leaves_nothing():
    with small_disk(64) as folder:
        with pytest.raises(OSError, match="No space left") as error:
            (folder / "file").write_bytes(b"x" * 65 * 1024)
        assert error.value.errno == errno.ENOSPC
        assert os.path.ismount(folder)

    assert not folder.exists()


def test_a_small_disk_ends_though_a_file_is_open_there():
    with small_disk(64) as folder:
        holder = subprocess.Popen([sys.executable, "-c", "input()"], cwd=folder, stdin=subprocess.PIPE)

    assert not folder.exists()
    holder.communicate(b"\n", timeout=10)


@pytest.mark.parametrize("seconds", [120, -120])
def test_a_worker_with_a_wrong_clock_copies_all_the_same(mirrored, faulty, seconds):
    uid, _ = mirrored.add_job()
    worker = skewed_worker(mirrored, seconds)

    faulty.wait_for(1, "PUT", f"jobs/{uid}.json", seconds=30, status=200)

    assert {round(minutes_ahead(request)) for request in faulty.requests} == {seconds / 60}
    assert worker.stop() == 0


# --- helpers


def minutes_ahead(request):
    """The clock of the program that signed it, when it came."""
    signed_at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%S%z")
    return (signed_at - request.at).total_seconds() / 60


def assert_unharmed(faulty, program):
    etag = program.put(CONTENT, "after")

    assert (program.get("after"), faulty.s3.put("after", CONTENT)) == (CONTENT, etag)
    assert faulty.count(key="after", fault="", status=200) == 2


def race_for_one_object(s3):
    """What the writers were told, counted, round by round."""
    start, told, etag = threading.Barrier(THREADS), [], s3.put(KEY, b"0")
    with closing(client_at(s3.url, patience=30)) as client, ThreadPoolExecutor(THREADS) as threads:
        program = Program(client, s3.bucket)

        def attempt(content):
            start.wait(30)
            try:
                program.put(content, IfMatch=etag)
            except ClientError as error:
                return error.response["Error"]["Code"]
            return "won"

        for number in range(ROUNDS):
            contents = [f"{number} {thread}".encode() for thread in range(THREADS)]
            told.append(dict(Counter(threads.map(attempt, contents))))
            etag = client.head_object(Bucket=s3.bucket, Key=KEY)["ETag"]
        return told
