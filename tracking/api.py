"""A customer's job over HTTP: the public projection, for whoever holds the token."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router

from dispatch.models import Job

from .projection import find, public_projection

router = Router(tags=["tracking"])


@router.get("/track/{token}", summary="What a customer may see of a job", auth=None)
def get_track(request: HttpRequest, token: str, response: HttpResponse) -> dict[str, Any]:
    response["Cache-Control"] = "no-store"
    try:
        return public_projection(find(token))
    except Job.DoesNotExist:
        raise Http404 from None
