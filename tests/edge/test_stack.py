"""The template, read as YAML: the properties that keep pages fast, links private and buckets shut."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quickjs
import yaml

from dispatch.models import TOKEN
from edge import deploy, manifest, pointer, stack_code
from edge.engine import FUNCTION

ROOT = Path(__file__).parents[2]


class Loader(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": "x"} and `!Sub x` as {"Fn::Sub": "x"}."""


def short_form(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        return {"Fn::GetAtt": value.split(".", 1)}
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)

TEXT = deploy.TEMPLATE.read_text()
TEMPLATE = yaml.load(TEXT, Loader)
RESOURCES = TEMPLATE["Resources"]
BUCKETS = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::S3::Bucket"]
CACHES = ["PagesCache", "AssetsCache", "StateCache"]
SITES = ["SiteDistribution", "StagingDistribution"]


def config(name: str) -> dict[str, Any]:
    """The properties of a resource, or the one structure that holds them."""
    properties = RESOURCES[name]["Properties"]
    wrapped = [key for key in properties if key.endswith("Config") and key != "FunctionConfig"]
    return properties[wrapped[0]] if len(properties) == 1 and wrapped else properties


def behaviours(name: str) -> dict[str, dict[str, Any]]:
    default = {"*": config(name)["DefaultCacheBehavior"]}
    return default | {one["PathPattern"]: one for one in config(name).get("CacheBehaviors", [])}


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in RESOURCES[policy]["Properties"]["PolicyDocument"]["Statement"]}


def source(distribution: str) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:cloudfront::${{AWS::AccountId}}:distribution/${{{distribution}}}"}


# --- the template itself


def test_cloudformation_takes_it_as_it_is():
    assert len(TEXT.encode()) <= 51_200  # what may be sent along with a request
    assert [event for event in yaml.parse(TEXT) if isinstance(event, yaml.AliasEvent)] == []  # it knows no aliases


@pytest.mark.parametrize("name", ["RewriteCode", "StagingRewriteCode"])
def test_the_edge_function_fits_its_parameter(name):
    assert len(FUNCTION.read_text()) <= TEMPLATE["Parameters"][name]["MaxLength"] == stack_code.LONGEST


def test_a_secret_is_shown_to_nobody():
    assert TEMPLATE["Parameters"]["OriginSecret"]["NoEcho"] is True


