"""The photos that a customer may see: those that the projection shows, and no other."""

from django.http import HttpResponse

from dispatch import photos
from dispatch.models import Job
from dispatch.photos import NoSuchPhoto

from .projection import shown_photos


def serve(job: Job, photo_id: str, size: str) -> HttpResponse:
    """`size` is thumb or full. Raises NoSuchPhoto."""
    if photo_id not in [photo["id"] for photo in shown_photos(job)]:
        raise NoSuchPhoto
    return photos.serve(job, photo_id, size)
