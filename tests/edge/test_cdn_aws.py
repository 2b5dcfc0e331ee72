"""Each call to CloudFront as it goes over the wire, and each of its refusals as one line."""

import io
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore import exceptions as aws
from botocore.config import Config
from botocore.stub import Stubber

from edge.cases import Case
from edge.cdn import CdnError, FunctionRefused, sha256
from edge.cdn_aws import CONFIG, AwsCdn, client
from edge.faults import explain
from edge.waiting import Patience

NAME, NEW, OLD = "qdn-rewrite", b"new", b"old"
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CONFIGURED = {"Comment": "Addresses", "Runtime": "cloudfront-js-2.0"}
CASE = Case("b is c", {"request": {"uri": "/b"}}, {"uri": "/c", "method": "GET"})
OUTPUT = {"request": {"uri": "/c", "method": "GET", "headers": {}, "cookies": {}, "querystring": {}}}


def silent(*_):
    """Nobody watches."""


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.time, self.slept = 0.0, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds

    def patience(self, most, every):
        return Patience(most, every, self.sleep, lambda: self.time, lambda least, greatest: greatest)


@pytest.fixture
def cloudfront():
    """A client that sends nothing: a stub answers, in order, and only what was asked as expected."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    made = boto3.client("cloudfront", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}), **keys)
    with Stubber(made) as stub:
        made.stub = stub
        yield made
        stub.assert_no_pending_responses()


@pytest.fixture
def cdn(cloudfront):
    return AwsCdn(cloudfront, Clock().patience(900, 5))


def body(content):
    return {"FunctionCode": io.BytesIO(content), "ContentType": "application/octet-stream"}


def summary(stage="DEVELOPMENT"):
    metadata = {"FunctionARN": f"arn:aws:cloudfront::1:function/{NAME}", "Stage": stage, "LastModifiedTime": AT}
    return {"Name": NAME, "FunctionConfig": CONFIGURED, "FunctionMetadata": metadata}


def gets(cloudfront, code, stage="LIVE", etag="E1"):
    asked = {"Name": NAME, "Stage": stage}
    if code is None:
        cloudfront.stub.add_client_error("get_function", "NoSuchFunctionExists", "", 404, expected_params=asked)
    else:
        cloudfront.stub.add_response("get_function", body(code) | {"ETag": etag}, asked)


def updates(cloudfront, etag="E1", error=""):
    cloudfront.stub.add_response(
        "describe_function", {"FunctionSummary": summary(), "ETag": etag}, {"Name": NAME, "Stage": "DEVELOPMENT"}
    )
    asked = {"Name": NAME, "IfMatch": etag, "FunctionConfig": CONFIGURED, "FunctionCode": NEW}
    if error:
        cloudfront.stub.add_client_error("update_function", error, "stale", 412, expected_params=asked)
    else:
        cloudfront.stub.add_response("update_function", {"FunctionSummary": summary()}, asked)


def runs(cloudfront, etag="E2", utilization="12", output=OUTPUT, failed=""):
    result = {"ComputeUtilization": utilization, "FunctionOutput": json.dumps(output), "FunctionErrorMessage": failed}
    asked = {"Name": NAME, "IfMatch": etag, "Stage": "DEVELOPMENT", "EventObject": json.dumps(CASE.event).encode()}
    cloudfront.stub.add_response("test_function", {"TestResult": result}, asked)


def publishes(cloudfront, etag="E2", error=""):
    asked = {"Name": NAME, "IfMatch": etag}
    if error:
        cloudfront.stub.add_client_error("publish_function", error, "stale", 412, expected_params=asked)
    else:
        cloudfront.stub.add_response("publish_function", {"FunctionSummary": summary("LIVE")}, asked)


# --- functions


def test_a_new_function_is_updated_tested_and_published(cdn, cloudfront):
    seen = []
    gets(cloudfront, OLD)
    gets(cloudfront, OLD, "DEVELOPMENT", "E1")
    updates(cloudfront)
    gets(cloudfront, NEW, "DEVELOPMENT", "E2")
    runs(cloudfront)
    publishes(cloudfront)

    assert cdn.put_function(NAME, NEW, [CASE], lambda *step: seen.append(step)) is True
    assert seen == [("cases", 1, 1)]


def test_the_live_function_is_left_alone(cdn, cloudfront):
    gets(cloudfront, NEW)

    assert cdn.put_function(NAME, NEW, [CASE], silent) is False


def test_who_was_interrupted_before_publishing_goes_on_there(cdn, cloudfront):
    gets(cloudfront, OLD)
    gets(cloudfront, NEW, "DEVELOPMENT", "E2")
    runs(cloudfront)
    publishes(cloudfront)

    assert cdn.put_function(NAME, NEW, [CASE], silent) is True


def test_a_function_that_was_never_live_is_put(cdn, cloudfront):
    gets(cloudfront, None)
    gets(cloudfront, NEW, "DEVELOPMENT", "E2")
    runs(cloudfront)
    publishes(cloudfront)

    assert cdn.put_function(NAME, NEW, [CASE], silent) is True


def test_without_a_stack_there_is_no_function(cdn, cloudfront):
    gets(cloudfront, None)
    gets(cloudfront, None, "DEVELOPMENT")

    with pytest.raises(CdnError, match="there is no function qdn-rewrite: deploy the stack first"):
        cdn.put_function(NAME, NEW, [CASE], silent)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"output": {"request": {"uri": "/b"}}}, '“b is c”: expected {"uri": "/c"}, got {"uri": "/b"}'),
        ({"failed": "TypeError: no"}, "“b is c”: the function failed: TypeError: no"),
        ({"output": {}}, '“b is c”: expected {"uri": "/c"}, got {}'),
    ],
)
def test_a_function_that_does_otherwise_is_not_published(cdn, cloudfront, result, said):
    gets(cloudfront, OLD)
    gets(cloudfront, NEW, "DEVELOPMENT", "E2")
    runs(cloudfront, **result)

    with pytest.raises(FunctionRefused) as refused:
        cdn.put_function(NAME, NEW, [CASE], silent)
    assert str(refused.value) == said


def test_a_slow_function_is_not_published(cdn, cloudfront):
    gets(cloudfront, OLD)
    gets(cloudfront, NEW, "DEVELOPMENT", "E2")
    for utilization in ("50", "71", "50"):
        runs(cloudfront, utilization=utilization)

    with pytest.raises(FunctionRefused, match="takes 50 % of its time"):
        cdn.put_function(NAME, NEW, [CASE], silent)


def test_cloudfront_that_cannot_run_the_function_says_so(cdn, cloudfront):
    gets(cloudfront, OLD)
    gets(cloudfront, NEW, "DEVELOPMENT", "E2")
    cloudfront.stub.add_client_error("test_function", "TestFunctionFailed", "the event is not valid", 500)

    with pytest.raises(FunctionRefused) as refused:
        cdn.put_function(NAME, NEW, [CASE], silent)
    assert str(refused.value) == "CloudFront cannot run the function qdn-rewrite: the event is not valid"


@pytest.mark.parametrize("error", ["PreconditionFailed", "InvalidIfMatchVersion"])
def test_a_change_by_somebody_else_is_looked_at_once_more(cdn, cloudfront, error):
    gets(cloudfront, OLD)
    gets(cloudfront, OLD, "DEVELOPMENT", "E1")
    updates(cloudfront, error=error)
    gets(cloudfront, b"theirs", "DEVELOPMENT", "E5")
    updates(cloudfront, "E5")
    gets(cloudfront, NEW, "DEVELOPMENT", "E6")
    runs(cloudfront, "E6")
    publishes(cloudfront, "E6")

    assert cdn.put_function(NAME, NEW, [CASE], silent) is True


def test_somebody_who_keeps_changing_it_is_named(cdn, cloudfront):
    gets(cloudfront, OLD)
    for etag in ("E2", "E3"):
        gets(cloudfront, NEW, "DEVELOPMENT", etag)
        runs(cloudfront, etag)
        publishes(cloudfront, etag, "PreconditionFailed")

    with pytest.raises(CdnError, match="somebody else keeps changing the function qdn-rewrite: run this again when"):
        cdn.put_function(NAME, NEW, [CASE], silent)


def test_what_somebody_else_put_there_right_after_us_is_not_published(cdn, cloudfront):
    gets(cloudfront, OLD)
    gets(cloudfront, OLD, "DEVELOPMENT", "E1")
    updates(cloudfront)
    gets(cloudfront, b"theirs", "DEVELOPMENT", "E3")
    gets(cloudfront, b"theirs", "DEVELOPMENT", "E3")
    updates(cloudfront, "E3")
    gets(cloudfront, b"theirs", "DEVELOPMENT", "E4")

    with pytest.raises(CdnError, match="somebody else keeps changing"):
        cdn.put_function(NAME, NEW, [CASE], silent)


def test_the_live_code_can_be_read(cdn, cloudfront):
    gets(cloudfront, NEW)
    gets(cloudfront, NEW, etag="E7")
    gets(cloudfront, None)

    assert cdn.live_code(NAME) == NEW
    state = cdn.function_stage(NAME)
    assert (state.etag, state.sha256, state.stage) == ("E7", sha256(NEW), "LIVE")
    assert cdn.function_stage(NAME) is None


# --- invalidations


def invalidation(status, reference="r1"):
    batch = {"Paths": {"Quantity": 1, "Items": ["/track.html"]}, "CallerReference": reference}
    return {"Invalidation": {"Id": "I1", "Status": status, "CreateTime": AT, "InvalidationBatch": batch}}


def test_an_invalidation_names_its_addresses_in_order_and_its_reference(cdn, cloudfront):
    batch = {"Paths": {"Quantity": 2, "Items": ["/book.html", "/track.html"]}, "CallerReference": "0123-7"}
    cloudfront.stub.add_response(
        "create_invalidation", invalidation("InProgress"), {"DistributionId": "E1", "InvalidationBatch": batch}
    )

    assert cdn.invalidate("E1", ["/track.html", "/book.html", "/track.html"], "0123-7") == "I1"


def test_waiting_asks_again_until_all_of_the_edge_has_forgotten(cdn, cloudfront):
    seen = []
    for status in ("InProgress", "InProgress", "Completed"):
        cloudfront.stub.add_response("get_invalidation", invalidation(status), {"DistributionId": "E1", "Id": "I1"})

    cdn.wait("E1", "I1", lambda *step: seen.append(step))

    assert seen == [("forgotten", 0, 1), ("forgotten", 0, 1), ("forgotten", 1, 1)]


def test_waiting_ends(cloudfront):
    for _ in range(4):
        cloudfront.stub.add_response("get_invalidation", invalidation("InProgress"), {"DistributionId": "E1", "Id": "I1"})

    with pytest.raises(CdnError) as gave_up:
        AwsCdn(cloudfront, Clock().patience(120, 36)).wait("E1", "I1", silent)
    assert str(gave_up.value) == (
        "invalidation I1 is not done after 2 minutes. It goes on by itself; run the same command again to go on waiting"
    )


# --- refusals


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "TooManyInvalidationsInProgress",
            "CloudFront is still busy with earlier invalidations, and takes 3,000 addresses",
        ),
        ("AccessDenied", "these keys may not do it: allow cloudfront:CreateInvalidation on E1 (docs/edge-stack.md)"),
        ("NoSuchDistribution", "there is no distribution E1: its id is among the outputs of the stack"),
        ("BatchTooLarge", "CloudFront takes 3,000 addresses in one invalidation: invalidate /* instead"),
        ("ExpiredToken", "the session token has expired: set AWS_ACCESS_KEY_ID"),
        ("InvalidClientTokenId", "Amazon does not know this access key: set AWS_ACCESS_KEY_ID"),
        ("Throttling", "Amazon asks to be asked less often: run this again in a minute"),
        ("InvalidArgument", "cloudfront:CreateInvalidation was refused (InvalidArgument): in two lines"),
    ],
)
def test_a_refusal_is_one_line(cdn, cloudfront, code, said):
    cloudfront.stub.add_client_error("create_invalidation", code, "in two\nlines", 400)

    with pytest.raises(CdnError) as refused:
        cdn.invalidate("E1", ["/track.html"], "r1")
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("NoSuchDistribution", "there is no distribution E1: its id is among the outputs of the stack"),
        ("NoSuchInvalidation", "CloudFront does not know this invalidation: was the distribution made anew?"),
        ("AccessDenied", "these keys may not do it: allow cloudfront:GetInvalidation on E1 (docs/edge-stack.md)"),
    ],
)
def test_a_refusal_while_waiting_is_one_line(cdn, cloudfront, code, said):
    cloudfront.stub.add_client_error("get_invalidation", code, "", 404)

    with pytest.raises(CdnError) as refused:
        cdn.wait("E1", "I1", silent)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("method", "code", "said"),
    [
        ("get_function", "AccessDenied", "these keys may not do it: allow cloudfront:GetFunction on qdn-rewrite"),
        ("update_function", "FunctionSizeLimitExceeded", "the function is larger than the 10 KB that CloudFront takes"),
        ("update_function", "InvalidArgument", "cloudfront:UpdateFunction was refused (InvalidArgument): SyntaxError"),
        ("publish_function", "NoSuchFunctionExists", "there is no function qdn-rewrite: deploy the stack first"),
    ],
)
def test_a_refusal_of_a_function_is_one_line(cdn, cloudfront, method, code, said):
    if method != "get_function":
        gets(cloudfront, OLD)
        gets(cloudfront, OLD if method == "update_function" else NEW, "DEVELOPMENT", "E2")
    if method == "update_function":
        described = {"FunctionSummary": summary(), "ETag": "E2"}
        cloudfront.stub.add_response("describe_function", described, {"Name": NAME, "Stage": "DEVELOPMENT"})
    if method == "publish_function":
        runs(cloudfront)
    cloudfront.stub.add_client_error(method, code, "SyntaxError", 400)

    with pytest.raises(CdnError) as refused:
        cdn.put_function(NAME, NEW, [CASE], silent)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (aws.NoCredentialsError(), "no usable keys for Amazon: set AWS_ACCESS_KEY_ID"),
        (aws.ProfileNotFound(profile="x"), "no usable keys for Amazon: set AWS_ACCESS_KEY_ID"),
        (aws.EndpointConnectionError(endpoint_url="https://user:secret@host"), "cannot reach Amazon: check the network"),
        (aws.ReadTimeoutError(endpoint_url="https://user:secret@host"), "cannot reach Amazon: check the network"),
        (aws.ParamValidationError(report="AKIASECRET"), "cloudfront: ParamValidationError"),
    ],
)
def test_what_stands_between_us_and_amazon_is_one_line_without_secrets(error, said):
    assert explain(error, "cloudfront").startswith(said)
    assert "ecret" not in explain(error, "cloudfront")


def test_an_unreachable_amazon_is_a_cdn_error(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(CdnError, match="cannot reach Amazon"):
        AwsCdn(client(config=Config(retries={"total_max_attempts": 1}, proxies={}))).invalidate("E1", ["/a"], "r1")


def test_a_busy_amazon_is_asked_several_times():
    assert CONFIG.retries == {"mode": "standard", "total_max_attempts": 8}


# --- patience


def test_patience_asks_at_once_and_for_the_last_time_at_its_end():
    clock = Clock()

    assert list(clock.patience(100, 20)) == [0.0, 26.0, 52.0, 78.0, 100.0]


def test_patience_leaves_it_to_chance_when_exactly():
    asked = []
    clock = Clock()
    patience = Patience(10, 5, clock.sleep, lambda: clock.time, lambda least, most: asked.append((least, most)) or most)
    list(patience)

    assert asked == [(3.5, 6.5), (3.5, 6.5)]
