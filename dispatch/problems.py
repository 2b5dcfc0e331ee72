"""Errors of the API as problem+json (RFC 9457), with a stable `code`."""

import json
from typing import Any

from django.http import HttpResponse


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> HttpResponse:
    """`more` are further members, such as the errors by field."""
    body = {"type": "about:blank", "title": code.replace("_", " ").capitalize(), "status": status, "code": code}
    content = json.dumps(body | {"detail": detail} | more)
    kept = {"Cache-Control": "no-store"} | (headers or {})
    return HttpResponse(content, status=status, content_type="application/problem+json", headers=kept)
