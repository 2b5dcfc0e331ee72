"""What a change set would change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """`action` is Add, Modify or Remove; `replaces` is yes, no or maybe: a replaced distribution gets another address."""

    action: str
    resource: str
    kind: str
    replaces: str = "no"
    because: tuple[str, ...] = ()

    def __str__(self) -> str:
        replaced = {"yes": ", IS REPLACED", "maybe": ", may be replaced"}.get(self.replaces, "")
        properties = f": {', '.join(self.because)}" if self.because else ""
        return f"{self.action} {self.resource} ({self.kind}{replaced}){properties}"


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
    targets = [detail.get("Target", {}) for detail in one.get("Details", [])]
    because = {str(target.get("Name") or target.get("Attribute") or "") for target in targets} - {""}
    return Change(one["Action"], one["LogicalResourceId"], one["ResourceType"], replaces, tuple(sorted(because)))
