"""What customers read, in English here and in Spanish in locale/es. Templates and the page's script take it from the same
table. The public JSON keeps the English words; the page chooses its own by `status` and by the English label."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext, gettext_noop, override

_ = gettext_noop  # marks a text; it is translated when a page is made

HEADLINES = {
    "requested": (_("We have your request"), _("We will confirm your time soon.")),
    "scheduled": (_("You are booked"), _("We will tell you when a crew is ready.")),
    "ready_for_pickup": (_("A crew is ready for you"), _("We will tell you when the crew sets off.")),
    "en_route": (_("The crew is on the way"), _("Please make sure that the crew can get in.")),
    "in_progress": (_("The crew is at work"), _("This will not take long.")),
    "completed": (_("All done"), _("Thank you for choosing us.")),
    "cancelled": (_("This job was cancelled"), _("Call us if that is a mistake, or to book again.")),
}
"""The headline of each status, and what comes next."""

LABELS = (
    _("Booked"), _("Ready"), _("On the way"), _("Loading"), _("Done"), _("Cancelled"),
    _("Junk removal"), _("Dumpster delivery"), _("Dumpster pickup"),
)  # fmt: skip
"""Of statuses and services, as STATUS_FLOW and Job.Service have them."""

STATES = {"done": _("done"), "current": _("now"), "todo": _("to come")}

PAGE = {
    "call": _("Call"),
    "what": _("What"),
    "where": _("Where"),
    "crew": _("Crew"),
    "noCrew": _("Not decided yet"),
    "details": _("Details"),
    "photos": _("Photos"),
    "before": _("Before"),
    "after": _("After"),
    "history": _("What happened so far"),
    "noWindow": _("We have not set a time yet"),
    "calendar": _("Add to my calendar"),
    "updated": _("Updated {time}"),
    "yours": _("Your pickup"),
    "noScript": _(
        "This page needs JavaScript here. Please switch it on, or call us and we will tell you where your pickup is."
    ),
    "loading": _("One moment, we are looking for your job"),
    "trouble": _("We can't reach the server at the moment. Trying again…"),
    "old": _("Updated {time}. We can't reach the server at the moment, so this may be out of date. Trying again…"),
    "notFound": _("Job not found, or this tracking link is no longer valid"),
    "notFoundNext": _(
        "Links stop working when we replace them. Check that the whole address was copied, look for a newer message from "
        "us, or call: we will find your job."
    ),
    "ended": _("This tracking link has ended"),
    "endedNext": _(
        "The job is over, and we take its page down some time after that. Call us with any question, or book again."
    ),
    "book": _("Book a new pickup"),
    "back": _("Go back, change nothing"),
    "stars": _("You gave {stars} of 5 stars. Thank you."),
    "day": _("Which day would suit you? (optional)"),
    "howMany": _("How many stars?"),
    "few": _("not good"),
    "many": _("very good"),
}

ASKS = {
    "reschedule": {
        "link": _("Ask for another time"),
        "title": _("Ask for another time"),
        "text": _("What should we know? (optional)"),
        "send": _("Ask for another time"),
        "thanks": _("Thank you. We have your request for another time and will answer."),
        "asked": _("You asked for another time; we will answer."),
    },
    "cancel": {
        "link": _("Cancel this job"),
        "title": _("Cancel this job?"),
        "text": _("Why? (optional)"),
        "send": _("Yes, ask to cancel"),
        "thanks": _("Thank you. We have your request to cancel and will answer."),
        "asked": _("You asked to cancel; we will answer."),
    },
    "note": {
        "link": _("Leave a note or a gate code"),
        "title": _("A note for the crew"),
        "text": _("Gate code, where to park, where the pile is. Only we see this."),
        "send": _("Send the note"),
        "thanks": _("Thank you. The crew will see your note."),
    },
    "rating": {
        "link": _("Rate this job"),
        "title": _("How did it go?"),
        "text": _("Anything to add? (optional)"),
        "send": _("Send my rating"),
        "thanks": _("Thank you for your rating."),
    },
}
"""What customers may ask for, by dispatch.asks."""

ERRORS = {
    "too_long": _("Please use at most 500 characters."),
    "empty": _("Please write something."),
    "no_stars": _("Please choose 1 to 5 stars."),
    "past_day": _("Please choose a day that is not over."),
    "bad_day": _("Please write the day as year-month-day, such as 2026-11-28."),
    "not_now": _("This is no longer possible for this job. Please call us."),
    "too_many": _("There are too many requests for this job. Please call us."),
    "unknown_ask": _("There is no such request. Please call us."),
    "unsent": _("This did not reach us. What you wrote is still here; please try again, or call."),
}
"""By the code of a refusal."""


def of_the_page() -> dict[str, Any]:
    """Everything that the page and its script say, in the active language."""
    code = get_language() or settings.LANGUAGES[0][0]
    return {
        "lang": code,
        "name": dict(settings.LANGUAGES)[code],
        "headline": {status: gettext(headline) for status, (headline, _next) in HEADLINES.items()},
        "next": {status: gettext(what_next) for status, (_headline, what_next) in HEADLINES.items()},
        "label": {label: gettext(label) for label in LABELS},
        "state": {state: gettext(word) for state, word in STATES.items()},
        "page": {key: gettext(text) for key, text in PAGE.items()},
        "ask": {kind: {key: gettext(text) for key, text in texts.items()} for kind, texts in ASKS.items()},
        "error": {code: gettext(text) for code, text in ERRORS.items()},
    }


def of(code: str) -> dict[str, Any]:
    """The same, in this language."""
    with override(code):
        return of_the_page()


@cache
def as_json(*languages: str) -> str:
    """`{"en": {…}, "es": {…}}` for `data-words`."""
    return json.dumps({code: of(code) for code in languages}, ensure_ascii=False, separators=(",", ":"))
