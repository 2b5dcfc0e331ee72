"""Deploys edge/stack.yaml: shows what would change, and then changes that and nothing else.

    planned = plan(cloudformation, cdn, "qdn-edge", {"ApiOriginDomain": "…"}, say)
    for change in planned.changes: print(change)
    outputs = apply(cloudformation, cdn, planned, say)

Whoever was interrupted runs it again: `plan` first follows a deployment that is still under way to its end.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore import exceptions as aws

from . import stack_code
from .cdn import Cdn
from .cdn_aws import REGION
from .faults import code_of, explain
from .stack_changes import Change, changes
from .stack_events import follow, latest, start_of
from .store import EdgeError
from .waiting import Patience

TEMPLATE = Path(__file__).parent / "stack.yaml"
PREPARING, DEPLOYING = Patience(300, 2), Patience(3600, 5)
"""A distribution takes five to fifteen minutes, three of them at once about as long."""

NEW = {"", "REVIEW_IN_PROGRESS"}  # the second: planned once, never applied
NOTHING = ("didn't contain changes", "No updates are to be performed")
ADVICE = {
    "ROLLBACK_COMPLETE": "its first deployment failed and was undone; nothing of it is left. Delete it and deploy again:"
    " aws cloudformation delete-stack --region us-east-1 --stack-name {stack}",
    "ROLLBACK_FAILED": "its first deployment failed and could not be undone. Delete it, keeping what cannot be deleted, in"
    " the CloudFormation console; then deploy again",
    "CREATE_FAILED": "its first deployment failed. Delete it and deploy again:"
    " aws cloudformation delete-stack --region us-east-1 --stack-name {stack}",
    "DELETE_FAILED": "it could not be deleted completely. Delete it again, keeping what cannot be deleted, in the"
    " CloudFormation console",
    "UPDATE_ROLLBACK_FAILED": "its last deployment failed and could not be undone. Put right what its events name, then:"
    " aws cloudformation continue-update-rollback --region us-east-1 --stack-name {stack}",
}

Say = Callable[[str], None]
"""Takes one line for the person who waits."""


class DeployError(EdgeError):
    """Nothing was changed, or what was changed has been put back, unless the message says otherwise."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A change set that waits to be carried out; without changes there is none. `live` is {function: code}, as planned."""

    stack: str
    change_set: str
    changes: tuple[Change, ...]
    live: Mapping[str, str] = field(default_factory=dict)


def plan(
    cloudformation: Any, cdn: Cdn, stack: str, parameters: Mapping[str, str], say: Say, template: str = "",
    preparing: Patience | None = None, deploying: Patience | None = None,
) -> Plan:  # fmt: skip
    """Changes nothing. Parameters that are not named keep their values; functions keep the code that is live. Raises
    DeployError, CodeUnknown and CdnError."""
    _check_region(cloudformation)
    found = _settled(cloudformation, stack, say, deploying or DEPLOYING)
    if by_hand := sorted(set(parameters) & set(stack_code.FUNCTIONS)):
        raise DeployError(f"{by_hand[0]} cannot be set: only releases change functions (`manage.py edge promote`)")
    names = {} if _status(found) in NEW else stack_code.functions(stack, _outputs(found))
    code = {parameter: stack_code.live(cdn, name) for parameter, name in names.items()} or stack_code.first()
    say(f"Working out what would change in the stack {stack} …")
    made = _create(cloudformation, stack, template or TEMPLATE.read_text(), {**code, **parameters}, found)
    planned = _described(cloudformation, stack, made, preparing or PREPARING)
    live = {name: code[parameter] for parameter, name in names.items()}
    return Plan(stack, made if planned else "", planned, live)


def _create(cloudformation: Any, stack: str, body: str, given: Mapping[str, str], found: Mapping[str, Any]) -> str:
    """Has a change set made of the stack as it was `found`; returns its id."""
    is_new = _status(found) in NEW
    with _asking(stack):
        made = cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=f"deploy-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=body,
            Parameters=_parameters(cloudformation, body, given, {} if is_new else found),
        )
    return str(made["Id"])


def apply(
    cloudformation: Any, cdn: Cdn, planned: Plan, say: Say, deploying: Patience | None = None
) -> dict[str, str]:  # fmt: skip
    """Carries a plan out and returns the stack's outputs. A plan may be old: when a release went live since, it is not
    carried out. Raises DeployError, which names what failed first and why, CodeUnknown and CdnError."""
    if planned.changes:
        _check_code(cloudformation, cdn, planned)
        with _asking(planned.stack):
            before = latest(cloudformation, planned.stack)
            _execute(cloudformation, planned)
            _follow(cloudformation, planned.stack, before, say, deploying or DEPLOYING)
    return outputs(cloudformation, planned.stack)


def _check_code(cloudformation: Any, cdn: Cdn, planned: Plan) -> None:
    try:
        stack_code.check(cdn, planned.live)
    except stack_code.CodeUnknown:
        discard(cloudformation, planned)
        raise


