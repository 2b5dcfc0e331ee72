"""One contract for all storages, and what is particular to files. What is particular to S3 is in test_s3.py."""

import multiprocessing
import os
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import count, islice

import pytest
from django.core.exceptions import SuspiciousOperation
from moto import mock_aws

from dispatch.mirror.s3 import CompareAndSwapS3Storage
from dispatch.mirror.storages import (
    CHUNK_BYTES,
    CompareAndSwapFileSystemStorage,
    CompareAndSwapInMemoryStorage,
    Conflict,
    Unconditional,
    refuse_unconditional,
)
from tests.s3 import locked_moto

pytestmark = pytest.mark.processes

NAME = "jobs/a.json"
BUCKETS = (f"state-{number}" for number in count())
LARGE = bytes(range(256)) * (3 * CHUNK_BYTES // 256 + 1)


@pytest.fixture(scope="module")
def client():
    """Made once: that takes longer than most of the tests."""
    locked_moto()
    with mock_aws():
        yield CompareAndSwapS3Storage(bucket_name="any")._client


@pytest.fixture
def bucket(client):
    storage = CompareAndSwapS3Storage(bucket_name=next(BUCKETS))
    storage._shared_client = client
    client.create_bucket(Bucket=storage.bucket_name)
    return storage


@pytest.fixture
def files(tmp_path):
    return CompareAndSwapFileSystemStorage(location=tmp_path)


@pytest.fixture
def memory():
    return CompareAndSwapInMemoryStorage()


@pytest.fixture(params=["files", "memory", "bucket"])
def storage(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def hasty():
    """Threads take turns a thousand times as often, so that a gap between compare and swap is found."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


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


def test_of_many_writers_at_once_exactly_one_creates(storage, hasty):
    def create(number):
        try:
            storage.write(NAME, b"%d" % number, if_match=None)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        winners = [number for number in pool.map(create, range(12)) if number is not None]

    assert [b"%d" % number for number in winners] == [storage.read(NAME)[0]]


def test_readers_never_see_half_an_object(storage, hasty):
    contents = {letter * size for letter, size in ((b"a", 300_000), (b"b", 5), (b"c", 100_000))}
    etag = storage.write(NAME, b"b" * 5, if_match=None)

    def read_often():
        return {storage.read(NAME)[0] for _ in range(100)}

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read_often) for _ in range(2)]
        while not all(reader.done() for reader in readers):
            for content in sorted(contents):
                etag = storage.write(NAME, content, if_match=etag)

    assert [reader.result() - contents for reader in readers] == [set(), set()]


def test_a_shorter_object_replaces_a_longer_one_whole(storage):
    etag = storage.write(NAME, b"a long first object", if_match=None)

    storage.write(NAME, b"short", if_match=etag)

    assert storage.read(NAME)[0] == b"short"


def test_etags_are_known_without_reading(storage):
    first = storage.write(NAME, b"first", if_match=None)
    before = storage.etag(NAME)
    second = storage.write(NAME, b"second", if_match=first)

    assert (before, storage.etag(NAME)) == (first, second)
    assert first != second


def test_what_is_not_there_has_no_etag(storage):
    storage.write(NAME, b"{}", if_match=None)

    assert storage.etag("jobs/b.json") is None


def test_a_file_is_written_from_its_first_byte_and_left_open(storage):
    content = BytesIO(LARGE)
    content.seek(100)

    etag = storage.write(NAME, content, if_match=None)

    assert (storage.read(NAME), content.closed) == ((LARGE, etag), False)


def test_a_file_can_be_written_again_after_a_conflict(storage):
    etag = storage.write(NAME, b"first", if_match=None)
    content = BytesIO(LARGE)

    with pytest.raises(Conflict, match=NAME):
        storage.write(NAME, content, if_match=None)
    storage.write(NAME, content, if_match=etag)

    assert storage.read(NAME)[0] == LARGE


def test_a_file_and_the_same_bytes_have_the_same_etag(storage):
    assert storage.write("file", BytesIO(LARGE), if_match=None) == storage.write("bytes", LARGE, if_match=None)


def test_metadata_does_not_get_into_the_object(storage):
    storage.write(NAME, b"{}", if_match=None, metadata={"seq": "5", "epoch": "e1"})

    assert storage.read(NAME)[0] == b"{}"


# In the order of S3: by bytes, and the slash is one of them.
TREE = [
    "jobs.json",
    "jobs/-.json",
    "jobs/A.json",
    "jobs/a-b.json",
    "jobs/a.json",
    "jobs/a/b/c.json",
    "jobs/a/z.json",
    "jobs/a0.json",
    "jobs/é.json",
    "jobs/\ufb01.json",
    "jobs/\U0001f69a.json",
    "public/track/a.json",
]


@pytest.fixture
def tree(storage, monkeypatch):
    monkeypatch.setattr(CompareAndSwapS3Storage, "NAMES_PER_PAGE", 2)
    for name in reversed(TREE):
        storage.write(name, b"{}", if_match=None)
    return storage


def test_names_come_in_the_order_of_their_bytes(tree):
    assert list(tree.names("")) == TREE


def test_names_are_those_that_begin_with_the_prefix(tree):
    prefixes = ["jobs/", "jobs", "jobs/a", "jobs/a/", "jobs/a/b", "public/", "public/track/"]

    assert {prefix: list(tree.names(prefix)) for prefix in prefixes} == {
        prefix: [name for name in TREE if name.startswith(prefix)] for prefix in prefixes
    }


@pytest.mark.parametrize("prefix", ["", "jobs/", "jobs/a/"])
def test_names_go_on_behind_the_last_one(tree, prefix):
    lasts = [*TREE, "jobs/", "jobs/a", "jobs/a/", "jobs/a/b", "jobs/a/b/cc", "jobs/b", "a", "z"]

    assert {last: list(tree.names(prefix, last)) for last in lasts} == {
        last: [name for name in TREE if name.startswith(prefix) and name.encode() > last.encode()] for last in lasts
    }


def test_nothing_below_a_prefix_is_no_name_at_all(storage):
    assert [list(storage.names(prefix)) for prefix in ("", "crew/", "jobs/", "jobs/nobody")] == [[], [], [], []]


def test_an_object_is_no_folder(storage):
    storage.write(NAME, b"{}", if_match=None)

    assert list(storage.names(f"{NAME}/")) == []


def test_names_come_as_they_are_asked_for(tree):
    assert list(islice(tree.names("jobs/"), 2)) == TREE[1:3]


def test_the_names_of_a_thousand_and_more_objects_are_all_there(storage, monkeypatch):
    names = [f"jobs/{number:04}.json" for number in range(1010)]
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    for name in names:
        storage.write(name, b"", if_match=None)

    assert list(storage.names("jobs/")) == names


def test_a_storage_that_compares_is_accepted(storage):
    refuse_unconditional(storage)
    refuse_unconditional(storage)

    assert list(storage.names("")) == ["probe.json"]


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
def test_a_storage_that_ignores_a_condition_is_refused(ignored):
    class Careless(CompareAndSwapInMemoryStorage):
        def write(self, name, content, *, if_match, metadata=None):
            careless = (if_match is None) == (ignored == "If-None-Match")
            return super().write(name, content, if_match=self.etag(name) if careless else if_match, metadata=metadata)

    with pytest.raises(Unconditional, match=rf"ignores conditional writes \({ignored}\).*docs/mirror\.md"):
        refuse_unconditional(Careless())


def count_up(storage, times):
    for _ in range(times):
        while True:
            try:
                content, etag = storage.read("counter")
                storage.write("counter", b"%d" % (int(content) + 1), if_match=etag)
            except Conflict:
                continue
            break


def test_four_threads_on_one_object_lose_no_count(storage, hasty):
    storage.write("counter", b"0", if_match=None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, [storage] * 4, [25] * 4))

    assert storage.read("counter")[0] == b"100"


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


def test_a_large_file_is_never_in_memory_as_a_whole(files, tmp_path):
    (tmp_path / "export").write_bytes(LARGE * 8)

    with (tmp_path / "export").open("rb") as content:
        tracemalloc.start()
        try:
            etag = files.write(NAME, content, if_match=None)
            same = files.etag(NAME)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert (same, peak < 3 * CHUNK_BYTES) == (etag, True)


def test_drafts_and_locks_have_no_names(files, tmp_path):
    files.write(NAME, b"{}", if_match=None)
    (tmp_path / "jobs" / ".draft-abc").write_bytes(b"")
    (tmp_path / ".draft-abc").write_bytes(b"")

    assert [path.name for path in (tmp_path / ".locks").iterdir()] != []
    assert list(files.names("")) == [NAME]
    assert list(files.names("jobs/")) == [NAME]


def test_a_name_that_is_no_text_does_not_stop_the_list(files, tmp_path):
    files.write(NAME, b"{}", if_match=None)
    (tmp_path / "jobs" / "\udcff").write_bytes(b"")

    assert list(files.names("jobs/", "jobs/a")) == [NAME, "jobs/\udcff"]


def test_folders_above_the_storage_are_not_listed(files):
    with pytest.raises(SuspiciousOperation):
        list(files.names("../"))


def test_folders_that_are_not_asked_for_are_not_opened(files, tmp_path, monkeypatch):
    for name in ("jobs/a/1.json", "jobs/b/1.json", "jobs/c/1.json"):
        files.write(name, b"{}", if_match=None)
    opened, scandir = [], os.scandir
    monkeypatch.setattr("os.scandir", lambda folder: opened.append(folder.name) or scandir(folder))

    next(files.names("jobs/", "jobs/b/0.json"))

    assert opened == ["jobs", "b"]


def test_each_memory_is_its_own(memory):
    memory.write(NAME, b"{}", if_match=None)

    assert list(CompareAndSwapInMemoryStorage().names("")) == []


def test_eight_threads_on_one_object_in_memory_lose_no_count(memory, hasty):
    memory.write("counter", b"0", if_match=None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, [memory] * 8, [500] * 8))

    assert memory.read("counter")[0] == b"4000"
