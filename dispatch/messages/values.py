"""What is filled into the words of a message, from the job as it is now. Customers and strangers who book have typed some
of it, so nothing in it can break a line, look like a link or start with somebody else's name.
"""

import re
import unicodedata

from dispatch.models import Job
from dispatch.phones import spoken

from . import times
from .fitting import BRIEF
from .ledger import Channel

SERVICES = {
    "en": {
        "junk_removal": "junk removal",
        "dumpster_delivery": "dumpster delivery",
        "dumpster_pickup": "dumpster pickup",
    },
    "es": {
        "junk_removal": "retiro de basura",
        "dumpster_delivery": "entrega de contenedor",
        "dumpster_pickup": "retiro de contenedor",
    },
}
STOP = {"en": "Reply STOP to opt out", "es": "Baja: responda STOP"}


def of_job(job: Job, language: str, channel: str) -> dict[str, str]:
    """A value for each of PLACEHOLDERS, "" for what is not known, and BRIEF. Reads `job.board`, and the history of a
    cancelled job."""
    text = channel == Channel.SMS
    return {
        "company": clean(job.board.name),
        "customer": first_name(job.customer_name),
        "what": SERVICES[language][job.service],
        "when": times.in_short(job, language) if text else times.in_full(job, language),
        BRIEF: times.in_brief(job, language),
        "where": no_link(clean(job.location)),
        "crew": ", ".join(filter(None, (first_name(name) for name in job.crew))),
        "phone": spoken(job.board.phone),
        "link": job.tracking_link,
        "reason": no_link(clean(_reason(job))),
        "stop": STOP[language] if text else "",
    }


def clean(value: str) -> str:
    """In one line, without characters that cannot be seen."""
    return " ".join("".join(" " if unicodedata.category(one)[0] == "C" else one for one in value).split())


def no_link(value: str) -> str:
    """Phones and mail programs make links of “evil.example” and “192.0.2.7/x”. An address needs none, and the dots of other
    scripts are dots by the time they arrive."""
    plain = re.sub(r"(?i)[a-z]+://+|\bwww\.", "", re.sub("[\uff0e\u2024\u3002\uff61\ufe52]", ".", value))
    return re.sub(r"(?<=\w)\.(?=[^\W\d_]|\d+(?:\.\d+)*[/:])", ". ", plain)


def first_name(name: str) -> str:
    """«Mia» of «Mia Chen», and nothing of what is no name: strangers write what they like, to a number that they like."""
    first = (clean(name).split(" ") or [""])[0].rstrip(".,")
    return first if first and len(first) <= 30 and all(map(_in_a_name, first)) else ""


def _in_a_name(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in "'’-"


def _reason(job: Job) -> str:
    if job.pk is None or job.status != "cancelled":
        return ""
    return job.history.filter(to_status="cancelled").values_list("reason", flat=True).last() or ""
