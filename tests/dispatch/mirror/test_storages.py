"""One contract for both storages, and what is particular to each."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws
from moto.s3.responses import S3Response

from dispatch.mirror.storages import CompareAndSwapFileSystemStorage, CompareAndSwapS3Storage, Conflict

NAME = "jobs/a.json"
BUCKET = "state"


@pytest.fixture
def bucket(monkeypatch):
    """moto compares and then writes without a lock, which no real S3 does: one thread at a time, or the races lie."""
    lock = threading.RLock()
    for name in ("put_object", "get_object", "head_object", "delete_object"):
        monkeypatch.setattr(S3Response, name, locked(lock, getattr(S3Response, name)))
    with mock_aws():
        storage = CompareAndSwapS3Storage(bucket_name=BUCKET)
        storage._client.create_bucket(Bucket=BUCKET)
        yield storage


def locked(lock, method):
    def one_at_a_time(self, *arguments, **options):
        with lock:
            return method(self, *arguments, **options)

    return one_at_a_time


@pytest.fixture
def files(tmp_path):
    return CompareAndSwapFileSystemStorage(location=tmp_path)


@pytest.fixture(params=["files", "s3"])
def storage(request):
    if request.param == "files":
        return request.getfixturevalue("files")
    return request.getfixturevalue("bucket")


def test_what_was_written_is_read_with_its_etag(storage):
    etag = storage.write(NAME, b'{"seq":1}', if_match=None)

    assert storage.read(NAME) == (b'{"seq":1}', etag)


def test_content_survives_byte_for_byte(storage):
    content = bytes(range(256)) * 1000

    storage.write(NAME, content, if_match=None)

    assert storage.read(NAME)[0] == content


def test_an_empty_object_is_an_object(storage):
    storage.write(NAME, b"", if_match=None)

    assert storage.read(NAME)[0] == b""


def test_names_do_not_get_in_each_others_way(storage):
    storage.write("jobs/a.json", b"a", if_match=None)
    storage.write("public/track/a.json", b"b", if_match=None)

    assert (storage.read("jobs/a.json")[0], storage.read("public/track/a.json")[0]) == (b"a", b"b")


def test_reading_what_is_not_there_is_a_missing_file(storage):
    with pytest.raises(FileNotFoundError, match=NAME):
        storage.read(NAME)


def test_creating_what_exists_is_a_conflict(storage):
    storage.write(NAME, b"first", if_match=None)

    with pytest.raises(Conflict, match=NAME):
        storage.write(NAME, b"second", if_match=None)
    assert storage.read(NAME)[0] == b"first"


def test_creating_the_very_same_content_is_a_conflict_too(storage):
    storage.write(NAME, b"first", if_match=None)

    with pytest.raises(Conflict, match=NAME):
        storage.write(NAME, b"first", if_match=None)


def test_the_object_with_the_etag_is_replaced(storage):
    first = storage.write(NAME, b"first", if_match=None)

    second = storage.write(NAME, b"second", if_match=first)

    assert storage.read(NAME) == (b"second", second)


def test_an_object_with_another_etag_is_a_conflict(storage):
    first = storage.write(NAME, b"first", if_match=None)
    storage.write(NAME, b"second", if_match=first)

    with pytest.raises(Conflict, match=NAME):
        storage.write(NAME, b"third", if_match=first)
    assert storage.read(NAME)[0] == b"second"


def test_replacing_an_object_that_is_gone_is_a_conflict(storage):
    etag = storage.write(NAME, b"first", if_match=None)
    storage.delete(NAME)

    with pytest.raises(Conflict, match=NAME):
        storage.write(NAME, b"second", if_match=etag)
    with pytest.raises(FileNotFoundError, match=NAME):
        storage.read(NAME)


def test_of_many_writers_at_once_exactly_one_creates(storage):
    def create(number):
        try:
            storage.write(NAME, b"%d" % number, if_match=None)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        winners = [number for number in pool.map(create, range(12)) if number is not None]

    assert [b"%d" % number for number in winners] == [storage.read(NAME)[0]]


def test_readers_never_see_half_an_object(storage):
    contents = {letter * size for letter, size in ((b"a", 300_000), (b"b", 5), (b"c", 100_000))}
    etag = storage.write(NAME, b"b" * 5, if_match=None)
    done = threading.Event()

    def read_until_done():
        seen = set()
        while not done.is_set():
            seen.add(storage.read(NAME)[0])
        return seen

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read_until_done) for _ in range(2)]
        try:
            for content in sorted(contents) * 8:
                etag = storage.write(NAME, content, if_match=etag)
        finally:
            done.set()

    assert [reader.result() - contents for reader in readers] == [set(), set()]


def count_up(storage, times):
    for _ in range(times):
        while True:
            try:
                content, etag = storage.read("counter")
                storage.write("counter", b"%d" % (int(content) + 1), if_match=etag)
            except Conflict:
                continue
            break


def count_up_in_files(folder, times):
    count_up(CompareAndSwapFileSystemStorage(location=folder), times)


def test_eight_processes_on_one_file_lose_no_count(files, tmp_path):
    files.write("counter", b"0", if_match=None)
    processes = [
        multiprocessing.get_context("fork").Process(target=count_up_in_files, args=(tmp_path, 50)) for _ in range(8)
    ]

    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert ([process.exitcode for process in processes], files.read("counter")[0]) == ([0] * 8, b"400")


def test_four_threads_on_one_object_in_s3_lose_no_count(bucket):
    bucket.write("counter", b"0", if_match=None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, [bucket] * 4, [25] * 4))

    assert bucket.read("counter")[0] == b"100"


def test_a_full_disk_leaves_neither_a_draft_nor_a_damaged_file(files, tmp_path, monkeypatch):
    etag = files.write(NAME, b"first", if_match=None)

    def no_space_left(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space_left)

    with pytest.raises(OSError, match="No space left"):
        files.write(NAME, b"second", if_match=etag)
    assert (files.read(NAME)[0], [path.name for path in (tmp_path / "jobs").iterdir()]) == (b"first", ["a.json"])


def test_a_conflict_leaves_no_draft(files, tmp_path):
    files.write(NAME, b"first", if_match=None)

    with pytest.raises(Conflict, match=NAME):
        files.write(NAME, b"second", if_match=None)
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["a.json"]


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
