"""The whole stack, deployed to an emulator of Amazon's services, and asked as a visitor's browser asks. The emulator keeps
nothing at its edge, fetches from its bucket without TLS, and knows neither `test_function` nor log deliveries.
"""

import json
import os
import shutil
import socket
import sys
from io import StringIO
from pathlib import Path

import boto3
import httpx
import pytest
import yaml
from django.core.management import call_command

from edge import cdn_aws, deploy, stack_code
from edge.cdn import sha256
from edge.cdn_aws import AwsCdn
from edge.engine import FUNCTION
from edge.waiting import Patience
from tests.conftest import missing
from tests.edge.test_stack import Loader
from tests.postgres import free_port
from tests.servers import ROOT, Process

pytestmark = pytest.mark.processes

MINISTACK = ROOT / ".venv" / "ministack" / "bin" / "ministack"
TOKEN = "Ab3-_xYz01Ab3-_xYz01Ab3-_xYz01AB"
SERVICES = "s3,cloudfront,cloudformation,cloudwatch,monitoring,sns,sts"
QUICK = Patience(60, 0.1)
PARAMETERS = {
    "ApiOriginDomain": "origin.example.com", "ApiDomain": "api.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/one", "AccessLogs": "false",
}  # fmt: skip
TRACK, NOT_FOUND, NEXT = b"<title>Your pickup</title>", b"<title>Not found</title>", b"<title>The next release</title>"


