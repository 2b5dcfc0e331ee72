"""The API as a whole: its routers, and every error as problem+json (RFC 9457) with a stable `code`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI, Router
from ninja import errors as ninja_errors
from ninja.security import django_auth

from crew import field, listing, plan
from crew.models import Member
from crew.staff_api import router as crew_router
from crew.staff_schemas import KEYS as EVENT_KEYS
from dispatch import flow
from dispatch.api import full
from dispatch.api import router as board_router
from dispatch.idempotency import KEY
from dispatch.photos_api import router as photos_router
from dispatch.pictures import BadPicture, TooLarge
from dispatch.problems import problem
from dispatch.schemas import KEYS
from tracking.api import router as tracking_router
from tracking.booking_api import router as booking_router

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


WORDS = {
    "decimal_parsing": "Expected an amount such as 149.50.",
    "decimal_type": "Expected an amount such as 149.50.",
    "int_parsing": "Expected a whole number.",
    "int_from_float": "Expected a whole number.",
    "missing": "This is needed.",
}
"""Mistakes that people make, in their words instead of the validator's."""


class Api(NinjaAPI):
    """Ninja refuses a method in plain text, past the exception handlers."""

    @property
    def urls(self) -> tuple[list[Any], str, str]:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            pattern.callback = method_problem(pattern.callback)  # type: ignore[arg-type]  # a view, not an include
        return patterns, app_name, namespace


def method_problem(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code != 405:
            return response
        refusal = problem(405, "method_not_allowed", f"This address takes {response['Allow']}, not {request.method}.")
        refusal["Allow"] = response["Allow"]
        return refusal

    return answer


nowhere = Router()


@nowhere.api_operation(METHODS, "/{path:rest}", auth=None, include_in_schema=False)
def nothing_here(request: HttpRequest, rest: str) -> NoReturn:
    raise Http404


api = Api(title="QuickDumpNow Dispatch", version="1", auth=django_auth, urls_namespace="api")
api.add_router("", board_router)
api.add_router("", photos_router)
api.add_router("", tracking_router)
api.add_router("", booking_router)
api.add_router("", crew_router)
api.add_router("", nowhere)  # the last one: it takes every address that the others left


@api.exception_handler(flow.Conflict)
def conflict(request: HttpRequest, error: flow.Conflict) -> HttpResponse:
    return problem(409, "stale", f"{error}.", job=full(error.current))


@api.exception_handler(flow.Refused)
def refused(request: HttpRequest, error: flow.Refused) -> HttpResponse:
    return problem(422, error.code, str(error))


@api.exception_handler(plan.Taken)
def taken(request: HttpRequest, error: plan.Taken) -> HttpResponse:
    return problem(409, "taken", str(error), event=listing.as_seen(error.event, _member(request)))


@api.exception_handler(plan.Overlaps)
def overlaps(request: HttpRequest, error: plan.Overlaps) -> HttpResponse:
    return problem(409, "overlaps", str(error))


@api.exception_handler(plan.Stale)
def stale_event(request: HttpRequest, error: plan.Stale) -> HttpResponse:
    return problem(409, "stale", f"{error}.", event=listing.as_seen(error.current, _member(request)))


@api.exception_handler(field.Busy)
def busy(request: HttpRequest, error: field.Busy) -> HttpResponse:
    return problem(503, "busy", str(error), {"Retry-After": "1"})


@api.exception_handler(BadPicture)
def bad_picture(request: HttpRequest, error: BadPicture) -> HttpResponse:
    status = 413 if isinstance(error, TooLarge) else 422
    return problem(status, error.code, str(error), errors={"file": [str(error)]})


@api.exception_handler(MultiPartParserError)
def broken_form(request: HttpRequest, error: MultiPartParserError) -> HttpResponse:
    return problem(400, "unreadable", f"This is no form that can be read. {error}")


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem(413, TooLarge.code, str(error))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    by_column = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    errors = {(KEYS | EVENT_KEYS).get(column, column): found for column, found in by_column.items()}
    detail = " ".join(
        f"{field}: {' '.join(found)}" if field != NON_FIELD_ERRORS else " ".join(found) for field, found in errors.items()
    )
    return problem(422, "invalid", detail, errors=errors)


@api.exception_handler(ninja_errors.ValidationError)
def unreadable(request: HttpRequest, error: ninja_errors.ValidationError) -> HttpResponse:
    errors = {
        _field(*found["loc"]): [WORDS.get(found["type"]) or found["msg"].removeprefix("Value error, ")]
        for found in error.errors
    }
    detail = "; ".join(f"{field}: {found[0]}" for field, found in errors.items())
    return problem(422, "key_required" if KEY in errors else "invalid", detail, errors=errors)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404, "not_found", "There is nothing at this address.")


@api.exception_handler(PermissionDenied)
def forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return problem(403, "forbidden", "You may not do this. Ask an administrator for the permission.")


@api.exception_handler(ninja_errors.AuthenticationError)
def sign_in(request: HttpRequest, error: ninja_errors.AuthenticationError) -> HttpResponse:
    return problem(401, "sign_in", "Sign in first.")


@api.exception_handler(ninja_errors.HttpError)
def other(request: HttpRequest, error: ninja_errors.HttpError) -> HttpResponse:
    codes = {400: "unreadable", 403: "csrf", 428: "version_required"}
    return problem(error.status_code, codes.get(error.status_code, "error"), str(error))


def _member(request: HttpRequest) -> Member | None:
    """None when the office asks."""
    who = getattr(request, "auth", None)
    return who if isinstance(who, Member) else None


def _field(where: str, *path: str | int) -> str:
    """The name of a field as the client wrote it; a body stands below the name of our own argument."""
    return ".".join(str(part) for part in (path[1:] if where == "body" else path)) or where
