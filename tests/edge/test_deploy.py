"""Deployments, call by call as they go over the wire; tests/edge/test_ministack.py deploys the real template."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config
from botocore.stub import ANY, Stubber

from edge import deploy, stack_code, stack_events
from edge.cdn import CdnError, FolderCdn
from edge.deploy import DeployError, Plan
from edge.engine import FUNCTION
from edge.stack_changes import Change
from edge.stack_code import CodeUnknown
from edge.waiting import Patience

STACK, ID, SET = "qdn", "arn:aws:cloudformation:us-east-1:1:stack/qdn/1", "arn:aws:cloudformation:us-east-1:1:changeSet/d/1"
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
KNOWN = ["AccessLogs", "ApiOriginDomain", "RewriteCode", "StagingRewriteCode"]
LIVE = {"qdn-rewrite": "live code", "qdn-rewrite-staging": "code of the next release"}
OUTPUTS = [
    {"OutputKey": "RewriteFunction", "OutputValue": "qdn-rewrite"},
    {"OutputKey": "StagingRewriteFunction", "OutputValue": "qdn-rewrite-staging"},
]
CHANGE = Change("Modify", "SiteDistribution", "AWS::CloudFront::Distribution", "no", ("DistributionConfig",))
PLAN = Plan(STACK, SET, (CHANGE,), LIVE)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.time = 0.0

    def sleep(self, seconds):
        self.time += seconds

    def patience(self, most=60.0, every=20.0):
        return Patience(most, every, self.sleep, lambda: self.time, lambda least, most: most)


@pytest.fixture
def said():
    return []


@pytest.fixture
def aws():
    """A client that sends nothing: a stub answers, in order, and only what was asked as expected."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client(
        "cloudformation", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}), **keys
    )
    with Stubber(client) as stub:
        client.stub = stub
        yield client
        stub.assert_no_pending_responses()


@pytest.fixture
def cdn(tmp_path):
    """Where both functions run something else than the tree has."""
    made = FolderCdn(tmp_path)
    for name, code in LIVE.items():
        release(made, name, code)
    return made


def release(cdn, name, code):
    (cdn.folder / f"{name}.js").write_text(code)


def plan(aws, cdn, said, parameters=None, **options):
    return deploy.plan(
        aws, cdn, STACK, parameters or {}, said.append, "template", Clock().patience(), Clock().patience(), **options
    )


def apply(aws, cdn, said, planned=PLAN, patience=None):
    return deploy.apply(aws, cdn, planned, said.append, patience or Clock().patience())


def is_there(aws, status=None, **more):
    asked = {"StackName": STACK}
    if status is None:
        aws.stub.add_client_error(
            "describe_stacks", "ValidationError", "Stack with id qdn does not exist", 400, expected_params=asked
        )
    else:
        stack = {"StackName": STACK, "StackId": ID, "CreationTime": AT, "StackStatus": status, "Outputs": OUTPUTS}
        aws.stub.add_response("describe_stacks", {"Stacks": [stack | more]}, asked)


def summarises(aws):
    answer = {"Parameters": [{"ParameterKey": name} for name in KNOWN]}
    aws.stub.add_response("get_template_summary", answer, {"TemplateBody": "template"})


def creates(aws, kind, parameters):
    asked = {
        "StackName": STACK, "ChangeSetName": ANY, "ChangeSetType": kind, "TemplateBody": "template",
        "Parameters": parameters,
    }  # fmt: skip
    aws.stub.add_response("create_change_set", {"Id": SET, "StackId": ID}, asked)


def describes(aws, status, *changes, asked=None, **more):
    listed = [{"Type": "Resource", "ResourceChange": one} for one in changes]
    answer = {"Status": status, "ChangeSetId": SET, "Changes": listed} | more
    aws.stub.add_response("describe_change_set", answer, {"ChangeSetName": SET} | (asked or {}))


def changed(resource, kind="AWS::CloudFront::Distribution", action="Modify", **more):
    return {"Action": action, "LogicalResourceId": resource, "ResourceType": kind} | more