# --- buckets


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_encrypted_kept_and_cleaned_of_broken_uploads(name):
    bucket = RESOURCES[name]["Properties"]

    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True
    }  # fmt: skip
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert "AES256" in str(bucket["BucketEncryption"])
    assert (RESOURCES[name]["DeletionPolicy"], RESOURCES[name]["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert "AbortIncompleteMultipartUpload" in str(bucket["LifecycleConfiguration"])


@pytest.mark.parametrize("name", ["SiteBucket", "StateBucket"])
def test_what_is_overwritten_can_be_had_back_for_a_while(name):
    bucket = RESOURCES[name]["Properties"]

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    days = [
        rule["NoncurrentVersionExpiration"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if rule["Id"] == "old-versions"
    ]
    assert days in ([{"NoncurrentDays": 90}], [{"NoncurrentDays": 30}])


def test_every_bucket_has_a_policy_that_refuses_what_is_not_encrypted():
    policies = [one["Properties"] for one in RESOURCES.values() if one["Type"] == "AWS::S3::BucketPolicy"]

    assert sorted(one["Bucket"]["Ref"] for one in policies) == sorted(BUCKETS)
    for name in BUCKETS:
        assert statements(f"{name}Policy")["OnlyEncrypted"] == {
            "Sid": "OnlyEncrypted", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }  # fmt: skip


def test_each_site_reads_its_own_pages_and_nothing_else():
    allowed = [one for one in statements("SiteBucketPolicy").values() if one["Effect"] == "Allow"]

    assert [(one["Action"], one["Principal"], one["Resource"], one["Condition"]) for one in allowed] == [
        (
            "s3:GetObject", {"Service": "cloudfront.amazonaws.com"}, {"Fn::Sub": f"${{SiteBucket.Arn}}/{folder}/*"},
            {"StringEquals": {"AWS:SourceArn": source(site)}},
        )
        for folder, site in [("production", "SiteDistribution"), ("staging", "StagingDistribution")]
    ]  # fmt: skip


def test_who_released_what_is_not_served():
    denied = statements("SiteBucketPolicy")["WhoReleasedWhatIsNotForThePublic"]

    assert (denied["Effect"], denied["Resource"]) == (
        "Deny",
        [{"Fn::Sub": f"${{SiteBucket.Arn}}/{place}/release.json"} for place in (pointer.PRODUCTION, pointer.STAGING)],
    )


def test_of_the_state_only_public_copies_are_read():
    allowed = [one for one in statements("StateBucketPolicy").values() if one["Effect"] == "Allow"]

    assert len(allowed) == 1
    assert (allowed[0]["Action"], allowed[0]["Resource"]) == ("s3:GetObject", {"Fn::Sub": "${StateBucket.Arn}/public/*"})
    assert allowed[0]["Condition"] == {"StringEquals": {"AWS:SourceArn": [source(site) for site in SITES]}}


@pytest.mark.parametrize("site", SITES)
def test_what_the_edge_asks_a_bucket_for_is_signed(site):
    for origin in config(site)["Origins"]:
        assert origin["OriginAccessControlId"] == {"Fn::GetAtt": ["BucketAccess", "Id"]}
        assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    access = config("BucketAccess")
    assert (access["SigningBehavior"], access["SigningProtocol"], access["OriginAccessControlOriginType"]) == (
        "always", "sigv4", "s3"
    )  # fmt: skip


def test_origins_lead_to_the_folders_that_releases_and_copies_are_in():
    paths = {site: {one["Id"]: one["OriginPath"] for one in config(site)["Origins"]} for site in SITES}

    assert paths == {
        "SiteDistribution": {"pages": f"/{pointer.PRODUCTION}", "state": "/public"},
        "StagingDistribution": {"pages": f"/{pointer.STAGING}", "state": "/public"},
    }


# --- caches


@pytest.mark.parametrize("name", CACHES)
def test_nothing_but_the_address_tells_kept_answers_apart(name):
    key = config(name)["ParametersInCacheKeyAndForwardedToOrigin"]

    assert (key["QueryStringsConfig"], key["HeadersConfig"], key["CookiesConfig"]) == (
        {"QueryStringBehavior": "none"}, {"HeaderBehavior": "none"}, {"CookieBehavior": "none"}
    )  # fmt: skip
    assert (key["EnableAcceptEncodingBrotli"], key["EnableAcceptEncodingGzip"]) == (True, True)


def test_how_long_answers_are_kept():
    times = {name: tuple(config(name)[time] for time in ("MinTTL", "DefaultTTL", "MaxTTL")) for name in CACHES}

    assert times == {"PagesCache": (0, 60, 300), "AssetsCache": (0, 31_536_000, 31_536_000), "StateCache": (5, 5, 15)}


def test_assets_are_kept_as_long_as_releases_say():
    assert f"max-age={config('AssetsCache')['MaxTTL']}" in manifest.FOREVER


@pytest.mark.parametrize("site", SITES)
def test_each_address_has_its_cache_headers_and_origin(site):
    found = {
        pattern: (one["TargetOriginId"], one["CachePolicyId"]["Ref"], one["ResponseHeadersPolicyId"]["Ref"])
        for pattern, one in behaviours(site).items()
    }

    assert found == {
        "*": ("pages", "PagesCache", "PagesHeaders"),
        "/static/*": ("pages", "AssetsCache", "FilesHeaders"),
        "/state/*": ("state", "StateCache", "FilesHeaders"),
    }


@pytest.mark.parametrize(
    ("site", "function"), [("SiteDistribution", "RewriteFunction"), ("StagingDistribution", "StagingRewriteFunction")]
)
def test_functions_run_where_addresses_are_rewritten_and_nowhere_else(site, function):
    found = {pattern: one.get("FunctionAssociations", []) for pattern, one in behaviours(site).items()}

    assert found == {
        "*": [{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": [function, "FunctionARN"]}}],
        "/static/*": [],
        "/state/*": [{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["StateFunction", "FunctionARN"]}}],
    }
    assert behaviours("ApiDistribution")["*"].get("FunctionAssociations", []) == []


@pytest.mark.parametrize("site", SITES)
def test_visitors_come_encrypted_and_only_read(site):
    for one in behaviours(site).values():
        assert (one["ViewerProtocolPolicy"], one["AllowedMethods"]) == ("redirect-to-https", ["GET", "HEAD"])


@pytest.mark.parametrize("site", SITES)
def test_what_is_missing_is_a_page_with_404_and_soon_looked_for_again(site):
    pages = {one["ErrorCode"]: one for one in config(site)["CustomErrorResponses"]}

    for code in (403, 404):
        assert (pages[code]["ResponseCode"], pages[code]["ResponsePagePath"]) == (404, "/404.html")
    assert max(one["ErrorCachingMinTTL"] for one in pages.values()) <= 10


# --- what the documentation promises


DOCS = (ROOT / "docs" / "edge-stack.md").read_text()


def test_every_parameter_and_every_output_is_explained():
    named = set(re.findall(r"`(\w+)`", DOCS))

    assert set(TEMPLATE["Parameters"]) - named == set()
    assert set(TEMPLATE["Outputs"]) - named - {"ApiDistribution"} == set()  # it keeps nothing: no setting is made of it
    assert set(re.findall(r"--set (\w+)=", DOCS)) <= set(TEMPLATE["Parameters"])


@pytest.mark.parametrize("module", ["deploy", "stack_changes", "stack_events", "cdn_aws"])
def test_the_rights_are_those_of_the_calls_that_are_made(module):
    calls = re.findall(r"\b(cloudformation|cloudfront)\.([a-z]+(?:_[a-z]+)+)\(", (ROOT / f"edge/{module}.py").read_text())
    actions = {f"{service}:{call.title().replace('_', '')}" for service, call in calls}

    assert actions
    assert [action for action in sorted(actions) if f'"{action}"' not in DOCS] == []


# --- functions


@pytest.mark.parametrize("name", ["RewriteFunction", "StagingRewriteFunction", "StateFunction"])
def test_functions_run_in_the_engine_that_they_are_tested_for(name):
    function = RESOURCES[name]["Properties"]

    assert (function["FunctionConfig"]["Runtime"], function["AutoPublish"]) == ("cloudfront-js-2.0", True)


def test_each_function_has_the_code_it_is_given_and_that_of_staging_begins_as_the_other():
    code = {name: RESOURCES[name]["Properties"]["FunctionCode"] for name in ("RewriteFunction", "StagingRewriteFunction")}

    assert code == {
        "RewriteFunction": {"Ref": "RewriteCode"},
        "StagingRewriteFunction": {
            "Fn::If": ["HasStagingRewriteCode", {"Ref": "StagingRewriteCode"}, {"Ref": "RewriteCode"}]
        },
    }
    assert TEMPLATE["Parameters"]["StagingRewriteCode"]["Default"] == ""
    assert TEMPLATE["Conditions"]["HasStagingRewriteCode"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "StagingRewriteCode"}, ""]}]
    }


