"""A customer's job over HTTP, for whoever holds the token: what the public may see, and what a customer may ask for."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja import Router, Schema

from dispatch.models import Job
from dispatch.problems import problem

from . import asking, calendar, photos
from .projection import LinkEnded, find, public_projection, shown

router = Router(tags=["tracking"])


class AskIn(Schema):
    """What the form on the page holds; `stars` are 1 to 5, the day is as 2026-11-28."""

    kind: str
    text: str = ""
    day: str | None = None
    stars: int | None = None


def of_a_job(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answers 404 for a token that leads nowhere, 410 for a link that has ended, and keeps everything out of caches."""

    @wraps(view)
    def answer(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> Any:
        try:
            response = view(request, token, *args, **kwargs)
        except Job.DoesNotExist:
            raise Http404 from None
        except LinkEnded as ended:
            response = problem(410, "link_ended", str(ended))
        response.setdefault("Cache-Control", "no-store")
        return response

    return answer


@router.get("/track/{token}", summary="What a customer may see of a job", auth=None)
@of_a_job
def get_track(request: HttpRequest, token: str) -> Any:
    response = _state(find(token))
    return get_conditional_response(request, etag=response["ETag"], response=response)


@router.post("/track/{token}/asks", summary="Ask for another time, to cancel, leave a note, rate", auth=None)
@of_a_job
def post_ask(request: HttpRequest, token: str, body: AskIn) -> Any:
    """The token is the capability. Answers what the customer may see from now on."""
    given = asking.Given(body.text, body.day or "", str(body.stars or ""))
    job = asking.ask(find(token), body.kind, given)
    return _state(shown().get(pk=job.pk))


@router.get("/track/{token}/calendar.ics", summary="The arrival window for a calendar", auth=None)
@of_a_job
def get_calendar(request: HttpRequest, token: str) -> Any:
    try:
        return calendar.answer(find(token))
    except calendar.NoWindow as error:
        return problem(404, "no_window", str(error))


@router.get("/track/{token}/photos/{photo_id}", summary="A photo that the customer may see", auth=None)
@of_a_job
def get_photo(request: HttpRequest, token: str, photo_id: str, size: Literal["thumb", "full"] = "full") -> Any:
    try:
        return photos.serve(find(token), photo_id, size)
    except photos.NoSuchPhoto:
        raise Http404 from None


def _state(job: Job) -> HttpResponse:
    content = json.dumps(public_projection(job), separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return HttpResponse(content, content_type="application/json", headers={"ETag": etag})