def event(number, status, resource=STACK, reason=None, kind="AWS::CloudFormation::Stack"):
    one = {
        "StackId": ID, "EventId": f"e{number}", "StackName": STACK, "LogicalResourceId": resource, "ResourceType": kind,
        "PhysicalResourceId": ID if resource == STACK else "x", "ResourceStatus": status, "Timestamp": AT,
    }  # fmt: skip
    return one | ({"ResourceStatusReason": reason} if reason else {})


def tells(aws, *events, more=None, asked=None):
    """Newest first, as CloudFormation does."""
    answer = {"StackEvents": list(events)} | ({"NextToken": more} if more else {})
    aws.stub.add_response("describe_stack_events", answer, {"StackName": STACK} | ({"NextToken": asked} if asked else {}))


def executes(aws):
    aws.stub.add_response("execute_change_set", {}, {"ChangeSetName": SET, "RetainExceptOnCreate": True})


CODES = zip(("RewriteCode", "StagingRewriteCode"), LIVE.values(), strict=True)
VALUE = [{"ParameterKey": name, "ParameterValue": code} for name, code in CODES]
FIRST = [{"ParameterKey": one["ParameterKey"], "ParameterValue": FUNCTION.read_text()} for one in VALUE]


# --- planning


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS"])
def test_a_stack_that_was_never_deployed_is_created(aws, cdn, said, status):
    is_there(aws, status)
    summarises(aws)
    creates(aws, "CREATE", FIRST)
    describes(aws, "CREATE_IN_PROGRESS")
    describes(aws, "CREATE_COMPLETE", changed("SiteBucket", "AWS::S3::Bucket", "Add"))

    assert plan(aws, cdn, said) == Plan(STACK, SET, (Change("Add", "SiteBucket", "AWS::S3::Bucket"),))


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"])
def test_a_stack_that_is_there_keeps_the_values_that_are_not_named(aws, cdn, said, status):
    before = [{"ParameterKey": name, "ParameterValue": "old"} for name in ("RewriteCode", "ApiOriginDomain", "Dropped")]
    is_there(aws, status, Parameters=before)
    summarises(aws)
    creates(aws, "UPDATE", [*VALUE, {"ParameterKey": "ApiOriginDomain", "UsePreviousValue": True}])
    describes(aws, "CREATE_COMPLETE", changed("SiteDistribution"))

    assert [change.resource for change in plan(aws, cdn, said).changes] == ["SiteDistribution"]


def test_a_change_says_what_is_replaced_and_why(aws, cdn, said):
    details = [{"Target": {"Attribute": "Properties", "Name": "Name"}}, {"Target": {"Attribute": "Tags"}}]
    is_there(aws)
    summarises(aws)
    creates(aws, "CREATE", FIRST)
    describes(
        aws, "CREATE_COMPLETE", changed("RewriteFunction", "F", Replacement="True", Details=details),
        changed("SiteBucket", "B", Replacement="Conditional"), changed("PagesCache", "C", Replacement="False"),
        changed("Old", "O", "Remove"),
    )  # fmt: skip

    assert [str(change) for change in plan(aws, cdn, said).changes] == [
        "Modify RewriteFunction (F, IS REPLACED): Name, Tags", "Modify SiteBucket (B, may be replaced)",
        "Modify PagesCache (C)", "Remove Old (O)",
    ]  # fmt: skip


