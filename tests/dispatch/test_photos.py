import threading
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from PIL import Image

from dispatch import flow, photos, pictures
from dispatch.mirror.document import job_document
from dispatch.models import Job
from dispatch.photo_bucket import PhotoBucket
from qdn import environment, settings
from tests import s3
from tests.factories import make_job

NOW = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)


def jpeg(width=80, height=60, colour="red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    """Where the photos are, for one test."""
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "media"}}
    }
    return tmp_path / "media"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))


def add(job: Job, kind="before", by="Ana Ruiz") -> Job:
    return photos.add(job, ContentFile(jpeg()), kind, by=by)


def breaking_storage(monkeypatch, call: int) -> None:
    """The disk is full in the middle of a file."""
    save, calls = FileSystemStorage._save, []

    def _save(self, name, content):
        calls.append(name)
        if len(calls) == call:
            save(self, name, ContentFile(b"half"))
            raise OSError(28, "No space left on device")
        return save(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", _save)


# --- adding


@pytest.mark.parametrize("kind", ["before", "after", "ticket", "access"])
def test_a_photo_is_two_files_and_an_entry_in_its_job(job, folder, monkeypatch, kind):
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    changed = photos.add(job, ContentFile(jpeg(4000, 3000)), kind, by="Ana Ruiz")

    [entry] = changed.photos
    assert entry == {
        "id": entry["id"], "kind": kind, "width": 2048, "height": 1536, "at": "2026-05-04T15:30:00.000Z", "by": "Ana Ruiz",
    }  # fmt: skip
    assert (changed.seq, changed.updated_by, Job.objects.get().photos) == (2, "Ana Ruiz", [entry])
    names = [f"photos/{job.uid}/{entry['id']}-thumb.jpg", f"photos/{job.uid}/{entry['id']}.jpg"]
    assert files(folder) == names
    assert [Image.open(BytesIO((folder / name).read_bytes())).size for name in names] == [(480, 360), (2048, 1536)]


def test_nobody_can_guess_a_photo_s_name(job, folder):
    ids = [one["id"] for _ in range(3) for one in [add(job).photos[-1]]]

    assert len(set(ids)) == 3
    assert [len(one) for one in ids] == [24, 24, 24]  # 144 bits


def test_later_photos_stand_behind_earlier_ones_whatever_happened_in_between(job, folder):
    add(job, "before")
    flow.move(job, "scheduled", expect=2, by="Bo", channel="board")

    changed = add(job, "after", by="Dee")

    assert [(one["kind"], one["by"]) for one in changed.photos] == [("before", "Ana Ruiz"), ("after", "Dee")]
    assert (changed.status, changed.seq) == ("scheduled", 4)


def test_the_job_s_document_says_which_photos_there_are(job, folder):
    changed = add(job)

    assert job_document(changed)["photos"] == changed.photos


def test_a_long_name_is_kept_as_history_keeps_it(job, folder):
    assert add(job, by="x" * 200).photos[0]["by"] == "x" * 150


def test_a_file_that_is_no_photo_leaves_nothing_behind(job, folder):
    with pytest.raises(pictures.BadPicture):
        photos.add(job, ContentFile(b"<svg/>"), "before", by="Ana")

    assert (files(folder), Job.objects.get().photos, Job.objects.get().seq) == ([], [], 1)


def test_an_unknown_kind_is_refused(job, folder):
    with pytest.raises(flow.Refused) as refusal:
        add(job, "selfie")

    assert (refusal.value.code, str(refusal.value)) == (
        "unknown_kind", "There is no such kind of photo: “selfie”. Use one of: before, after, ticket, access.",
    )  # fmt: skip
    assert files(folder) == []


def test_of_two_photos_whose_ids_begin_alike_the_job_gets_the_first(job, folder):
    picture = pictures.read(ContentFile(jpeg()))
    first = photos.keep(job, picture, "before", by="Dee", start="a" * 16, facts={"deviceAt": "then"})

    again = photos.keep(job, picture, "before", by="Dee", start="a" * 16)

    [entry] = first.photos
    assert (entry["id"][:16], len(entry["id"]), entry["deviceAt"]) == ("a" * 16, 24, "then")
    assert (again.photos, again.seq, len(files(folder))) == ([entry], first.seq, 2)
    assert (photos.found(again, "a" * 16), photos.found(again, "b")) == (entry, None)


def test_a_job_has_sixty_photos_at_most(board, folder):
    entries = [{"id": str(number), "kind": "before"} for number in range(59)]
    job = make_job(board, photos=entries)
    full = add(job)

    with pytest.raises(flow.Refused) as refusal:
        add(full)
    with pytest.raises(flow.Refused):
        add(job)  # whoever has read the job earlier is told by the row

    assert (refusal.value.code, str(refusal.value)) == ("too_many", "A job may have 60 photos. Delete some first.")
    assert (len(Job.objects.get().photos), len(files(folder))) == (60, 2)


@pytest.mark.parametrize("call", [1, 2])
def test_when_the_storage_fails_nothing_is_left_behind(job, folder, monkeypatch, call):
    breaking_storage(monkeypatch, call)

    with pytest.raises(OSError, match="No space left"):
        add(job)

    assert (files(folder), Job.objects.get().photos) == ([], [])


def test_when_the_database_refuses_the_files_are_deleted_again(job, folder, monkeypatch):
    def locked(*_, **__):
        assert len(files(folder)) == 2
        raise OperationalError("database is locked")

    monkeypatch.setattr(flow, "_stamp", locked)

    with pytest.raises(OperationalError):
        add(job)

    assert (files(folder), Job.objects.get().photos) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_when_the_reply_to_a_commit_is_lost_the_files_stay(board, folder, monkeypatch):
    job, amend = make_job(board), flow.amend

    def committed_and_lost(*arguments, **options):
        amend(*arguments, **options)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(flow, "amend", committed_and_lost)

    with pytest.raises(OperationalError):
        add(job)

    [entry] = Job.objects.get().photos
    assert files(folder) == [f"photos/{job.uid}/{entry['id']}{ending}.jpg" for ending in ("-thumb", "")]


def test_when_nobody_can_say_what_the_database_has_the_files_stay(job, folder, monkeypatch):
    def gone(*_, **__):
        raise DatabaseError("the connection is closed")

    monkeypatch.setattr(flow, "amend", gone)
    monkeypatch.setattr(Job.objects, "get", gone)

    with pytest.raises(DatabaseError):
        add(job)

    assert len(files(folder)) == 2


def test_a_file_that_is_there_already_is_never_overwritten(job, folder, monkeypatch):
    monkeypatch.setattr(photos.secrets, "token_urlsafe", lambda size: "same")
    before = photos.add(job, ContentFile(jpeg(colour="blue")), "before", by="Ana")
    first = (folder / f"photos/{job.uid}/same.jpg").read_bytes()

    with pytest.raises(FileExistsError):
        add(job)

    assert before.photos == Job.objects.get().photos
    assert files(folder) == [f"photos/{job.uid}/same-thumb.jpg", f"photos/{job.uid}/same.jpg"]
    assert (folder / f"photos/{job.uid}/same.jpg").read_bytes() == first


@pytest.mark.django_db(transaction=True)
def test_no_file_is_touched_inside_a_transaction(board, folder, monkeypatch):
    job, inside = make_job(board), []
    for name in ("_save", "delete"):
        method = getattr(FileSystemStorage, name)
        monkeypatch.setattr(
            FileSystemStorage, name,
            lambda *found, method=method: inside.append(connection.in_atomic_block) or method(*found),
        )  # fmt: skip

    changed = add(job)
    photos.remove(changed, changed.photos[0]["id"], by="Ana")

    assert inside == [False] * 4


@pytest.mark.django_db(transaction=True)
def test_photos_that_come_at_the_same_time_are_all_kept(board, folder):
    job = make_job(board)
    start, crowd = threading.Barrier(6), []

    def send(number: int) -> None:
        start.wait(20)
        try:
            for _ in range(3):
                add(job, by=f"phone {number}")
        finally:
            connection.close()

    for number in range(6):
        crowd.append(threading.Thread(target=send, args=[number]))
        crowd[-1].start()
    for thread in crowd:
        thread.join(60)

    kept = Job.objects.get()
    assert sorted(one["by"] for one in kept.photos) == sorted(f"phone {number}" for number in range(6) for _ in range(3))
    assert (kept.seq, len({one["id"] for one in kept.photos}), len(files(folder))) == (19, 18, 36)


# --- removing


def test_a_removed_photo_is_gone_with_its_files_once_the_change_is_committed(
    job, folder, django_capture_on_commit_callbacks
):
    changed = add(add(job), "after")
    first, second = changed.photos

    with django_capture_on_commit_callbacks(execute=True):
        left = photos.remove(job, first["id"], by="Bo")
        assert len(files(folder)) == 4

    assert (left.photos, left.seq, left.updated_by) == ([second], 4, "Bo")
    assert files(folder) == [f"photos/{job.uid}/{second['id']}{ending}.jpg" for ending in ("-thumb", "")]


def test_what_is_not_there_cannot_be_removed(job, folder, board):
    other = add(make_job(board))

    with pytest.raises(photos.NoSuchPhoto):
        photos.remove(job, other.photos[0]["id"], by="Bo")

    assert (Job.objects.get(pk=job.pk).seq, len(files(folder))) == (1, 2)


def test_a_file_that_cannot_be_deleted_is_named_in_the_log(
    job, folder, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def refuse(self, name):
        raise PermissionError(name)

    changed = add(job)
    monkeypatch.setattr(FileSystemStorage, "delete", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        left = photos.remove(changed, changed.photos[0]["id"], by="Bo")

    assert left.photos == []
    assert [record.getMessage() for record in caplog.records] == [f"Could not delete {name}" for name in [
        f"photos/{job.uid}/{changed.photos[0]['id']}.jpg", f"photos/{job.uid}/{changed.photos[0]['id']}-thumb.jpg",
    ]]  # fmt: skip


# --- serving


@pytest.mark.parametrize(("size", "ending"), [("full", ""), ("thumb", "-thumb")])
def test_a_file_is_served_as_a_picture_and_nothing_else(job, folder, size, ending):
    changed = add(job)
    photo_id = changed.photos[0]["id"]

    response = photos.serve(changed, photo_id, size)

    assert response.content == (folder / f"photos/{job.uid}/{photo_id}{ending}.jpg").read_bytes()
    assert dict(response.items()) == {
        "Content-Type": "image/jpeg",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=86400",
    }


@pytest.mark.parametrize("size", ["", "huge", "../full"])
def test_there_are_two_sizes(job, folder, size):
    changed = add(job)

    with pytest.raises(photos.NoSuchPhoto):
        photos.serve(changed, changed.photos[0]["id"], size)


def test_only_the_job_s_own_photos_are_served(board, job, folder):
    (folder / "photos" / job.uid).mkdir(parents=True)
    (folder / "photos" / job.uid / "stray.jpg").write_bytes(b"no entry names it")
    other = add(make_job(board))

    for photo_id in (other.photos[0]["id"], "stray", "../../../db.sqlite3", ""):
        with pytest.raises(photos.NoSuchPhoto):
            photos.serve(job, photo_id, "full")


def test_an_entry_whose_file_is_lost_is_no_photo(board, folder):
    job = make_job(board, photos=[{"id": "lost", "kind": "before"}])

    with pytest.raises(photos.NoSuchPhoto):
        photos.serve(job, "lost", "full")


# --- in a bucket


def options() -> dict:
    """Those of the settings, when there is a bucket."""
    source = Path(settings.__file__).read_text()
    named = {"MEDIA_BUCKET": "media", "S3_ADDRESSING_STYLE": "auto"}
    start = source.index('"OPTIONS": {', source.index('"dispatch.photo_bucket.PhotoBucket"')) + len('"OPTIONS": ')
    return eval(source[start : source.index("\n        },", start) + 10], named)


@pytest.fixture
def bucket(settings, monkeypatch):
    with s3.running_s3("media") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        settings.STORAGES = settings.STORAGES | {
            "default": {"BACKEND": "dispatch.photo_bucket.PhotoBucket", "OPTIONS": options()}
        }
        yield server
        storages["default"].connection.meta.client.close()


def test_a_bucket_has_both_files_private_and_under_the_names_that_the_job_knows(job, bucket):
    [entry] = add(job).photos

    keys = [f"photos/{job.uid}/{entry['id']}-thumb.jpg", f"photos/{job.uid}/{entry['id']}.jpg"]
    heads = [bucket.client.head_object(Bucket="media", Key=key) for key in keys]
    grants = [bucket.client.get_object_acl(Bucket="media", Key=key)["Grants"] for key in keys]
    assert bucket.keys() == keys
    assert [(head["ContentType"], head["CacheControl"]) for head in heads] == [("image/jpeg", "private, max-age=86400")] * 2
    assert [grant["Grantee"]["Type"] for granted in grants for grant in granted] == ["CanonicalUser"] * 2


def test_from_a_bucket_the_browser_fetches_it_itself_for_a_quarter_of_an_hour(job, bucket):
    changed = add(job)
    [entry] = changed.photos

    response = photos.serve(changed, entry["id"], "thumb")

    url = urlsplit(response["Location"])
    query = parse_qs(url.query)
    with urlopen(response["Location"], timeout=5) as answer:
        fetched, kind = answer.read(), answer.headers["Content-Type"]
    assert (response.status_code, response["Cache-Control"]) == (302, "private, max-age=600")
    assert f"{url.scheme}://{url.netloc}" == bucket.url == environment.bucket_origin("media", "auto")
    assert (url.path, query["X-Amz-Expires"]) == (f"/media/photos/{job.uid}/{entry['id']}-thumb.jpg", ["900"])
    assert len(query["X-Amz-Signature"]) == 1
    assert (fetched, kind) == (bucket.get(f"photos/{job.uid}/{entry['id']}-thumb.jpg"), "image/jpeg")


def test_a_removed_photo_is_deleted_from_the_bucket(job, bucket, django_capture_on_commit_callbacks):
    changed = add(job)

    with django_capture_on_commit_callbacks(execute=True):
        photos.remove(changed, changed.photos[0]["id"], by="Ana")

    assert bucket.keys() == []


def test_when_the_database_refuses_the_bucket_is_left_as_it_was(job, bucket, monkeypatch):
    def full(*_, **__):
        raise flow.Refused("too_many", "Full.")

    monkeypatch.setattr(flow, "amend", full)

    with pytest.raises(flow.Refused):
        add(job)

    assert [key for key, content in bucket.written if content is not None] == [key for key, content in bucket.written[:2]]
    assert (len(bucket.written), bucket.keys()) == (4, [])


@pytest.mark.parametrize(
    ("region", "endpoint", "name", "style"),
    [
        ("", "", "my-media", "auto"),
        ("us-east-1", "", "my-media", "virtual"),
        ("eu-west-1", "", "my-media", "auto"),
        ("eu-west-1", "", "my.media", "auto"),
        ("ap-southeast-2", "", "my-media", "path"),
        ("", "http://127.0.0.1:9000", "my-media", "auto"),
        ("", "http://127.0.0.1:9000", "my-media", "virtual"),
        ("", "https://minio.example.com", "my-media", "auto"),
        ("eu-west-1", "https://minio.example.com", "my-media", "virtual"),
        ("eu-west-1", "https://minio.example.com", "my.media", "virtual"),
    ],
)
def test_signed_urls_are_of_the_origin_that_the_pages_allow(monkeypatch, region, endpoint, name, style):
    for variable, value in (("AWS_DEFAULT_REGION", region), ("AWS_ENDPOINT_URL", endpoint)):
        monkeypatch.delenv(variable, raising=False)
        if value:
            monkeypatch.setenv(variable, value)

    url = urlsplit(PhotoBucket(**options() | {"bucket_name": name, "addressing_style": style}).url("photos/a/b.jpg"))

    assert f"{url.scheme}://{url.netloc}" == environment.bucket_origin(name, style)


def test_all_requests_share_one_client(monkeypatch):
    bucket, found = PhotoBucket(**options()), []
    threads = [threading.Thread(target=lambda: found.append(bucket.connection)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert (len(found), {id(one) for one in found}) == (4, {id(found[0])})
