"""The arrival window as an iCalendar file, for the customer's own calendar. RFC 5545."""

from datetime import UTC
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from dispatch.models import Job

from .projection import public_projection
from .words import HEADLINES

NAME = "pickup.ics"


class NoWindow(Exception):
    """There is nothing to put into a calendar yet."""


def answer(job: Job) -> HttpResponse:
    """The file as a download. Raises NoWindow."""
    headers = {"Content-Disposition": f'attachment; filename="{NAME}"', "Cache-Control": "no-store"}
    return HttpResponse(as_ics(job), content_type="text/calendar; charset=utf-8", headers=headers)


def as_ics(job: Job) -> bytes:
    """One event. The same job always has the same UID, so that a later file moves or cancels the event that is there."""
    if not (job.window_start and job.window_end):
        raise NoWindow("We have not set a time yet.")
    from icalendar import Calendar, Event  # takes a while: not before it is needed

    public = public_projection(job)
    event = Event()
    event.add("uid", f"{_name(job)}@{urlsplit(settings.PUBLIC_ORIGIN).hostname}")
    event.add("sequence", job.seq)
    event.add("dtstamp", job.updated_at.astimezone(UTC))
    event.add("dtstart", job.window_start.astimezone(UTC))
    event.add("dtend", job.window_end.astimezone(UTC))
    event.add("summary", f"{gettext(public['service'])} · {job.board.name}")
    event.add("location", public["location"])
    event.add("description", " ".join(filter(None, [gettext(HEADLINES[job.status][0]) + ".", job.board.phone])))
    event.add("url", job.tracking_link)
    event.add("status", "CANCELLED" if public["cancelled"] else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # the customer may do something else meanwhile
    calendar = Calendar()
    calendar.add("prodid", "-//QuickDumpNow//Dispatch//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return calendar.to_ical()


def _name(job: Job) -> str:
    """Tells neither the job's id nor its token, and outlives a new token."""
    return salted_hmac("tracking.calendar", job.uid, algorithm="sha256").hexdigest()[:32]
