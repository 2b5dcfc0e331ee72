"""Photos of jobs over HTTP. Files come as multipart/form-data."""

from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import File, Form, Router, Status
from ninja.files import UploadedFile

from . import photos
from .api import full, name, needs
from .models import Job

router = Router(tags=["photos"])


@router.post("/jobs/{slug:uid}/photos", response={201: Any}, summary="Add a photo")
@needs("dispatch.change_job")
def add_photo(
    request: HttpRequest, uid: str, file: File[UploadedFile], kind: Form[str]
) -> Status[dict[str, Any]]:  # fmt: skip
    """JPEG, PNG, WebP or HEIC of at most 15 MB. What is kept is at most 2048 pixels wide or high, upright, and without
    anything that the camera noted. `kind` is before, after, ticket or access. Answers with the job."""
    return Status(201, full(photos.add(_job(uid), file, kind, by=name(request))))


@router.delete("/jobs/{slug:uid}/photos/{slug:photo_id}", summary="Delete a photo")
@needs("dispatch.change_job")
def remove_photo(request: HttpRequest, uid: str, photo_id: str) -> dict[str, Any]:
    """Answers with the job."""
    try:
        return full(photos.remove(_job(uid), photo_id, by=name(request)))
    except photos.NoSuchPhoto:
        raise Http404 from None


def _job(uid: str) -> Job:
    return get_object_or_404(Job.objects.select_related("board"), uid=uid)
