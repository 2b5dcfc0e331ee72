"""What happens to a stack, as CloudFormation tells it: event by event, newest first, in pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .waiting import Patience

BEGINS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
SUCCEEDS = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE"}
SILENCE = 60
"""Seconds without news after which it is said what is still under way."""
CANCELLED = "cancelled"  # "Resource creation cancelled": another one failed


@dataclass(frozen=True, slots=True)
class Ended:
    """How a deployment ended: the stack's last status, empty when it has not ended yet, and what failed first, in words."""

    status: str
    failed: str = ""


def follow(cloudformation: Any, stack: str, after: str, say: Callable[[str], None], patience: Patience) -> Ended:
    """Tells every event that is newer than the one with the id `after`, until the stack has come to an end; and once a
    minute what takes so long, when nothing happens."""
    failed, told, busy = "", 0.0, set[str]()
    for passed in patience:
        news = _since(cloudformation, stack, after)
        if not news and busy and passed - told >= SILENCE:
            say(f"{passed:.0f} s: still at {', '.join(sorted(busy))}")
        if news or passed - told >= SILENCE:
            told = passed
        for event in news:
            say(_line(event))
            failed = failed or _failure(event)
            busy = _still(busy, event)
            if _is_stack(event) and _is_final(event["ResourceStatus"]):
                status = event["ResourceStatus"]
                return Ended(status, "" if status in SUCCEEDS else failed or f"the stack {stack} is {status}")
        after = news[-1]["EventId"] if news else after
    return Ended("", failed)


def latest(cloudformation: Any, stack: str) -> str:
    """The id of the newest event; empty when there is none."""
    return next((str(event["EventId"]) for event in _newest_first(cloudformation, stack)), "")


def start_of(cloudformation: Any, stack: str) -> str:
    """The id of the last event before what is under way now began."""
    has_begun = False
    for event in _newest_first(cloudformation, stack):
        if has_begun:
            return str(event["EventId"])
        has_begun = _is_stack(event) and event["ResourceStatus"] in BEGINS
    return ""


def _since(cloudformation: Any, stack: str, after: str) -> list[dict[str, Any]]:
    """Oldest first."""
    found = []
    for event in _newest_first(cloudformation, stack):
        if event["EventId"] == after:
            break
        found.append(event)
    return found[::-1]


def _newest_first(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = cloudformation.describe_stack_events(StackName=stack, **more)
        yield from page["StackEvents"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _is_stack(event: dict[str, Any]) -> bool:
    return event.get("PhysicalResourceId") == event["StackId"]


def _is_final(status: str) -> bool:
    return status.endswith(("_COMPLETE", "_FAILED"))


def _still(busy: set[str], event: dict[str, Any]) -> set[str]:
    """What is under way after this event; the stack itself always is."""
    this = set() if _is_stack(event) else {str(event["LogicalResourceId"])}
    return busy - this if _is_final(event["ResourceStatus"]) else busy | this


def _line(event: dict[str, Any]) -> str:
    reason = f": {event['ResourceStatusReason']}" if event.get("ResourceStatusReason") else ""
    return f"{event['ResourceStatus']} {event['LogicalResourceId']} ({event['ResourceType']}){reason}"


def _failure(event: dict[str, Any]) -> str:
    """In words, when this event is the cause and not a consequence."""
    reason = str(event.get("ResourceStatusReason", "no reason given")).rstrip(". ")
    if not event["ResourceStatus"].endswith("_FAILED") or CANCELLED in reason.lower():
        return ""
    return f"{event['LogicalResourceId']} ({event['ResourceType']}) failed: {reason}"