def test_outputs_name_the_functions_whose_code_a_deployment_leaves_alone():
    for parameter, output in stack_code.FUNCTIONS.items():
        assert parameter in TEMPLATE["Parameters"]
        assert RESOURCES[output]["Type"] == "AWS::CloudFront::Function"
        assert TEMPLATE["Outputs"][output]["Value"] == RESOURCES[output]["Properties"]["Name"]


@pytest.mark.parametrize(
    ("address", "asked_for"),
    [
        ("/state/track/Ab3-_xYz01.json", "/track/Ab3-_xYz01.json"),
        ("/state/track/" + "a" * 64 + ".json", "/track/" + "a" * 64 + ".json"),
        ("/state/track/short.json", "/nothing.json"),
        ("/state/track/" + "a" * 65 + ".json", "/nothing.json"),
        ("/state/jobs/J1.json", "/nothing.json"),
        ("/state/track/../../jobs/J1234567.json", "/nothing.json"),
        ("/state/track/%2e%2e%2fjobs.json", "/nothing.json"),
        ("/state/track/Ab3-_xYz01.json/", "/nothing.json"),
        ("/state/track/Ab3-_xYz01.json\n", "/nothing.json"),
        ("/state/", "/nothing.json"),
    ],
)
def test_the_function_for_copies_asks_for_copies_only(address, asked_for):
    context = quickjs.Context()
    context.eval(RESOURCES["StateFunction"]["Properties"]["FunctionCode"])
    event = json.dumps({"request": {"uri": address, "querystring": {}}})

    assert context.eval(f"handler({event}).uri") == asked_for


def test_the_function_for_copies_knows_tokens_as_the_application_does():
    code = RESOURCES["StateFunction"]["Properties"]["FunctionCode"]

    assert TOKEN.pattern.strip("^$") in code


# --- headers


def test_the_policy_is_that_of_the_application_but_for_sockets_of_the_site_itself():
    """The site has no sockets, only the API has."""
    directives = dict(one.strip().split(" ", 1) for one in written_policy(media=" https://media.example.com").split(";"))
    application = application_policy()
    application["connect-src"].remove("wss://go.example.com")

    assert {name: sorted(value.split()) for name, value in directives.items()} == {
        name: sorted(sources) for name, sources in application.items()
    }


def written_policy(media: str = "") -> str:
    text, variables = config("PagesHeaders")["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"][
        "Fn::Sub"
    ]
    assert variables["Api"]["Fn::If"][:2] == ["HasApiDomain", {"Ref": "ApiDomain"}]
    assert variables["Media"] == {"Fn::If": ["HasMediaOrigin", {"Fn::Sub": " ${MediaOrigin}"}, ""]}
    return text.replace("${Api}", "api.example.com").replace("${Media}", media)


