import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from dispatch import flow, photo_admin, photos, pictures
from dispatch.models import Job
from tests.dispatch.test_admin import messages, office, page, text, typed, watcher
from tests.dispatch.test_photos import add, files, folder, jpeg
from tests.factories import make_job

__all__ = ["folder", "office", "watcher"]  # fixtures
NO_PHOTO = "This is not a photo we can read: use JPEG, PNG, WebP or HEIC."
AGAIN = "Choose the photos again: browsers forget them when a form comes back."


def chosen(name="photo.jpg", content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg() if content is None else content, "image/jpeg")


def save(office, job: Job, **fields):
    """Sends the page as the browser does, and follows to the list."""
    sent = typed(version=job.seq, customer_language="en", customer_notify="on", new_photos_kind="before") | fields
    return office.post(page(job), sent, follow=True)


@pytest.fixture
def saved(django_capture_on_commit_callbacks, office):
    def saved(job, **fields):
        with django_capture_on_commit_callbacks(execute=True):
            return save(office, job, **fields)

    return saved


# --- what the page shows


def test_the_page_shows_each_photo_with_a_link_to_the_large_one_and_a_box_to_delete_it(office, job, folder):
    photo = add(job).photos[0]

    answer = office.get(page(job))

    address = f"/jobs/{job.uid}/photos/{photo['id']}.jpg"
    shown = f'<a href="{address}"><img src="{address}?size=thumb" alt="Before" height="120" loading="lazy"></a> Before'
    assert answer.content.decode().count(shown) == 1
    assert f'<input type="checkbox" name="removed_photos" value="{photo["id"]}"' in answer.content.decode()
    assert '<input type="file" name="new_photos"' in answer.content.decode()
    assert 'enctype="multipart/form-data"' in answer.content.decode()
    assert "· Ana Ruiz" in text(answer)
    assert office.get(address).status_code == 200


def test_the_page_has_nothing_that_the_policy_forbids(office, board, folder):
    job = make_job(board, photos=[{"id": "1", "kind": "<script>", "by": "<b onload=x>"}])

    body = office.get(page(job)).content.decode()

    assert ("&lt;script&gt;" in body, "<b onload" in body, " style=" in body) == (True, False, False)


def test_people_who_may_only_look_see_the_photos_and_cannot_change_them(watcher, job, folder):
    add(job)

    body = watcher.get(page(job)).content.decode()

    assert (body.count("?size=thumb"), "new_photos" in body, "removed_photos" in body) == (1, False, False)
    assert watcher.post(page(job), typed(new_photos=[chosen()])).status_code == 403
    assert len(files(folder)) == 2


def test_a_new_job_has_no_photos_yet(office, board, folder):
    assert "new_photos" not in office.get("/admin/dispatch/job/add/").content.decode()


# --- adding


def test_several_photos_of_a_kind_are_added_at_once(saved, job, folder):
    answer = saved(job, new_photos=[chosen("a.jpg"), chosen("b.jpg")], new_photos_kind="after", notes="Two sofas")

    row = Job.objects.get()
    assert [message[-26:] for message in messages(answer)] == ["” was changed successfully."[-26:]]
    assert [(one["kind"], one["by"]) for one in row.photos] == [("after", "root")] * 2
    assert (row.notes, len(files(folder))) == ("Two sofas", 4)


def test_saving_without_a_file_changes_nothing(saved, job, folder):
    saved(job)

    assert (Job.objects.get().seq, Job.objects.get().photos) == (1, [])


def test_a_refused_file_is_an_error_beside_the_field_and_the_other_edits_stay(saved, job, folder):
    answer = saved(
        job, new_photos=[chosen("good.jpg"), chosen("bad.jpg", b"<svg/>")], notes="Two sofas", new_photos_kind="after"
    )

    form = answer.context["adminform"].form
    assert form.errors == {"new_photos": [f"bad.jpg: {NO_PHOTO}"]}
    assert (form["notes"].value(), form["new_photos_kind"].value()) == ("Two sofas", "after")
    assert (files(folder), Job.objects.get().photos, Job.objects.get().notes) == ([], [], "")


