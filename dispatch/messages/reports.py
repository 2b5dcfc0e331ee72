"""What providers report afterwards: that a message arrived, or did not, and that somebody does not want any more. All of it
may come twice, late, and in any order.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email.utils import parseaddr
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.functions import Now

from . import opt_outs
from .ledger import WAITING, Channel, Message, MessageQuerySet, OptOut

Facts = Mapping[str, Any]
STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ALTO", "PARAR", "BAJA"}
START = {"START", "UNSTOP"}
DELIVERED = {"Delivery", "TEXT_DELIVERED"}
NOT_DELIVERED = {
    "Reject", "Rendering Failure", "TEXT_BLOCKED", "TEXT_CARRIER_BLOCKED", "TEXT_CARRIER_UNREACHABLE", "TEXT_INVALID",
    "TEXT_INVALID_MESSAGE", "TEXT_PROTECT_BLOCKED", "TEXT_SPAM", "TEXT_TTL_EXPIRED", "TEXT_UNREACHABLE",
}  # fmt: skip


def take(text: str) -> str:
    """One report, as the JSON inside a message of SNS. What is none of ours is let pass. Returns what it was, for a log."""
    try:
        report = json.loads(text)
    except ValueError:
        return "not for us"
    if not isinstance(report, dict):
        return "not for us"
    if "originationNumber" in report and "messageBody" in report:
        return _reply(report)
    what = str(report.get("eventType") or report.get("notificationType") or "")
    match what:
        case "Bounce":
            _bounced(report)
        case "Complaint":
            _complained(report)
        case _ if what in DELIVERED:
            _delivered(report)
        case _ if what in NOT_DELIVERED:
            _failed(report, _reason(what, report))
        case _:
            return "not for us"
    return what


def _delivered(report: Facts) -> None:
    """A worker that lost the provider's answer does not know yet that its message was taken: this says so."""
    sent = _sent(report).filter(status=Message.Status.SENT)
    if not sent.update(status=Message.Status.DELIVERED, settled_at=Now()):
        _unheard_of(report).update(
            status=Message.Status.DELIVERED, provider_id=_provider_id(report), claim="", error="", sent_at=Now(),
            settled_at=Now(),
        )  # fmt: skip


def _failed(report: Facts, reason: str) -> None:
    """What was delivered stays so."""
    _sent(report).filter(status=Message.Status.SENT).update(status=Message.Status.FAILED, error=reason, settled_at=Now())


def _bounced(report: Facts) -> None:
    bounce = _part(report, "bounce")
    for_good = bounce.get("bounceType") == "Permanent"
    _failed(report, "It came back: " + ("there is no such address." if for_good else "it could not be delivered for days."))
    for address in _addresses(bounce, "bouncedRecipients") if for_good else ():
        _opt_out(Channel.EMAIL, address, OptOut.Reason.BOUNCE, str(bounce.get("bounceSubType", "")))


def _complained(report: Facts) -> None:
    complaint = _part(report, "complaint")
    for address in _addresses(complaint, "complainedRecipients"):
        _opt_out(Channel.EMAIL, address, OptOut.Reason.COMPLAINT, str(complaint.get("complaintFeedbackType") or ""))


def _reply(report: Facts) -> str:
    """A customer's answer to a text. Only words that every carrier knows mean anything."""
    word, number = re.sub(r"[^A-Z]", "", str(report["messageBody"]).upper()), str(report["originationNumber"])
    if word in STOP:
        _opt_out(Channel.SMS, number, OptOut.Reason.STOP, "Replied STOP.")
        return "STOP"
    if word in START:
        _opt_in(Channel.SMS, number)
        return "START"
    return "a reply"


def _opt_out(channel: str, address: str, reason: str, detail: str) -> None:
    with suppress(ValidationError):  # nobody we could have written to
        opt_outs.add(channel, address, reason, detail)


def _opt_in(channel: str, address: str) -> None:
    with suppress(ValidationError):
        for opt_out in OptOut.objects.filter(channel=channel, address=opt_outs.normal(channel, address)):
            opt_outs.remove(opt_out)


def _sent(report: Facts) -> MessageQuerySet:
    provider_id = _provider_id(report)
    return Message.objects.filter(provider_id=provider_id) if provider_id else Message.objects.none()


def _unheard_of(report: Facts) -> MessageQuerySet:
    """The message that this is about, by our own key, when it was begun and nobody knows its end."""
    key = _dedupe_key(report)
    return Message.objects.filter(dedupe_key=key, status__in=WAITING, attempts__gt=0) if key else Message.objects.none()


def _provider_id(report: Facts) -> str:
    found = _part(report, "mail").get("messageId") or report.get("messageId") or ""
    return found[:200] if isinstance(found, str) else ""


def _dedupe_key(report: Facts) -> str:
    headers = _part(report, "mail").get("headers")
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and str(header.get("name", "")).lower() == "x-dedupe-key":
            return str(header.get("value", ""))
    return str(_part(report, "context").get("dedupeKey", ""))


def _addresses(part: Facts, name: str) -> Iterator[str]:
    found = part.get(name)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and (address := parseaddr(str(one.get("emailAddress", "")))[1]):
            yield address


def _part(report: Facts, name: str) -> Facts:
    found = report.get(name)
    return found if isinstance(found, dict) else {}


def _reason(what: str, report: Facts) -> str:
    detail = _part(report, "reject").get("reason") or _part(report, "failure").get("errorMessage")
    detail = detail or report.get("messageStatusDescription") or ""
    return f"The provider reports: {what}. {detail}".strip()[:500]