def discard(cloudformation: Any, planned: Plan) -> None:
    """Forgets a plan that is not to be carried out."""
    if planned.change_set:
        with _asking(planned.stack):
            cloudformation.delete_change_set(ChangeSetName=planned.change_set)


def outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """{name: value}. Raises DeployError when there is no such stack."""
    found = _describe(cloudformation, stack)
    if found is None:
        raise DeployError(f"there is no stack {stack} in {REGION}")
    return _outputs(found)


def _outputs(found: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def _check_region(cloudformation: Any) -> None:
    if (region := cloudformation.meta.region_name) != REGION:
        raise DeployError(
            f"the stack can only be in {REGION}, where CloudFront's certificates and alarms are; not in {region}"
        )


def _settled(cloudformation: Any, stack: str, say: Say, deploying: Patience) -> dict[str, Any]:
    """The stack once nothing is under way; empty when there is none. Raises DeployError when it cannot be updated."""
    found = _describe(cloudformation, stack) or {}
    if _status(found).endswith("_IN_PROGRESS") and _status(found) not in NEW:
        say(f"A deployment of {stack} is under way; following it.")
        with suppress(_NoSuchStack), _asking(stack):  # it was being deleted
            follow(cloudformation, stack, start_of(cloudformation, stack), say, deploying)
        found = _describe(cloudformation, stack) or {}
    if advice := ADVICE.get(_status(found)):
        raise DeployError(f"the stack {stack} is {_status(found)}: {advice.format(stack=stack)}")
    return found


def _status(found: Mapping[str, Any]) -> str:
    return str(found.get("StackStatus", ""))


def _describe(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    try:
        with _asking(stack):
            return dict(cloudformation.describe_stacks(StackName=stack)["Stacks"][0])
    except _NoSuchStack:
        return None


def _parameters(
    cloudformation: Any, body: str, given: Mapping[str, str], found: Mapping[str, Any]
) -> list[dict[str, Any]]:  # fmt: skip
    """Those of the stack as it was `found`, empty for a new one, keep their values unless another one is given."""
    known = {one["ParameterKey"] for one in cloudformation.get_template_summary(TemplateBody=body)["Parameters"]}
    if unknown := sorted(set(given) - known):
        raise DeployError(f"the stack has no parameter {unknown[0]}; it has {', '.join(sorted(known))}")
    before = {one["ParameterKey"] for one in found.get("Parameters", [])}
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted((before & known) - set(given))]
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in sorted(given.items())] + kept


def _described(cloudformation: Any, stack: str, change_set: str, preparing: Patience) -> tuple[Change, ...]:
    for _ in preparing:
        with _asking(stack):
            found = cloudformation.describe_change_set(ChangeSetName=change_set)
            if found["Status"] == "CREATE_COMPLETE":
                return tuple(changes(cloudformation, found))
        if found["Status"] == "FAILED":
            reason = str(found.get("StatusReason", "no reason given"))
            discard(cloudformation, Plan(stack, change_set, ()))
            if any(words in reason for words in NOTHING):
                return ()
            raise DeployError(f"the stack {stack} cannot be deployed like this: {reason}")
    raise DeployError(f"CloudFormation has not worked out the changes of {stack} in {preparing.most:.0f} s: run this again")


def _execute(cloudformation: Any, planned: Plan) -> None:
    """What a failed deployment had just made is removed with it: a bucket that is to be kept for good, too."""
    try:
        cloudformation.execute_change_set(ChangeSetName=planned.change_set, RetainExceptOnCreate=True)
    except aws.ClientError as error:
        if code_of(error) in {"InvalidChangeSetStatus", "InvalidChangeSetStatusException", "ChangeSetNotFound"}:
            raise DeployError(
                f"this plan for {planned.stack} was carried out or overtaken in the meantime: plan again"
            ) from None
        raise


def _follow(cloudformation: Any, stack: str, before: str, say: Say, deploying: Patience) -> None:
    ended = follow(cloudformation, stack, before, say, deploying)
    if ended.status and ended.failed:
        advice = ADVICE.get(ended.status, "what was changed has been put back").format(stack=stack)
        raise DeployError(f"{ended.failed}. The stack {stack} is {ended.status}: {advice}")
    if not ended.status:
        minutes = f"{deploying.most / 60:.0f} minutes"
        raise DeployError(f"the deployment of {stack} goes on after {minutes}: run this again to go on following it")


class _NoSuchStack(Exception):
    pass


@contextmanager
def _asking(stack: str) -> Iterator[None]:
    try:
        yield
    except aws.ClientError as error:
        message = str(error.response["Error"].get("Message", ""))
        if code_of(error) == "ValidationError" and "does not exist" in message and stack in message:
            raise _NoSuchStack from None
        raise DeployError(explain(error, "cloudformation", f"the stack {stack}")) from None
    except aws.BotoCoreError as error:
        raise DeployError(explain(error, "cloudformation")) from None