def test_a_change_that_another_one_may_bring_about_is_no_certain_one(aws, cdn, said):
    reference = {"Target": {"Attribute": "Properties", "Name": "Dimensions"}, "Evaluation": "Dynamic"} | {
        "ChangeSource": "ResourceAttribute", "CausingEntity": "SiteDistribution.DomainName"
    }  # fmt: skip
    parameter = reference | {"ChangeSource": "ParameterReference", "Evaluation": "Static", "CausingEntity": "AlarmEmail"}
    guessed = parameter | {"ChangeSource": "DirectModification", "Evaluation": "Dynamic"}
    is_there(aws)
    summarises(aws)
    creates(aws, "CREATE", FIRST)
    describes(
        aws, "CREATE_COMPLETE", changed("One", "A", Details=[reference]),
        changed("Two", "A", Details=[reference, parameter]), changed("Three", "A", Details=[parameter, guessed]),
        changed("Four", "A", Details=[]),
    )  # fmt: skip

    assert [str(change) for change in plan(aws, cdn, said).changes] == [
        "Modify One (A): Dimensions, only if SiteDistribution.DomainName comes out otherwise",
        "Modify Two (A): Dimensions", "Modify Three (A): Dimensions", "Modify Four (A)",
    ]  # fmt: skip


def test_changes_come_in_pages(aws, cdn, said):
    is_there(aws)
    summarises(aws)
    creates(aws, "CREATE", FIRST)
    describes(aws, "CREATE_COMPLETE", changed("One"), NextToken="next")
    describes(aws, "CREATE_COMPLETE", changed("Two"), asked={"NextToken": "next"})

    assert [change.resource for change in plan(aws, cdn, said).changes] == ["One", "Two"]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_nothing_to_change_is_a_plan_without_changes(aws, cdn, said, reason):
    is_there(aws, "UPDATE_COMPLETE")
    summarises(aws)
    creates(aws, "UPDATE", VALUE)
    describes(aws, "FAILED", StatusReason=reason)
    aws.stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    assert plan(aws, cdn, said) == Plan(STACK, "", (), LIVE)


def test_a_plan_that_cannot_be_made_says_why(aws, cdn, said):
    is_there(aws)
    summarises(aws)
    creates(aws, "CREATE", FIRST)
    describes(aws, "FAILED", StatusReason="Parameter 'ApiOriginDomain' must match pattern")
    aws.stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    with pytest.raises(DeployError, match="the stack qdn cannot be deployed like this: Parameter 'ApiOriginDomain' must"):
        plan(aws, cdn, said)


def test_a_parameter_that_is_misspelt_is_named(aws, cdn, said):
    is_there(aws)
    summarises(aws)

    with pytest.raises(DeployError) as refused:
        plan(aws, cdn, said, {"AccessLog": "x"})
    assert str(refused.value) == (
        "the stack has no parameter AccessLog; it has AccessLogs, ApiOriginDomain, RewriteCode, StagingRewriteCode"
    )


@pytest.mark.parametrize("status", sorted(deploy.ADVICE))
def test_a_stack_that_cannot_be_updated_says_what_to_do(aws, cdn, said, status):
    is_there(aws, status)

    with pytest.raises(DeployError, match=f"the stack qdn is {status}: it") as refused:
        plan(aws, cdn, said)
    assert "{stack}" not in str(refused.value)


def test_a_deployment_under_way_is_followed_first(aws, cdn, said):
    started = event(5, "UPDATE_IN_PROGRESS", reason="User Initiated")
    is_there(aws, "UPDATE_IN_PROGRESS")
    tells(aws, event(6, "UPDATE_IN_PROGRESS", "Site", kind="D"), started, event(4, "CREATE_COMPLETE"))
    tells(aws, event(6, "UPDATE_IN_PROGRESS", "Site", kind="D"), started, event(4, "CREATE_COMPLETE"))
    tells(aws, event(7, "UPDATE_COMPLETE"), event(6, "UPDATE_IN_PROGRESS", "Site", kind="D"), started)
    is_there(aws, "UPDATE_COMPLETE")
    summarises(aws)
    creates(aws, "UPDATE", VALUE)
    describes(aws, "CREATE_COMPLETE", changed("One"))

    assert len(plan(aws, cdn, said).changes) == 1
    assert said == [
        "A deployment of qdn is under way; following it.",
        "UPDATE_IN_PROGRESS qdn (AWS::CloudFormation::Stack): User Initiated",
        "UPDATE_IN_PROGRESS Site (D)",
        "UPDATE_COMPLETE qdn (AWS::CloudFormation::Stack)",
        "Working out what would change in the stack qdn …",
    ]