@pytest.fixture(scope="module")
def amazon(tmp_path_factory):
    """The endpoint of a running emulator."""
    if not MINISTACK.exists():
        missing("Ministack")
    if not shutil.which("node", path=search_path()):
        missing("node")
    folder, port = tmp_path_factory.mktemp("ministack"), free_port()
    env = os.environ | {
        "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": SERVICES, "LOG_LEVEL": "WARNING",
        "PATH": search_path(), "TMPDIR": str(folder), "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }  # fmt: skip
    server = Process([str(MINISTACK)], folder / "log", env)
    try:
        server.wait_until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def deployed(amazon, tmp_path_factory):
    """The deployed stack, and the environment in which `manage.py edge deploy` finds it."""
    template = tmp_path_factory.mktemp("template") / "stack.json"
    template.write_text(without_tls())
    with pytest.MonkeyPatch.context() as patch:
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": amazon}
        for name, value in keys.items():
            patch.setenv(name, value)
        for name, value in {"TEMPLATE": template, "PREPARING": QUICK, "DEPLOYING": QUICK}.items():
            patch.setattr(deploy, name, value)
        yield Stack(amazon)


@pytest.fixture
def stack(deployed):
    """What is deployed, as it was deployed."""
    yield deployed
    for name in stack_code.FUNCTIONS.values():
        deployed.release(name, FUNCTION.read_bytes())


def command(*arguments: str) -> list[str]:
    """What `manage.py edge deploy` prints."""
    printed = StringIO()
    call_command("edge", "deploy", "--stack", "qdn", *arguments, stdout=printed)
    return printed.getvalue().splitlines()


class Stack:
    """The template is deployed as it is, but for the statements that refuse a fetch without TLS."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.cloudformation = self.client("cloudformation")
        self.s3 = self.client("s3")
        self.cdn = AwsCdn(self.client("cloudfront"), QUICK)
        self.said = command("--yes", *(f"--set={name}={value}" for name, value in PARAMETERS.items()))
        self.outputs = deploy.outputs(self.cloudformation, "qdn")
        self.put("SiteBucket", "production/track.html", TRACK)
        self.put("SiteBucket", "production/404.html", NOT_FOUND)
        self.put("SiteBucket", "production/release.json", b'{"by": "ana"}')
        self.put("SiteBucket", "production/static/track.0123456789ab.js", b"export {};")
        self.put("SiteBucket", "staging/track.html", NEXT)
        self.put("SiteBucket", "releases/0123456789abcdef/track.html", b"not for visitors")
        self.put("StateBucket", f"public/track/{TOKEN}.json", b'{"status": "en_route"}')
        self.put("StateBucket", "jobs/J1.json", b'{"phone": "+13035550100"}')

    def client(self, service: str):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=cdn_aws.REGION, endpoint_url=self.endpoint, **keys)

    def release(self, function: str, code: bytes) -> None:
        """Only the function of a release. `function` is the output that names it."""
        self.cdn.put_function(self.outputs[function], code, [], lambda *_: None)

    def live(self) -> dict[str, str]:
        """{output: code}"""
        return {name: stack_code.live(self.cdn, self.outputs[name]) for name in stack_code.FUNCTIONS.values()}

    def put(self, bucket: str, name: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.outputs[bucket], Key=name, Body=content)

    def get(self, address: str, site: str = "Site", scheme: str = "https", **headers: str) -> httpx.Response:
        host = self.outputs[f"{site}Target"]
        return httpx.get(self.endpoint + address, headers={"Host": host, "X-Forwarded-Proto": scheme} | headers, timeout=20)

    def bucket_policy(self, bucket: str) -> str:
        return self.s3.get_bucket_policy(Bucket=self.outputs[bucket])["Policy"]

    def set_bucket_policy(self, bucket: str, policy: str) -> None:
        self.s3.put_bucket_policy(Bucket=self.outputs[bucket], Policy=policy)


def without_tls() -> str:
    template = yaml.load(deploy.TEMPLATE.read_text(), Loader)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::S3::BucketPolicy":
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [one for one in document["Statement"] if one["Sid"] != "OnlyEncrypted"]
    return json.dumps(template)


def search_path() -> str:
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_tracking_link_is_the_tracking_page_with_its_headers(stack):
    answer = stack.get(f"/track/{TOKEN}?lang=es")

    assert (answer.status_code, answer.content) == (200, TRACK)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


HEADERS = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https://api.example.com;"
    " font-src 'self'; connect-src 'self' https://api.example.com wss://api.example.com; manifest-src 'self';"
    " form-action 'self' https://api.example.com; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "cross-origin-opener-policy": "same-origin",
}


def test_everything_was_announced_before_it_was_made(stack):
    announced = {line.split()[1] for line in stack.said if line.startswith("  Add ")}
    made = {line.split()[1] for line in stack.said if line.startswith("CREATE_COMPLETE")}

    assert made - {"qdn"} <= announced
    assert {"SiteDistribution", "StagingDistribution", "ApiDistribution", "RewriteFunction", "SiteBucketPolicy"} <= made
    last_announced = max(at for at, line in enumerate(stack.said) if line.startswith("  Add "))
    assert last_announced < min(at for at, line in enumerate(stack.said) if line.startswith("CREATE_"))


def test_a_deployment_ends_with_what_the_application_needs_to_know(stack):
    assert stack.said[-len(stack.outputs) :] == [f"  {name} = {value}" for name, value in stack.outputs.items()]
    assert stack.outputs["ApiOrigin"] == "https://api.example.com"


def test_a_new_stack_begins_with_the_function_of_the_tree(stack):
    assert stack.live() == dict.fromkeys(stack_code.FUNCTIONS.values(), FUNCTION.read_text())


def test_the_staging_site_shows_the_next_release_and_the_customers_site_does_not(stack):
    assert stack.get(f"/track/{TOKEN}", "Staging").content == NEXT
    assert stack.get(f"/track/{TOKEN}", "Staging").headers["x-robots-tag"] == "noindex, nofollow"


def test_a_copy_of_a_job_is_where_pages_look_for_it(stack):
    answer = stack.get(f"/state/track/{TOKEN}.json")

    assert (answer.status_code, answer.json()) == (200, {"status": "en_route"})
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_assets_are_served_as_they_are(stack):
    assert stack.get("/static/track.0123456789ab.js").content == b"export {};"


@pytest.mark.parametrize(
    "address",
    [
        "/no/such/page", "/track/short", "/state/jobs/J1.json", "/state/track/../../jobs/J1.json", "/jobs/J1.json",
        "/state/track/%2e%2e/%2e%2e/jobs/J1.json", "/release.json", "/releases/0123456789abcdef/track.html",
        f"/state/track/{TOKEN[:-1]}z.json", "/../releases/0123456789abcdef/track.html",
    ],
)  # fmt: skip
def test_what_is_not_for_visitors_is_the_page_that_says_so(stack, address):
    assert stack.get(address).content == NOT_FOUND


def test_a_missing_page_is_404(stack):
    assert stack.get("/no/such/page").status_code == 404


def test_http_leads_to_https(stack):
    answer = stack.get(f"/track/{TOKEN}", scheme="http")

    assert (answer.status_code, answer.headers["location"]) == (
        301, f"https://{stack.outputs['SiteTarget']}/track/{TOKEN}"
    )  # fmt: skip


def test_a_distribution_that_the_bucket_does_not_name_is_refused(stack):
    before = stack.bucket_policy("SiteBucket")
    stack.set_bucket_policy("SiteBucket", before.replace(stack.outputs["SiteDistribution"], "E0000000000000"))

    assert stack.get(f"/track/{TOKEN}").status_code == 403

    stack.set_bucket_policy("SiteBucket", before)
    assert stack.get(f"/track/{TOKEN}").status_code == 200


WORKING_OUT = "Working out what would change in the stack qdn …"


def test_a_second_deployment_has_nothing_to_do(stack):
    assert command("--yes") == [
        WORKING_OUT, "The stack qdn is as it should be.", *(f"  {name} = {value}" for name, value in stack.outputs.items())
    ]  # fmt: skip


def test_a_deployment_changes_what_it_was_told_to_and_says_so_first(stack):
    """The emulator also lists what refers to what changes."""
    said = command("--set", "AlarmEmail=ana@example.com", "--yes")

    announced = {line.split()[1] for line in said if line.startswith(("  Modify ", "  Add "))}
    assert announced == {
        "AlarmTopic", "ApiFails", "FunctionIsSlow", "RewriteIsInvalid", "RewriteThrows", "SiteFails", "SiteMisses",
        "StateThrows",
    }  # fmt: skip
    subscriptions = stack.client("sns").list_subscriptions()["Subscriptions"]
    assert [(one["Protocol"], one["Endpoint"]) for one in subscriptions] == [("email", "ana@example.com")]
    assert command()[1] == "The stack qdn is as it should be."


def test_what_nobody_agreed_to_is_not_done(stack):
    said = command("--set", "PriceClass=PriceClass_All")

    assert said[-1] == "Nothing was changed. With --yes it is done without asking."
    assert any(line.startswith("  Modify SiteDistribution ") for line in said)
    assert not any(line.startswith("UPDATE_") for line in said)
    assert command()[1] == "The stack qdn is as it should be."


def test_the_code_that_is_live_survives_a_deployment_from_a_tree_that_has_another(stack, monkeypatch, tmp_path):
    live = {"RewriteFunction": "// of the release\n", "StagingRewriteFunction": "// of the next one\n"}
    live = {name: FUNCTION.read_text() + words for name, words in live.items()}
    for name, code in live.items():
        stack.release(name, code.encode())
    (tmp_path / "rewrite.js").write_text(FUNCTION.read_text() + "// of a tree that nobody released\n")
    monkeypatch.setattr(stack_code, "FUNCTION", tmp_path / "rewrite.js")

    said = command("--set", "PriceClass=PriceClass_200", "--yes")

    assert [line for line in said if "RewriteFunction (" in line and line.startswith("UPDATE_COMPLETE")] == [
        f"UPDATE_COMPLETE {name} (AWS::CloudFront::Function)" for name in live
    ]
    assert stack.live() == live
    site = stack.client("cloudfront").get_distribution(Id=stack.outputs["SiteDistribution"])["Distribution"]
    assert site["DistributionConfig"]["PriceClass"] == "PriceClass_200"


def test_the_same_invalidation_twice_is_one_and_ends(stack):
    seen = []
    first = stack.cdn.invalidate(stack.outputs["SiteDistribution"], ["/track.html", "/book.html"], "release-1")
    second = stack.cdn.invalidate(stack.outputs["SiteDistribution"], ["/book.html", "/track.html"], "release-1")
    stack.cdn.wait(stack.outputs["SiteDistribution"], first, lambda *progress: seen.append(progress))

    assert first == second
    assert seen[-1] == ("forgotten", 1, 1)


def test_another_function_is_live_after_it_was_put(stack):
    name, code = stack.outputs["StagingRewriteFunction"], FUNCTION.read_bytes() + b"// the next one\n"

    assert stack.cdn.put_function(name, code, [], lambda *_: None) is True
    assert stack.cdn.put_function(name, code, [], lambda *_: None) is False
    assert stack.cdn.function_stage(name).sha256 == sha256(code)
    assert stack.get(f"/track/{TOKEN}", "Staging").content == NEXT
