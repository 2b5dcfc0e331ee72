"""What customers ask for, and their links, in the admin of jobs."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from . import asks, links
from .api import name
from .messages import desk
from .models import Job
from .rules import Refused
from .words import moment_in_words


def asked(job: Job) -> str:
    """Everything that the customer asked for, latest first."""
    lines = ((_line(job, one),) for one in reversed(job.asks))
    return format_html_join("", "<p>{}</p>", lines) or "–"


def _line(job: Job, one: dict[str, Any]) -> str:
    known = asks.ASKS.get(one["kind"])
    stars = f"{one['stars']} of 5 stars" if one.get("stars") else ""
    what = [known.label if known else one["kind"], stars, one.get("day", ""), one.get("text", "")]
    done = f"done by {one['doneBy']}" if one.get("doneBy") else "waits"
    return f"{_when(job, one['at'])}: {' · '.join(filter(None, what))} ({done})"


def _when(job: Job, at: str) -> str:
    try:
        return moment_in_words(datetime.fromisoformat(at), job.board.zone)
    except ValueError:
        return at


@admin.action(description="Send the tracking link", permissions=["change"])
def send_link(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> None:
    sent = 0
    for job in jobs.select_related("board"):
        try:
            desk.send(job, "link", by=name(request))
            sent += 1
        except Refused as error:
            model_admin.message_user(request, f"{job.location}: {error}", messages.ERROR)
    if sent:
        model_admin.message_user(request, f"The link goes to {sent} customer{'s' if sent > 1 else ''}.", messages.SUCCESS)


@admin.action(description="Replace the tracking link", permissions=["change"])
def replace_link(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> None:
    for job in jobs:
        links.replace(job, by=name(request))
    many = "links do" if len(jobs) > 1 else "link does"
    model_admin.message_user(request, f"{len(jobs)} old {many} not work any more. Send the new.", messages.SUCCESS)


@admin.action(description="The asks are dealt with", permissions=["change"])
def settle_asks(model_admin: Any, request: HttpRequest, jobs: QuerySet) -> None:
    waiting = [job for job in jobs if asks.waiting(job)]
    for job in waiting:
        asks.settle(job, by=name(request))
    model_admin.message_user(request, f"{len(waiting)} settled.", messages.SUCCESS)
