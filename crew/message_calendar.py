"""An event as an iCalendar file, for the calendar on a member's own phone. RFC 5545, and RFC 5546 (iTIP) for the method: an
entry is published, and taken back with CANCEL; one that is published as cancelled stays in most calendars. Both name the
organizer, and the e-mail's part names the method, without which Outlook does not know what to do. Some calendars, such as
Google's, keep what was put in by hand all the same: the mail says what to do then.
"""

from datetime import UTC
from email.utils import parseaddr
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
    from icalendar import Calendar, vCalAddress
    from icalendar import Event as Entry  # takes a while: not before it is needed

    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = event.board.name
    entry = Entry()
    entry.add("organizer", organizer)
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
    method = "PUBLISH" if is_on else "CANCEL"
    calendar = Calendar()
    calendar.add("prodid", "-//QuickDumpNow//Dispatch//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(entry)
    return EmailAttachment(NAME, calendar.to_ical().decode(), f"text/calendar; method={method}")
