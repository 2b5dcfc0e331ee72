"""An event as an iCalendar file, for the calendar on a member's own phone. RFC 5545."""

from datetime import UTC
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailAttachment
from django.utils import timezone

from .message_values import link
from .models import Event

NAME = "event.ics"


def attachment(event: Event, *, is_on: bool) -> EmailAttachment:
    """The same event always has the same UID and a number that grows, so that a later file moves the entry that is there;
    one that is not `is_on` takes it away."""
    from icalendar import Calendar
    from icalendar import Event as Entry  # takes a while: not before it is needed

    entry = Entry()
    entry.add("uid", f"{event.uid}@{urlsplit(settings.PUBLIC_ORIGIN).hostname}")
    entry.add("sequence", event.seq)
    entry.add("dtstamp", timezone.now().astimezone(UTC))
    entry.add("dtstart", event.starts_at.astimezone(UTC))
    entry.add("dtend", event.ends_at.astimezone(UTC))
    entry.add("summary", f"{event.title} · {event.board.name}")
    truck = event.truck.name if event.truck else ""
    entry.add("description", "\n".join(filter(None, [truck, event.notes, event.board.phone])))
    entry.add("url", link())
    entry.add("status", "CONFIRMED" if is_on else "CANCELLED")
    calendar = Calendar()
    calendar.add("prodid", "-//QuickDumpNow//Dispatch//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(entry)
    return EmailAttachment(NAME, calendar.to_ical().decode(), "text/calendar")
