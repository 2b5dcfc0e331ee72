"""Where providers call us."""

import json
import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from . import sns as amazon
from .messages import reports

logger = logging.getLogger(__name__)

MOST_BYTES = 128 * 1024


@csrf_exempt
def sns(request: HttpRequest) -> HttpResponse:
    """A topic of ours tells of deliveries, bounces, complaints and replies. The signature stands for the sender: who has
    none learns nothing. 503 asks SNS to call again."""
    if not settings.SNS_TOPICS:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        what = _taken(_body(request))
    except amazon.NotVerified as reason:
        logger.warning("sns: refused a call: %s", reason)
        return HttpResponse(status=403)
    except amazon.NotReachable as reason:
        logger.warning("sns: cannot tell whether a call is genuine, it may come again: %s", reason)
        return HttpResponse(status=503)
    logger.info("sns: took %s", what)
    return HttpResponse(status=204)


def _body(request: HttpRequest) -> dict[str, object]:
    try:
        if int(request.headers.get("Content-Length") or 0) > MOST_BYTES or len(request.body) > MOST_BYTES:
            raise amazon.NotVerified("it is too long")
        envelope = json.loads(request.body)
    except (ValueError, RecursionError):
        raise amazon.NotVerified("it is no JSON") from None
    if not isinstance(envelope, dict):
        raise amazon.NotVerified("it is no message of SNS")
    return envelope


def _taken(envelope: dict[str, object]) -> str:
    amazon.verify(envelope)
    if envelope["Type"] == "SubscriptionConfirmation":
        amazon.confirm(envelope)
    if envelope["Type"] != "Notification":
        return str(envelope["Type"])
    return reports.take(str(envelope.get("Message", "")))