def test_with_another_error_one_is_told_to_choose_the_photos_again(saved, job, folder):
    answer = saved(job, new_photos=[chosen()], location="")

    errors = answer.context["adminform"].form.errors
    assert errors == {"location": ["This field is required."], "new_photos": [AGAIN]}
    assert files(folder) == []


def test_who_loses_a_race_keeps_the_edits_and_is_told_to_choose_the_photos_again(saved, job, folder):
    flow.edit(job, {"notes": "Bo's"}, expect=job.seq, by="Bo")

    answer = saved(job, new_photos=[chosen()], notes="Ana's")

    form = answer.context["adminform"].form
    assert (form["notes"].value(), form.errors["new_photos"]) == ("Ana's", [AGAIN])
    assert (Job.objects.get().photos, files(folder)) == ([], [])


def test_ten_files_at_a_time_are_the_most(saved, job, folder):
    answer = saved(job, new_photos=[chosen() for _ in range(11)])

    assert answer.context["adminform"].form.errors == {"new_photos": ["Choose at most 10 files at a time."]}


def test_a_job_has_sixty_photos_at_most_but_deleted_ones_make_room(saved, board, folder):
    entries = [{"id": f"photo-{number}", "kind": "before"} for number in range(60)]
    job = make_job(board, photos=entries)

    full = saved(job, new_photos=[chosen()])
    changed = saved(job, new_photos=[chosen()], removed_photos=["photo-7"])

    assert full.context["adminform"].form.errors["new_photos"][0] == "A job may have 60 photos. Delete some first."
    row = Job.objects.get()
    assert (len(row.photos), "photo-7" in {one["id"] for one in row.photos}, changed.status_code) == (60, False, 200)


@pytest.mark.django_db(transaction=True)
def test_pictures_are_read_and_stored_while_the_database_is_free(board, office, folder, monkeypatch):
    """On SQLite a transaction keeps everybody else from writing, and reading ten photos takes seconds."""
    job, inside = make_job(board), []

    def noting(method):
        return lambda *arguments: inside.append(connection.in_atomic_block) or method(*arguments)

    monkeypatch.setattr(pictures, "read", noting(pictures.read))
    monkeypatch.setattr(FileSystemStorage, "_save", noting(FileSystemStorage._save))

    save(office, job, new_photos=[chosen(), chosen()])

    assert inside == [False] * 6
    assert len(Job.objects.get().photos) == 2


@pytest.mark.django_db(transaction=True)
def test_when_the_storage_fails_the_other_edits_are_saved_and_it_is_said(board, office, folder, monkeypatch, caplog):
    job = make_job(board)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)

    answer = save(office, job, new_photos=[chosen()], notes="Two sofas")

    assert "A photo could not be stored or deleted. Everything else is saved; try again later." in messages(answer)
    assert (Job.objects.get().notes, Job.objects.get().photos) == ("Two sofas", [])
    assert [record.name for record in caplog.records] == [photo_admin.__name__]


# --- deleting


def test_ticked_photos_are_deleted(saved, job, folder):
    first, second = add(add(job), "after").photos
    job.refresh_from_db()

    saved(job, removed_photos=[first["id"]])

    assert Job.objects.get().photos == [second]
    assert [name.split("/")[-1] for name in files(folder)] == [f"{second['id']}-thumb.jpg", f"{second['id']}.jpg"]


def test_a_photo_that_somebody_else_deleted_meanwhile_is_no_error(saved, job, folder, monkeypatch):
    entry = add(job).photos[0]
    job.refresh_from_db()

    def gone(*_, **__):
        raise photos.NoSuchPhoto

    monkeypatch.setattr(photos, "remove", gone)

    answer = saved(job, removed_photos=[entry["id"]])

    assert [message[-26:] for message in messages(answer)] == ["” was changed successfully."[-26:]]


def test_photos_of_other_jobs_cannot_be_deleted_here(saved, board, job, folder):
    other = add(make_job(board)).photos[0]

    answer = saved(job, removed_photos=[other["id"]])

    assert list(answer.context["adminform"].form.errors) == ["removed_photos"]
    assert len(files(folder)) == 2