def test_a_stack_that_is_being_deleted_is_waited_for_and_made_anew(aws, cdn, said):
    is_there(aws, "DELETE_IN_PROGRESS")
    tells(aws, event(5, "DELETE_IN_PROGRESS"), event(4, "CREATE_COMPLETE"))
    aws.stub.add_client_error("describe_stack_events", "ValidationError", "Stack [qdn] does not exist", 400)
    is_there(aws)
    summarises(aws)
    creates(aws, "CREATE", FIRST)
    describes(aws, "CREATE_COMPLETE", changed("One", action="Add"))

    assert len(plan(aws, cdn, said).changes) == 1


def test_a_plan_that_takes_too_long_is_given_up(aws, cdn, said):
    is_there(aws)
    summarises(aws)
    creates(aws, "CREATE", FIRST)
    for _ in range(4):
        describes(aws, "CREATE_IN_PROGRESS")

    with pytest.raises(DeployError, match="CloudFormation has not worked out the changes of qdn in 60 s: run this again"):
        plan(aws, cdn, said)


def test_only_one_region_will_do(cdn, said):
    elsewhere = boto3.client("cloudformation", region_name="eu-west-1")

    with pytest.raises(DeployError, match=r"the stack can only be in us-east-1, .*; not in eu-west-1"):
        plan(elsewhere, cdn, said)


def test_what_amazon_refuses_is_one_line(aws, cdn, said):
    is_there(aws)
    summarises(aws)
    aws.stub.add_client_error("create_change_set", "AccessDenied", "User: arn… is not\nauthorized", 403)

    with pytest.raises(DeployError) as refused:
        plan(aws, cdn, said)
    assert str(refused.value) == (
        "these keys may not do it: allow cloudformation:CreateChangeSet on the stack qdn (docs/edge-stack.md)"
    )


def test_a_plan_can_be_forgotten(aws):
    aws.stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    deploy.discard(aws, PLAN)
    deploy.discard(aws, Plan(STACK, "", ()))


# --- the functions keep the code that is live


@pytest.mark.parametrize("name", ["RewriteCode", "StagingRewriteCode"])
def test_code_is_not_set_by_hand(aws, cdn, said, name):
    is_there(aws, "UPDATE_COMPLETE")

    with pytest.raises(DeployError) as refused:
        plan(aws, cdn, said, {"ApiOriginDomain": "a.b", name: "other"})
    assert str(refused.value) == f"{name} cannot be set: only releases change functions (`manage.py edge promote`)"


def test_a_stack_that_does_not_name_its_functions_is_left_alone(aws, cdn, said):
    is_there(aws, "UPDATE_COMPLETE", Outputs=OUTPUTS[:1])

    with pytest.raises(CodeUnknown, match="the stack qdn has no output StagingRewriteFunction, so nobody knows which"):
        plan(aws, cdn, said)


@pytest.mark.parametrize("name", list(LIVE))
def test_a_function_that_is_not_there_stops_it(aws, cdn, said, name):
    is_there(aws, "UPDATE_COMPLETE")
    (cdn.folder / f"{name}.js").unlink()

    with pytest.raises(CodeUnknown, match=f"^there is no function {name}, though the stack has it: nothing is deployed"):
        plan(aws, cdn, said)


def test_a_function_that_may_not_be_read_stops_it(aws, said):
    class Denied:
        def live_code(self, name):
            raise CdnError(f"these keys may not do it: allow cloudfront:GetFunction on {name}")

    is_there(aws, "UPDATE_COMPLETE")

    with pytest.raises(CdnError, match=r"allow cloudfront:GetFunction on qdn-rewrite$"):
        plan(aws, Denied(), said)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"x" * 4097, "the function qdn-rewrite has 4,097 characters, a stack takes 4,096"),
        (b"\xff", "the function qdn-rewrite is no text in UTF-8"),
    ],
    ids=["too long", "no text"],
)
def test_code_that_a_stack_cannot_hold_stops_it(aws, cdn, said, code, words):
    is_there(aws, "UPDATE_COMPLETE")
    (cdn.folder / "qdn-rewrite.js").write_bytes(code)

    with pytest.raises(CodeUnknown, match=f"^{words}"):
        plan(aws, cdn, said)


