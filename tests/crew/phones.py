"""Phones of crew members, as the tests hold them."""

import json
from typing import Any

from django.test import Client

from crew.access import COOKIE
from crew.devices import Device, hashed, new_secret
from crew.models import Member


def phone(member: Member, **options: Any) -> Client:
    """Signed in already."""
    secret, client = new_secret(), Client(**options)
    Device.objects.create(member=member, secret=hashed(secret))
    client.cookies[COOKIE] = secret
    return client


def send(client: Client, method: str, url: str, body: Any = None, *, key: str | None = None, **headers: str) -> Any:
    if key is not None:
        headers["Idempotency-Key"] = key
    content = "" if body is None else json.dumps(body)
    return client.generic(method, f"/api/v1{url}", content, content_type="application/json", headers=headers)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
