"""Photos of a job: before, after, the ticket of the dump, and what the crew stood before when they had no access.

The files are in STORAGES["default"], private: `photos/<job uid>/<photo id>.jpg` and `…-thumb.jpg`. `Job.photos` says which
there are, `{"id", "kind", "width", "height", "at", "by", "deviceAt"?}`, sizes in pixels, times in ISO 8601. Files are
written before their entry and deleted after it: an entry always has its files, and whatever is interrupted leaves at most
files that no entry names.
"""

import logging
import secrets
from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import IO, Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import DatabaseError, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone

from . import flow, pictures
from .board import iso
from .models import Job
from .pictures import Picture
from .rules import Refused

KINDS: Mapping[str, str] = MappingProxyType(
    {"before": "Before", "after": "After", "ticket": "Dump ticket", "access": "No access"}
)
"""Every kind with its label."""
MOST = 60
"""Of one job."""
SIZES = {"full": "", "thumb": "-thumb"}
BROWSERS_KEEP = 86400
"""Seconds. A photo never changes under its id."""
REDIRECTS_LAST = 600
"""Seconds: less than a signed URL works."""

logger = logging.getLogger(__name__)


class NoSuchPhoto(Exception):
    """The job has no such photo, or not in this size."""


def add(job: Job, upload: File | IO[bytes], kind: str, *, by: str) -> Job:
    """Reads a photo and keeps it. Raises BadPicture, and Refused."""
    check_room(job, kind)
    return keep(job, pictures.read(upload), kind, by=by)


def keep(
    job: Job, picture: Picture, kind: str, *, by: str, start: str = "", facts: Mapping[str, Any] | None = None
) -> Job:  # fmt: skip
    """Keeps a picture that was read already, with `facts` in its entry. Its id begins with `start`: of two with the same
    start, such as one that was sent twice, the job gets the first. Not for use inside a transaction. Raises Refused."""
    # 144 bits, random or of a secret hash: nobody guesses a name, and no two photos get the same
    photo_id = start + secrets.token_urlsafe(18)[len(start) :]
    entry = {
        "id": photo_id, "kind": kind, "width": picture.width, "height": picture.height, "at": iso(timezone.now()),
        "by": by[: flow.BY_LENGTH], **(facts or {}),
    }  # fmt: skip
    names = file_names(job, photo_id)
    _store(names, picture)
    try:
        kept = flow.amend(job, partial(_with, entry, start), by=by)
    except BaseException as error:
        if not (isinstance(error, DatabaseError) and _may_be_noted(job, photo_id)):
            _delete(names.values())
        raise
    if not _named(kept, photo_id):
        _delete(names.values())
    return kept


def found(job: Job, start: str) -> dict[str, Any] | None:
    """The entry of the photo whose id begins so."""
    return next((one for one in job.photos if one["id"].startswith(start)), None)


def remove(job: Job, photo_id: str, *, by: str) -> Job:
    """Takes a photo out of the job; its files are deleted after the commit. Raises NoSuchPhoto."""
    changed = flow.amend(job, partial(_without, photo_id), by=by)
    transaction.on_commit(partial(_delete, list(file_names(job, photo_id).values())), robust=True)
    return changed


def serve(job: Job, photo_id: str, size: str) -> HttpResponse:
    """The JPEG itself, or from a bucket a redirect to where the browser may fetch it for a quarter of an hour. `size` is
    full or thumb. Whoever may see it was asked before. Raises NoSuchPhoto."""
    if size not in SIZES or not _named(job, photo_id):
        raise NoSuchPhoto
    storage, name = storages["default"], file_names(job, photo_id)[size]
    if not _is_folder(storage):
        response: HttpResponse = HttpResponseRedirect(storage.url(name))
        response["Cache-Control"] = f"private, max-age={REDIRECTS_LAST}"
        return response
    try:
        with storage.open(name) as file:
            response = HttpResponse(file.read(), content_type="image/jpeg")  # a file to stream blocks under ASGI
    except FileNotFoundError as error:
        raise NoSuchPhoto from error
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = f"private, max-age={BROWSERS_KEEP}"
    return response


def file_names(job: Job, photo_id: str) -> dict[str, str]:
    """The name of each size's file."""
    return {size: f"photos/{job.uid}/{photo_id}{ending}.jpg" for size, ending in SIZES.items()}


def check_room(job: Job, kind: str, more: int = 1) -> None:
    """Raises Refused unless the job can have so many more photos of this kind."""
    if kind not in KINDS:
        raise Refused("unknown_kind", f"There is no such kind of photo: “{kind}”. Use one of: {', '.join(KINDS)}.")
    if len(job.photos) + more > MOST:
        raise Refused("too_many", f"A job may have {MOST} photos. Delete some first.")


def _with(entry: dict[str, Any], start: str, job: Job, seq: int) -> dict[str, Any]:
    if start and found(job, start):
        return {}
    check_room(job, entry["kind"])
    return {"photos": [*job.photos, entry]}


def _without(photo_id: str, job: Job, seq: int) -> dict[str, Any]:
    others = [one for one in job.photos if one["id"] != photo_id]
    if len(others) == len(job.photos):
        raise NoSuchPhoto
    return {"photos": others}


def _store(names: Mapping[str, str], picture: Picture) -> None:
    """All or nothing. A storage may choose another name than it was given; the entry would not find that file."""
    ours: list[str] = []
    try:
        for size, name in names.items():
            ours.append(name)  # what fails half-way may have left half a file
            ours[-1] = storages["default"].save(name, ContentFile(getattr(picture, size)))
            if ours[-1] != name:
                raise FileExistsError(f"{name} was stored as {ours[-1]}")
    except BaseException:
        _delete(ours)
        raise


def _named(job: Job, photo_id: str) -> bool:
    return any(one["id"] == photo_id for one in job.photos)


def _may_be_noted(job: Job, photo_id: str) -> bool:
    """Whether the entry may be there though the database reported an error: a connection can break after the commit. Files
    without an entry are the lesser harm."""
    try:
        return _named(Job.objects.get(pk=job.pk), photo_id)
    except (DatabaseError, Job.DoesNotExist) as error:
        return isinstance(error, DatabaseError)


def _delete(names: Iterable[str]) -> None:
    """A file that cannot be deleted is named in the log: the change itself is made, or refused for another reason."""
    for name in names:
        try:
            storages["default"].delete(name)
        except Exception:  # each storage has its own
            logger.exception("Could not delete %s", name)


def _is_folder(storage: Storage) -> bool:
    try:
        return bool(storage.path(""))
    except NotImplementedError:
        return False
