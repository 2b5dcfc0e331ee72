"""What a change set would change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """`action` is Add, Modify or Remove; `replaces` is yes, no or maybe: a replaced distribution gets another address.
    `follows` names what it refers to: only when that comes out otherwise is there anything to change here."""

    action: str
    resource: str
    kind: str
    replaces: str = "no"
    because: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()

    def __str__(self) -> str:
        replaced = {"yes": ", IS REPLACED", "maybe": ", may be replaced"}.get(self.replaces, "")
        properties = f": {', '.join(self.because)}" if self.because else ""
        follows = f", only if {' or '.join(self.follows)} comes out otherwise" if self.follows else ""
        return f"{self.action} {self.resource} ({self.kind}{replaced}){properties}{follows}"


def changes(cloudformation: Any, found: dict[str, Any]) -> Iterator[Change]:
    """`found` is the first page that describe_change_set gave."""
    while True:
        for one in found.get("Changes", []):
            yield _change(one["ResourceChange"])
        if not found.get("NextToken"):
            return
        found = cloudformation.describe_change_set(ChangeSetName=found["ChangeSetId"], NextToken=found["NextToken"])


def _change(one: dict[str, Any]) -> Change:
    replaces = {"True": "yes", "Conditional": "maybe"}.get(one.get("Replacement", ""), "no")
    details = one.get("Details", [])
    targets = [detail.get("Target", {}) for detail in details]
    because = {str(target.get("Name") or target.get("Attribute") or "") for target in targets} - {""}
    causes = {str(detail.get("CausingEntity", "another resource")) for detail in details}
    follows = causes if details and all(_is_open(detail) for detail in details) else set()
    words = tuple(sorted(because)), tuple(sorted(follows))
    return Change(one["Action"], one["LogicalResourceId"], one["ResourceType"], replaces, *words)


def _is_open(detail: dict[str, Any]) -> bool:
    """Whether CloudFormation cannot know before it is at it."""
    refers = detail.get("ChangeSource") in {"ResourceReference", "ResourceAttribute"}
    return refers and detail.get("Evaluation") == "Dynamic"
