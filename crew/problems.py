"""Refusals of the members' API that have more to them than words: with the facts a phone can say the same in an hour."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest

from dispatch.problems import problem

from . import field
from .today import shown_now


class TooOften(Exception):
    """There are no turns left in this hour. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def as_problems(handler: Callable[..., Any]) -> Callable[..., Any]:
    """For the handlers of the members' API."""

    @wraps(handler)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return handler(request, *args, **kwargs)
        except field.MovedOn as error:
            return problem(409, "moved_on", str(error), job=shown_now(error.outing), **error.facts)
        except field.NotYours as error:
            return problem(403, "not_yours", str(error), **error.facts)
        except field.NotYet as error:
            return problem(422, "not_yet", str(error), **error.facts)
        except TooOften as error:
            return problem(429, "too_often", str(error), {"Retry-After": str(error.retry_after)})

    return answer
