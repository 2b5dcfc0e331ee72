"""Photos on a job's page in the admin. Files are read before the page's transaction and stored or deleted after it."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from . import photos, pictures
from .forms import JobForm
from .models import Job
from .pictures import BadPicture, Picture
from .rules import Refused
from .uploads import MOST_AT_ONCE
from .words import moment_in_words

logger = logging.getLogger(__name__)
FIELDS: list[Any] = ["removed_photos", "new_photos", "new_photos_kind"]


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Several files, as pictures. What `read_early` has found out about a file is not found out again."""

    widget = FilesInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)

    def clean(self, data: Sequence[UploadedFile], initial: Any = None) -> list[Picture]:
        if len(data) > MOST_AT_ONCE:
            raise ValidationError(f"Choose at most {MOST_AT_ONCE} files at a time.")
        found = [(file.name, _outcome(file)) for file in data]
        refused = [f"{name}: {outcome}" for name, outcome in found if isinstance(outcome, BadPicture)]
        if refused:
            raise ValidationError(refused)
        return [outcome for _, outcome in found if isinstance(outcome, Picture)]


class PhotosForm(JobForm):
    removed_photos = forms.MultipleChoiceField(
        label="Photos", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="Those that you tick are deleted when you save.",
    )  # fmt: skip
    new_photos = PicturesField(
        required=False, widget=FilesInput({"accept": ",".join(pictures.MIME_TYPES)}),
        help_text=f"JPEG, PNG, WebP or HEIC, at most {pictures.MOST_BYTES // 1024**2} MB each, {MOST_AT_ONCE} at a time.",
    )  # fmt: skip
    new_photos_kind = forms.ChoiceField(
        label="They show", required=False, choices=list(photos.KINDS.items()), initial="before"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "removed_photos" in self.fields and self.instance.pk:
            self.fields["removed_photos"].choices = [  # type: ignore[attr-defined]  # a MultipleChoiceField
                (one["id"], _shown(self.instance, one)) for one in self.instance.photos
            ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        new, removed = cleaned.get("new_photos") or [], cleaned.get("removed_photos") or []
        if new and "new_photos" not in self.errors:
            try:
                photos.check_room(self.instance, cleaned.get("new_photos_kind", ""), len(new) - len(removed))
            except Refused as error:
                self.add_error("new_photos", str(error))
        if new and self.errors:
            self.add_error("new_photos", "Choose the photos again: browsers forget them when a form comes back.")
        return cleaned


def read_early(request: HttpRequest) -> None:
    """Reads the pictures that came with the page. It takes seconds, in which nobody shall wait for the database."""
    for file in request.FILES.getlist("new_photos")[:MOST_AT_ONCE]:
        _outcome(file)


def save_later(request: HttpRequest, job: Job, form: forms.ModelForm, *, by: str) -> None:
    """After the commit: deletes what was ticked and keeps what is new. What fails is said, and the rest goes on."""
    kind = form.cleaned_data.get("new_photos_kind", "")
    changes: list[Callable[[], Job]] = [
        *(partial(photos.remove, job, one, by=by) for one in form.cleaned_data.get("removed_photos") or []),
        *(partial(photos.keep, job, one, kind, by=by) for one in form.cleaned_data.get("new_photos") or []),
    ]
    if changes:
        transaction.on_commit(partial(_carry_out, request, changes))


def to_look_at(fieldsets: list[Any]) -> list[Any]:
    """The same parts of the page for people who may not change anything."""
    return [
        (title, {"fields": ["photos_shown"]} if part["fields"] == FIELDS else part) for title, part in fieldsets
    ]  # fmt: skip


def shown(job: Job) -> SafeString:
    """For people who may look and not change."""
    return format_html_join(" ", "{}", ((_shown(job, one),) for one in job.photos)) or SafeString("–")


def _carry_out(request: HttpRequest, changes: Sequence[Callable[[], Job]]) -> None:
    for change in changes:
        try:
            change()
        except photos.NoSuchPhoto:
            pass  # somebody else has deleted it meanwhile
        except Refused as error:
            messages.error(request, str(error))
        except Exception:  # whatever a storage or the database raises: the page is saved, and has to say what is not
            logger.exception("A photo could not be stored or deleted")
            messages.error(request, "A photo could not be stored or deleted. Everything else is saved; try again later.")


def _outcome(file: UploadedFile) -> Picture | BadPicture:
    """What comes of reading a file, noted on the file."""
    if not hasattr(file, "outcome"):
        try:
            file.outcome = pictures.read(file)  # type: ignore[attr-defined]
        except BadPicture as error:
            file.outcome = error  # type: ignore[attr-defined]
    outcome: Picture | BadPicture = file.outcome  # type: ignore[attr-defined]
    return outcome


def _shown(job: Job, photo: dict[str, Any]) -> SafeString:
    full = reverse("dispatch:photo", args=[job.uid, photo["id"]])
    kind, moment = photos.KINDS.get(photo["kind"], photo["kind"]), parse_datetime(photo.get("at") or "")
    when = moment_in_words(moment, job.board.zone, year=True) if moment else ""
    return format_html(
        '<a href="{}"><img src="{}?size=thumb" alt="{}" height="120" loading="lazy"></a> {}',
        full, full, kind, " · ".join(filter(None, (kind, when, photo.get("by")))),
    )  # fmt: skip
