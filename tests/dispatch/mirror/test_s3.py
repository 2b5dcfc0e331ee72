"""What is particular to the storage in S3: what it sends, how it reads the answers, and servers that are not Amazon's."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import islice
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws

from dispatch.mirror.s3 import CompareAndSwapS3Storage
from dispatch.mirror.storages import Conflict, Unconditional, refuse_unconditional

pytestmark = pytest.mark.processes

NAME = "jobs/a.json"
BUCKET = "state"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def bucket():
    with mock_aws():
        storage = CompareAndSwapS3Storage(bucket_name=BUCKET)
        storage._client.create_bucket(Bucket=BUCKET)
        yield storage


@pytest.fixture
def requests(bucket):
    """The names of the requests that were sent from now on."""
    sent = []
    bucket._client.meta.events.register("before-call.s3", lambda model, **_: sent.append(model.name))
    return sent


def test_a_missing_bucket_is_not_a_missing_object(bucket):
    storage = CompareAndSwapS3Storage(bucket_name="nobody-made-this")

    with pytest.raises(ClientError, match="NoSuchBucket"):
        storage.read(NAME)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        storage.write(NAME, b"", if_match='"etag"')


def test_objects_in_s3_are_json_that_no_cache_keeps(bucket):
    bucket.write(NAME, b"{}", if_match=None)

    reply = bucket._client.head_object(Bucket=BUCKET, Key=NAME)

    assert (reply["ContentType"], reply["CacheControl"]) == ("application/json", "no-cache")


@pytest.mark.parametrize(("status", "code"), [(409, "ConditionalRequestConflict"), (412, "PreconditionFailed")])
def test_s3_says_conflict_in_two_ways(bucket, status, code):
    with Stubber(bucket._client) as answers:
        answers.add_client_error("put_object", code, http_status_code=status)

        with pytest.raises(Conflict, match=NAME):
            bucket.write(NAME, b"{}", if_match=None)


def test_an_answer_of_s3_that_breaks_off_is_an_error_and_no_object(bucket):
    with Stubber(bucket._client) as answers:
        answers.add_response("get_object", {"Body": StreamingBody(BytesIO(b'{"se'), 40), "ETag": '"etag"'})

        with pytest.raises(IncompleteReadError):
            bucket.read(NAME)


def test_all_threads_use_one_s3_client(bucket):
    storage = CompareAndSwapS3Storage(bucket_name=BUCKET)

    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(lambda _: storage._client, range(8)))

    assert [client is clients[0] for client in clients] == [True] * 8


def test_s3_is_not_waited_for_forever(bucket):
    config = bucket._client.meta.config

    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (5, 15, 3)


def test_a_missing_bucket_has_no_etags_and_no_names(bucket):
    storage = CompareAndSwapS3Storage(bucket_name="nobody-made-this")

    with pytest.raises(ClientError, match="NoSuchBucket"):
        storage.etag(NAME)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        list(storage.names("jobs/"))


def test_metadata_is_shown_by_s3(bucket):
    bucket.write(NAME, b"{}", if_match=None, metadata={"seq": "5", "epoch": "0b4d"})

    assert bucket._client.head_object(Bucket=BUCKET, Key=NAME)["Metadata"] == {"seq": "5", "epoch": "0b4d"}


def test_a_replaced_object_has_the_new_metadata_only(bucket):
    etag = bucket.write(NAME, b"{}", if_match=None, metadata={"seq": "5", "epoch": "0b4d"})

    bucket.write(NAME, b"[]", if_match=etag)

    assert bucket._client.head_object(Bucket=BUCKET, Key=NAME)["Metadata"] == {}


def test_a_large_file_is_handed_over_and_not_read_first(bucket):
    class Unread(BytesIO):
        def read(self, *size):
            raise AssertionError("read before it was sent")

    content = Unread(b"{}")
    content.seek(1)
    sent = []
    bucket._client.meta.events.register(
        "provide-client-params.s3.PutObject", lambda params, **_: sent.append((params["Body"], params["Body"].tell()))
    )

    with Stubber(bucket._client) as answers:
        answers.add_response("put_object", {"ETag": '"etag"'})
        bucket.write(NAME, content, if_match=None)

    assert sent == [(content, 0)]


def test_the_etag_of_an_object_is_one_request_without_its_content(bucket, requests):
    etag = bucket.write(NAME, b"{}", if_match=None)
    requests.clear()

    assert (bucket.etag(NAME), requests) == (etag, ["HeadObject"])


def test_a_refused_look_is_an_error_and_no_missing_object(bucket):
    with Stubber(bucket._client) as answers:
        answers.add_client_error("head_object", "403", http_status_code=403)

        with pytest.raises(ClientError, match="403"):
            bucket.etag(NAME)


def test_names_are_listed_page_by_page_as_they_are_asked_for(bucket, requests, monkeypatch):
    monkeypatch.setattr(CompareAndSwapS3Storage, "NAMES_PER_PAGE", 2)
    for number in range(5):
        bucket.write(f"jobs/{number}.json", b"{}", if_match=None)
    requests.clear()

    names = bucket.names("jobs/", "jobs/0.json")

    assert (list(islice(names, 2)), requests) == (["jobs/1.json", "jobs/2.json"], ["ListObjectsV2"])
    assert (list(names), requests) == (["jobs/3.json", "jobs/4.json"], ["ListObjectsV2"] * 2)


def test_a_folder_of_the_console_is_no_object(bucket):
    bucket._client.put_object(Bucket=BUCKET, Key="jobs/", Body=b"")
    bucket.write(NAME, b"{}", if_match=None)

    assert list(bucket.names("jobs/")) == [NAME]


@pytest.mark.parametrize("location", ["here", "here/"])
def test_a_storage_in_a_folder_of_the_bucket_sees_that_folder(bucket, location):
    bucket.write("here.json", b"", if_match=None)
    bucket.write("jobs/z.json", b"", if_match=None)
    storage = CompareAndSwapS3Storage(bucket_name=BUCKET, location=location)

    for name in ("jobs/a.json", "jobs/b.json", "jobs.json"):
        storage.write(name, b"{}", if_match=None)

    assert list(storage.names("")) == ["jobs.json", "jobs/a.json", "jobs/b.json"]
    assert list(storage.names("jobs/", "jobs/a.json")) == ["jobs/b.json"]
    assert list(bucket.names("here/")) == ["here/jobs.json", "here/jobs/a.json", "here/jobs/b.json"]


def test_a_server_that_ignores_conditions_is_refused(bucket):
    def ignore(params, **_):
        params["headers"].pop("If-Match", None)

    bucket._client.meta.events.register("before-call.s3.PutObject", ignore)

    with pytest.raises(Unconditional, match="ignores conditional writes"):
        refuse_unconditional(bucket)


def test_a_server_that_cannot_be_asked_is_not_accepted(bucket):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        refuse_unconditional(CompareAndSwapS3Storage(bucket_name="nobody-made-this"))


def test_thirty_two_threads_send_at_the_same_time(bucket):
    assert bucket._client.meta.config.max_pool_connections == 32


def test_what_is_set_by_hand_wins_over_our_patience():
    storage = CompareAndSwapS3Storage(bucket_name=BUCKET, client_config=Config(read_timeout=60))

    assert (storage._client.meta.config.read_timeout, storage._client.meta.config.connect_timeout) == (60, 5)


@pytest.mark.parametrize("wanted", ["when_required", "when_supported"])
def test_the_sdks_own_variables_set_the_checksums_and_the_server(monkeypatch, wanted):
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", wanted)
    monkeypatch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", wanted)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://objects.example.com")

    meta = CompareAndSwapS3Storage(bucket_name=BUCKET)._client.meta

    assert (meta.config.request_checksum_calculation, meta.config.response_checksum_validation, meta.endpoint_url) == (
        wanted, wanted, "https://objects.example.com",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("style", "address"),
    [
        ("path", "https://objects.example.com/state/jobs/a.json"),
        ("virtual", "https://state.objects.example.com/jobs/a.json"),
        ("auto", "https://objects.example.com/state/jobs/a.json"),
    ],
)
def test_the_addressing_style_decides_where_the_bucket_is_named(monkeypatch, tmp_path, style, address):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://objects.example.com")
    monkeypatch.setenv("S3_ADDRESSING_STYLE", style)
    monkeypatch.setenv("STATE_BUCKET", BUCKET)
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "qdn.settings")

    ran = subprocess.run([sys.executable, "-c", SHOW_ADDRESS], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (ran.stdout.partition("?")[0], ran.stderr) == (address, "")


SHOW_ADDRESS = """
from django.core.files.storage import storages
print(storages["state"]._client.generate_presigned_url("get_object", storages["state"]._object("jobs/a.json")))
"""