def application_policy() -> dict[str, list[str]]:
    """As a company has it whose pages are at go.example.com."""
    code = (
        "import json, django; django.setup(); from django.conf import settings;"
        "print(json.dumps(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']))"
    )
    origins = {
        "PUBLIC_ORIGIN": "https://go.example.com", "API_ORIGIN": "https://api.example.com", "MEDIA_BUCKET": "photos",
        "MEDIA_ORIGIN": "https://media.example.com", "DJANGO_SETTINGS_MODULE": "qdn.settings", "SECRET_KEY": "x" * 50,
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | origins, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def test_pages_carry_the_headers_that_keep_tokens_at_home():
    security, custom = (
        config("PagesHeaders")["SecurityHeadersConfig"],
        config("PagesHeaders")["CustomHeadersConfig"]["Items"],
    )

    assert security["StrictTransportSecurity"] == {
        "AccessControlMaxAgeSec": 31_536_000, "IncludeSubdomains": True, "Override": True
    }  # fmt: skip
    assert security["ReferrerPolicy"] == {"ReferrerPolicy": "no-referrer", "Override": True}
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["FrameOptions"] == {"FrameOption": "DENY", "Override": True}
    assert {one["Header"] for one in custom} == {"X-Robots-Tag", "Cross-Origin-Opener-Policy", "Permissions-Policy"}
    assert all(one["Override"] for one in custom)


@pytest.mark.parametrize("name", ["PagesHeaders", "FilesHeaders"])
def test_nothing_is_for_search_engines(name):
    items = {one["Header"]: one["Value"] for one in config(name)["CustomHeadersConfig"]["Items"]}

    assert items["X-Robots-Tag"] == "noindex, nofollow"


# --- the API


def test_the_api_is_never_kept_and_sees_what_the_visitor_sent():
    only = behaviours("ApiDistribution")
    api = only["*"]

    assert list(only) == ["*"]
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert set(api["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
    assert api["ViewerProtocolPolicy"] == "https-only"
    errors = {one["ErrorCode"]: one["ErrorCachingMinTTL"] for one in config("ApiDistribution")["CustomErrorResponses"]}
    assert errors == dict.fromkeys([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504], 0)
    sent = config("ApiRequests")
    assert sent["HeadersConfig"]["HeaderBehavior"] == "allViewerAndWhitelistCloudFront"  # sockets need theirs
    assert "CloudFront-Viewer-Address" in sent["HeadersConfig"]["Headers"]
    assert (sent["CookiesConfig"], sent["QueryStringsConfig"]) == (
        {"CookieBehavior": "all"}, {"QueryStringBehavior": "all"}
    )  # fmt: skip


def test_the_application_is_reached_encrypted():
    origin = config("ApiDistribution")["Origins"][0]["CustomOriginConfig"]

    assert (origin["OriginProtocolPolicy"], origin["OriginSSLProtocols"]) == ("https-only", ["TLSv1.2"])


# --- logs and alarms


@pytest.mark.parametrize("name", ["SiteLogs", "ApiLogs"])
def test_logs_have_nothing_in_them_that_can_hold_a_token_or_name_a_person(name):
    fields = set(RESOURCES[name]["Properties"]["RecordFields"])

    assert {"sc-status", "time-taken", "x-edge-request-id", "cache-behavior-path-pattern"} <= fields
    assert not fields & {
        "cs-uri-stem", "cs-uri-query", "cs(Referer)", "cs(Cookie)", "c-ip", "x-forwarded-for", "cs-headers"
    }  # fmt: skip


def test_no_other_log_is_on():
    assert re.findall(r"\b(Logging|RealtimeLogConfigArn):", TEXT) == []


def test_alarms_watch_what_visitors_and_functions_suffer():
    alarms = {one["Properties"]["MetricName"] for one in RESOURCES.values() if one["Type"] == "AWS::CloudWatch::Alarm"}

    assert alarms == {
        "5xxErrorRate", "4xxErrorRate", "FunctionExecutionErrors", "FunctionValidationErrors", "FunctionComputeUtilization"
    }  # fmt: skip
    for one in RESOURCES.values():
        if one["Type"] == "AWS::CloudWatch::Alarm":
            assert one["Properties"]["TreatMissingData"] == "notBreaching"
            assert {"Name": "Region", "Value": "Global"} in one["Properties"]["Dimensions"]


def test_outputs_name_what_the_commands_and_the_application_need():
    assert set(TEMPLATE["Outputs"]) == {
        "SiteBucket", "StateBucket", "LogBucket", "SiteOrigin", "StagingOrigin", "ApiOrigin", "SiteTarget", "StagingTarget",
        "ApiTarget", "SiteDistribution", "StagingDistribution", "ApiDistribution", "RewriteFunction",
        "StagingRewriteFunction",
    }  # fmt: skip
