"""The API as a whole: its routers, and every error as problem+json (RFC 9457) with a stable `code`."""

import json
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja import errors as ninja_errors
from ninja.security import django_auth

from dispatch import flow
from dispatch.api import full
from dispatch.api import router as board_router
from tracking.api import router as tracking_router

api = NinjaAPI(title="QuickDumpNow Dispatch", version="1", auth=django_auth, urls_namespace="api")
api.add_router("", board_router)
api.add_router("", tracking_router)


def problem(status: int, code: str, detail: str, **more: Any) -> HttpResponse:
    body = {"type": "about:blank", "title": code.replace("_", " ").capitalize(), "status": status, "code": code}
    content = json.dumps(body | {"detail": detail} | more)
    return HttpResponse(content, status=status, content_type="application/problem+json")


@api.exception_handler(flow.Conflict)
def conflict(request: HttpRequest, error: flow.Conflict) -> HttpResponse:
    return problem(409, "stale", f"{error}.", job=full(error.current))


@api.exception_handler(flow.Refused)
def refused(request: HttpRequest, error: flow.Refused) -> HttpResponse:
    return problem(422, error.code, str(error))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    detail = " ".join(
        f"{field}: {' '.join(found)}" if field != NON_FIELD_ERRORS else " ".join(found) for field, found in errors.items()
    )
    return problem(422, "invalid", detail, errors=errors)


@api.exception_handler(ninja_errors.ValidationError)
def unreadable(request: HttpRequest, error: ninja_errors.ValidationError) -> HttpResponse:
    errors = {".".join(str(part) for part in found["loc"][1:]): [found["msg"]] for found in error.errors}
    detail = "; ".join(f"{field}: {found[0]}" for field, found in errors.items())
    return problem(422, "invalid", detail, errors=errors)


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