def test_the_longest_code_that_a_stack_can_hold_is_held(cdn):
    release(cdn, "qdn-rewrite", "é" * stack_code.LONGEST)

    assert stack_code.live(cdn, "qdn-rewrite") == "é" * 4096


@pytest.mark.parametrize("name", list(LIVE))
def test_a_plan_from_before_a_release_is_not_carried_out(aws, cdn, said, name):
    release(cdn, name, "of a release that went live while somebody read the plan")
    aws.stub.add_response("delete_change_set", {}, {"ChangeSetName": SET})

    with pytest.raises(CodeUnknown) as refused:
        apply(aws, cdn, said)
    assert str(refused.value) == (
        f"a release has changed the function {name} since this was planned. Nothing was changed: run it again"
    )


# --- carrying it out


def test_a_plan_is_carried_out_and_told_event_by_event(aws, cdn, said):
    tells(aws, event(3, "UPDATE_COMPLETE"))
    executes(aws)
    tells(aws, event(3, "UPDATE_COMPLETE"))  # CloudFormation has not begun: the end of the time before is no end
    tells(
        aws, event(5, "UPDATE_IN_PROGRESS", "Site", kind="D"), event(4, "UPDATE_IN_PROGRESS"), event(3, "UPDATE_COMPLETE")
    )
    tells(aws, event(7, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), event(6, "UPDATE_COMPLETE", "Site", kind="D"), more="p2")
    tells(aws, event(5, "UPDATE_IN_PROGRESS", "Site", kind="D"), asked="p2")
    tells(aws, event(8, "UPDATE_COMPLETE"), event(7, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    is_there(aws, "UPDATE_COMPLETE", Outputs=[{"OutputKey": "SiteBucket", "OutputValue": "b"}])

    assert apply(aws, cdn, said, patience=Clock().patience(600)) == {"SiteBucket": "b"}
    assert [line.split(" (")[0] for line in said] == [
        "UPDATE_IN_PROGRESS qdn", "UPDATE_IN_PROGRESS Site", "UPDATE_COMPLETE Site",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS qdn", "UPDATE_COMPLETE qdn",
    ]  # fmt: skip


def test_what_takes_long_is_named_once_a_minute(aws, cdn, said):
    before, begun = event(3, "UPDATE_COMPLETE"), event(4, "UPDATE_IN_PROGRESS")
    site, api = (event(5 + n, "UPDATE_IN_PROGRESS", name, kind="D") for n, name in enumerate(("Site", "Api")))
    api_done, site_done = event(7, "UPDATE_COMPLETE", "Api", kind="D"), event(8, "UPDATE_COMPLETE", "Site", kind="D")
    tells(aws, before)
    executes(aws)
    tells(aws, api, site, begun, before)
    for _ in range(4):  # after 26, 52, 78 and 104 seconds
        tells(aws, api, site, begun, before)
    tells(aws, api_done, api, site, begun, before)
    for _ in range(6):
        tells(aws, api_done, api, site, begun, before)
    tells(aws, event(9, "UPDATE_COMPLETE"), site_done, api_done, api, site, begun, before)
    is_there(aws, "UPDATE_COMPLETE")

    apply(aws, cdn, said, patience=Clock().patience(600))

    assert [line.split(" (")[0] for line in said] == [
        "UPDATE_IN_PROGRESS qdn", "UPDATE_IN_PROGRESS Site", "UPDATE_IN_PROGRESS Api", "78 s: still at Api, Site",
        "UPDATE_COMPLETE Api", "208 s: still at Site", "286 s: still at Site", "UPDATE_COMPLETE Site",
        "UPDATE_COMPLETE qdn",
    ]  # fmt: skip


def test_a_plan_without_changes_is_done(aws, cdn, said):
    is_there(aws, "UPDATE_COMPLETE", Outputs=[{"OutputKey": "SiteBucket", "OutputValue": "b"}])

    assert apply(aws, cdn, said, Plan(STACK, "", ())) == {"SiteBucket": "b"}
    assert said == []


def test_a_failure_names_what_failed_first_and_not_what_was_cancelled_for_it(aws, cdn, said):
    failed = [
        event(4, "UPDATE_IN_PROGRESS"),
        event(5, "UPDATE_FAILED", "PagesCache", "Resource update cancelled", "C"),
        event(6, "UPDATE_FAILED", "SiteDistribution", "One or more aliases are used already.", "D"),
        event(7, "UPDATE_FAILED", "ApiDistribution", "Another reason", "D"),
        event(8, "UPDATE_ROLLBACK_IN_PROGRESS", reason="The following resource(s) failed"),
        event(9, "UPDATE_ROLLBACK_COMPLETE"),
    ]
    tells(aws, event(3, "UPDATE_COMPLETE"))
    executes(aws)
    tells(aws, *failed[::-1], event(3, "UPDATE_COMPLETE"))

    with pytest.raises(DeployError) as refused:
        apply(aws, cdn, said)
    assert str(refused.value) == (
        "SiteDistribution (D) failed: One or more aliases are used already. The stack qdn is UPDATE_ROLLBACK_COMPLETE: what"
        " was changed has been put back"
    )


def test_a_first_deployment_that_fails_says_what_to_do_next(aws, cdn, said):
    failed = [
        event(2, "CREATE_IN_PROGRESS"), event(3, "CREATE_FAILED", "SiteBucket", "qdn-site already exists", "B"),
        event(4, "ROLLBACK_IN_PROGRESS"), event(5, "ROLLBACK_COMPLETE"),
    ]  # fmt: skip
    tells(aws, event(1, "REVIEW_IN_PROGRESS"))
    executes(aws)
    tells(aws, *failed[::-1], event(1, "REVIEW_IN_PROGRESS"))

    with pytest.raises(
        DeployError, match=r"SiteBucket .* already exists. The stack qdn is ROLLBACK_COMPLETE: .*delete-stack"
    ):
        apply(aws, cdn, said)


def test_a_deployment_that_takes_too_long_goes_on_without_us(aws, cdn, said):
    tells(aws, event(3, "UPDATE_COMPLETE"))
    executes(aws)
    for _ in range(4):
        tells(aws, event(4, "UPDATE_IN_PROGRESS"), event(3, "UPDATE_COMPLETE"))

    with pytest.raises(
        DeployError, match="the deployment of qdn goes on after 1 minutes: run this again to go on following"
    ):
        apply(aws, cdn, said)
    assert said == ["UPDATE_IN_PROGRESS qdn (AWS::CloudFormation::Stack)"]


@pytest.mark.parametrize("code", ["InvalidChangeSetStatus", "ChangeSetNotFound"])
def test_a_plan_that_was_overtaken_is_not_carried_out(aws, cdn, said, code):
    tells(aws, event(3, "UPDATE_COMPLETE"))
    aws.stub.add_client_error("execute_change_set", code, "", 400)

    with pytest.raises(DeployError, match="this plan for qdn was carried out or overtaken in the meantime: plan again"):
        apply(aws, cdn, said)


def test_outputs_of_a_stack_that_is_not_there(aws):
    is_there(aws)

    with pytest.raises(DeployError, match="there is no stack qdn in us-east-1"):
        deploy.outputs(aws, STACK)


def test_the_template_is_the_one_beside_the_code(aws, cdn, said):
    is_there(aws)
    asked = {"TemplateBody": deploy.TEMPLATE.read_text()}
    aws.stub.add_client_error("get_template_summary", "ValidationError", "seen", 400, expected_params=asked)

    with pytest.raises(DeployError, match="seen"):
        deploy.plan(aws, cdn, STACK, {}, said.append)


def test_the_newest_event_of_a_stack_without_any_is_none(aws):
    tells(aws)

    assert stack_events.latest(aws, STACK) == ""
