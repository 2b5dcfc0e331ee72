"""`Idempotency-Key`: a POST that is sent again, because its answer was lost on the way, is done once and answered again.

The key is a row. It is written in the transaction of the change that it stands for, so that there are both or neither; of
two that come at the same time the database lets one go first, and the other finds its answer.
"""

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Header, Status
from ninja.responses import NinjaJSONEncoder
from ninja.utils import contribute_operation_args

from .models import Answer
from .rules import Refused

SWEEP_EVERY = 100
REPLAY = "Idempotent-Replay"
PRINTABLE = re.compile(r"[ -~]{1,100}")
DESCRIPTION = "A new random text, such as a UUID. Sent again with the same body, a POST is done once and answered again."
KEY = "Idempotency-Key"


def once_for(
    whose: Callable[[HttpRequest], str], *, needed: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # fmt: skip
    """Makes a handler of the API take `Idempotency-Key`. Put it below the check of permissions, and not on a handler that
    talks to a network or a storage: all of it runs in one transaction. Of an error nothing is kept.

    `whose` names who asks, such as `user:7`: two people may choose the same key. With `needed` nothing is done without
    one: 422 `key_required`."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def answer(request: HttpRequest, *args: Any, idempotency_key: str | None = None, **kwargs: Any) -> Any:
            if idempotency_key is None:
                return handler(request, *args, **kwargs)
            key, fingerprint = checked_key(idempotency_key), _fingerprint(request)
            with transaction.atomic():  # on SQLite the second of two waits here for the first, on PostgreSQL at its row
                kept, new = Answer.objects.get_or_create(
                    scope=whose(request), key=key, defaults={"fingerprint": fingerprint}
                )
                if new:
                    _keep(kept, handler(request, *args, **kwargs))
            if kept.fingerprint != fingerprint:
                raise Refused("key_reused", "This Idempotency-Key stands for another request. Use a new one for each.")
            if new and kept.pk % SWEEP_EVERY == 0:
                Answer.objects.sweep()
            return _response(kept, replay=not new)

        argument = Header(... if needed else None, alias=KEY, description=DESCRIPTION)
        contribute_operation_args(answer, "idempotency_key", str if needed else str | None, argument)  # type: ignore[arg-type]
        return answer

    return decorate


def by_user(request: HttpRequest) -> str:
    return f"user:{request.user.pk}"


once = once_for(by_user)
"""For people with an account."""


def checked_key(written: str) -> str:
    """Raises Refused for what is no key."""
    if not PRINTABLE.fullmatch(written):
        raise Refused("bad_key", "An Idempotency-Key has 1 to 100 printable characters; a UUID is a good one.")
    return written


def _fingerprint(request: HttpRequest) -> str:
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()


def _keep(kept: Answer, result: Any) -> None:
    kept.status, value = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
    kept.body = json.dumps(value, cls=NinjaJSONEncoder)
    kept.save(update_fields=["status", "body"])


def _response(kept: Answer, *, replay: bool) -> HttpResponse:
    response = HttpResponse(kept.body, status=kept.status, content_type="application/json; charset=utf-8")
    if replay:
        response[REPLAY] = "true"
    return response
