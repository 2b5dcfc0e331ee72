"""Rows for tests: plain functions with defaults that do not surprise."""

from typing import Any

from django.contrib.auth.models import Permission, User

from dispatch import flow
from dispatch.models import Board, Job


def make_job(board: Board, *, status: str = "requested", **fields: Any) -> Job:
    fields = {"location": "1428 Elm St", "by": "Ana", "channel": "board"} | fields
    return flow.open_job(board, status=status, **fields)


def make_user(username: str, *permissions: str, **fields: Any) -> User:
    user = User.objects.create_user(username, password="password", **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="dispatch"))
    return user
