"""Photos that crews take, and the view that shows them to the crew."""

from datetime import datetime, timedelta
from typing import IO, Any

from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dispatch import photos, pictures

from . import field
from .access import member_of
from .models import Member, Outing
from .spoken import Refusal

UPLOAD = timedelta(minutes=5)
"""A photo may be under way for so long: its phone's clock is not behind for that."""
START = 16
"""So many characters of a photo's id, 64 bits, say what it was sent with; the rest is random."""


def add(
    outing: Outing, upload: File | IO[bytes], kind: str, *, key: str, member: Member, at: datetime
) -> tuple[str, bool]:  # fmt: skip
    """Keeps a photo in the outing's job. What comes with a `key` that this member used before is not kept again. Returns
    the photo's id and whether it is new. Not for use inside a transaction. Raises BadPicture, and Refused."""
    start = _start(member, key)
    if entry := photos.found(outing.job, start):
        return _sent_before(entry, kind), False
    photos.check_room(outing.job, kind)
    picture = pictures.read(upload)
    facts = field.device_facts(at, timezone.now())
    outing.job = photos.keep(outing.job, picture, kind, by=member.name, start=start, facts=facts)
    entry = photos.found(outing.job, start)
    assert entry is not None  # noqa: S101 it was kept, or another request kept it
    return _sent_before(entry, kind), True


@require_safe
def photo(request: HttpRequest, uid: str, photo_id: str, size: str) -> HttpResponse:
    """`size` is full or thumb."""
    member = member_of(request.COOKIES, request.user)
    if member is None:
        raise PermissionDenied
    try:
        return photos.serve(field.outing_of(member, uid).job, photo_id, size)
    except (field.NotYours, photos.NoSuchPhoto):
        raise Http404 from None


def _start(member: Member, key: str) -> str:
    """How the id of the photo begins that a member sends with this key. Nobody can tell it without our secret."""
    return salted_hmac("crew.photo", f"{member.uid} {key}", algorithm="sha256").hexdigest()[:START]


def _sent_before(entry: dict[str, Any], kind: str) -> str:
    if entry["kind"] != kind:
        text = gettext("This Idempotency-Key stands for another photo. Use a new one for each.")
        raise Refusal("key_reused", text)
    return str(entry["id"])
