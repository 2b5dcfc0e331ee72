"""Rows for tests of the crews: plain functions with defaults that do not surprise."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from crew import plan
from crew.models import Event, Member
from dispatch.models import Board


def make_member(board: Board, name: str = "Dee Ramos", **fields: Any) -> Member:
    first = name.split()[0].lower()
    member = Member(board=board, **{"name": name, "email": f"{first}@example.com"} | fields)
    member.full_clean()
    member.save()
    return member


def make_event(board: Board, title: str = "Tuesday, north", *, days: float = 2, hours: float = 8, **fields: Any) -> Event:
    """An event that begins in `days` days and takes eight hours, with one place for a captain and one for a first mate."""
    start = timezone.now().replace(second=0, microsecond=0) + timedelta(days=days)
    facts = {"title": title, "starts_at": start, "ends_at": start + timedelta(hours=hours), "by": "Ana"} | fields
    return plan.open_event(board, **facts)
