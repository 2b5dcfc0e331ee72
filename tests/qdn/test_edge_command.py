"""`manage.py edge` as people use it: on a folder, on a bucket, in processes of its own."""

import getpass
import json
import os
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from dispatch.mirror import faults
from edge import cdn_aws, engine, manifest, pointer
from edge.cdn import CdnError, FolderCdn, RecordingCdn
from edge.serving import serving
from qdn import edge_places
from qdn.management.commands.edge import Command, parameters
from qdn.site import SiteStore
from tests.postgres import free_port
from tests.qdn.sites import edge, release, stage, use_folders
from tests.s3 import running_s3
from tests.servers import product

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
LOOKING = "  looking at it as a customer has it …"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(edge_places, "sleep", lambda seconds: None)


@pytest.fixture
def folder(settings, tmp_path, board):
    use_folders(settings, tmp_path)
    return tmp_path


def files(folder: Path, place: str = "production") -> dict[str, bytes]:
    root = folder / "site" / place
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        edge(*arguments)
    return str(error.value)


# --- the way of a release


def test_a_release_is_staged_promoted_and_taken_back(folder):
    first = release("One")
    assert b"One" in files(folder)["track.html"]

    second = stage("Two")
    assert edge("status") == (
        f"production  {first}\nstaging     {second}\n  {at(0)}  {getpass.getuser():<12} {first}: live\n"
    )
    assert edge("promote").splitlines()[-1] == f"Release {second} is live."
    assert b"Two" in files(folder)["track.html"]
    assert edge("verify").splitlines() == [LOOKING, f"Production is release {second}, as it should be."]

    assert edge("rollback").splitlines()[-1] == f"Release {first} is live again."
    assert b"One" in files(folder)["track.html"]
    assert edge("rollback").splitlines()[-1] == f"Release {second} is live again."
    assert edge("rollback", first).splitlines()[-1] == f"Release {first} is live again."
    assert [(one.came_from, one.to) for one in pointer.read(SiteStore()).history] == [
        (None, first), (first, second), (second, first), (first, second), (second, first)
    ]  # fmt: skip
    assert sorted(edge("list").splitlines()) == sorted(
        f"{id}  3 pages, {len(assets(folder))} assets  {place}"
        for id, place in ((first, "production"), (second, "staging"))
    )


def at(number: int) -> str:
    return pointer.read(SiteStore()).history[number].at


def assets(folder: Path) -> list[str]:
    return [path for path in files(folder) if path.startswith("static/")]


def test_a_promotion_says_what_it_is_at(folder):
    release("One")
    second = stage("Two")

    said = [re.sub(r"(: \d+)?(, \d+ s)?$", "", line) for line in edge("promote").splitlines()]

    assert said == [
        "  checked", "  checked", "  assets", "  pages", "  forgotten", LOOKING, f"Release {second} is live."
    ]  # fmt: skip


def test_what_broke_off_on_a_terminal_leaves_the_error_a_line_of_its_own(folder, monkeypatch):
    def wait(self, distribution, invalidation, progress):
        progress("forgotten", 0, 1)
        raise CdnError("it takes too long")

    monkeypatch.setattr(FolderCdn, "wait", wait)
    screen = Screen()

    with pytest.raises(CommandError, match="it takes too long"):
        call_command("edge", "stage", "--no-api", stdout=screen)

    assert re.fullmatch(r"  forgotten: 0 of 1(, \d+ s)? *\n", screen.getvalue().rpartition("\r")[2])


class Screen(StringIO):
    def isatty(self):
        return True


class Closed(StringIO):
    """A pipe whose reader has gone after some lines."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left = lines

    def write(self, text: str) -> int:
        if not self.left:
            raise BrokenPipeError
        self.left -= 1
        return super().write(text)


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_a_release_goes_on_when_nobody_reads_any_more_what_is_told(folder, lines):
    first = release("One")
    second = stage("Two")

    call_command("edge", "promote", "--no-api", stdout=Closed(lines), stderr=Closed(0))

    now = pointer.read(SiteStore())
    assert (now.release, now.to, [(one.to, one.result) for one in now.history]) == (
        second, None, [(first, "live"), (second, "live")],
    )  # fmt: skip


def test_status_for_programs(folder):
    id = release("One")

    told = json.loads(edge("status", "--json"))

    entry = {"number": 1, "at": at(0), "by": getpass.getuser(), "came_from": None, "to": id, "result": "live"}
    production = told["production"]
    assert production | {"at": "", "holder": ""} == {
        "release": id, "to": None, "number": 1, "by": getpass.getuser(), "at": "", "stopped": "", "holder": "",
        "history": [entry],
    }  # fmt: skip
    assert told["staging"]["release"] == id


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"at": "now"}, "Ana is bringing {id} there, last heard of at {at}"),
        (
            {"at": "2026-01-01T00:00:00+00:00"},
            "Ana began to bring {id} there and was last heard of at {at}: promote it again",
        ),
        ({"at": "now", "stopped": "no keys"}, "Ana began to bring {id} there and stopped at {at}: no keys"),
    ],
    ids=["at it", "silent", "gave up"],
)
def test_status_says_who_is_at_it(folder, facts, words):
    id = release("One")
    path = folder / "site" / "production" / "release.json"
    facts = facts | {"at": datetime.now(UTC).isoformat(timespec="seconds") if facts["at"] == "now" else facts["at"]}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"to": id, "by": "Ana"} | facts))

    assert f", {words.format(id=id, at=facts['at'])}" in edge("status").splitlines()[0]


def test_a_damaged_release_is_listed_as_such_and_hides_no_other(folder):
    ids = [release("One"), release("Two"), stage("Three")]
    damaged = ids[0]
    name = f"releases/{damaged}/manifest.json"
    (folder / "site" / name).write_text("{")
    printed = StringIO()

    with pytest.raises(CommandError, match=r"^1 of these releases cannot be promoted$") as error:
        call_command("edge", "list", stdout=printed)

    assert error.value.returncode == 1
    counts = f"3 pages, {len(assets(folder))} assets"
    assert sorted(printed.getvalue().splitlines()) == sorted(
        [
            f"{damaged}  DAMAGED: {name} is damaged: it cannot be read as a manifest",
            f"{ids[1]}  {counts}  production",
            f"{ids[2]}  {counts}  staging",
        ]
    )


def test_prune_says_what_is_gone(folder):
    first = release("One")
    second, third = release("Two"), release("Three")

    assert edge("prune", "--keep", "2") == f"1 releases deleted.\n  {first}\n"
    assert {path.name for path in (folder / "site" / "releases").iterdir() if any(path.rglob("*.*"))} == {second, third}
    assert refused("rollback", first).startswith(f"there is no release {first}")
    assert refused("prune", "--keep", "0") == "keep at least one release to go back to"


# --- bad input is one line, and production stays as it is


def spoil_half(folder, id):
    (folder / "site" / "releases" / id / "track.html").unlink()


def spoil_content(folder, id):
    (folder / "site" / "releases" / id / "404.html").write_text("evil")


@pytest.mark.parametrize(
    ("spoil", "arguments", "words"),
    [
        (None, ["promote", "0123456789abcdef"], "there is no release 0123456789abcdef: `manage.py edge list` shows those"),
        (None, ["promote", "../../etc"], "there is no release ../../etc"),
        (None, ["rollback"], "no other release was live before"),
        (spoil_half, ["promote"], "track.html is missing: stage the release again"),
        (spoil_content, ["promote"], "404.html was changed: it is not what was staged"),
        (spoil_content, ["stage"], "404.html was changed"),
        (None, ["promote", ""], "the release's id is empty: name one, or leave it out"),
        (None, ["rollback", " "], "the release's id is empty: name one, or leave it out"),
    ],
    ids=["unknown", "no id", "nothing before", "half", "tampered", "tampered staged again", "empty", "blank"],
)
def test_what_is_wrong_is_said_in_a_line(folder, spoil, arguments, words):
    release("One")
    second = stage("Two")
    if spoil:
        spoil(folder, second)
    before = files(folder)

    said = refused(*arguments)

    assert words in said
    assert "\n" not in said
    assert files(folder) == before


def test_staging_again_puts_back_what_is_missing(folder):
    release("One")
    second = stage("Two")
    spoil_half(folder, second)

    assert stage("Two") == second
    assert edge("promote").splitlines()[-1] == f"Release {second} is live."


def test_without_a_way_back_nothing_is_promoted(folder):
    first = release("One")
    stage("Two")
    spoil_half(folder, first)
    before = files(folder)

    assert refused("promote").startswith(f"there would be no way back to release {first}, which is live: ")
    assert files(folder) == before

    assert stage("One") == first
    assert stage("Two")
    edge("promote")


def test_pages_can_be_released_while_the_database_cannot_tell_of_a_job(folder, settings, capsys, caplog):
    first, second = release("One"), release("Two")

    def down(execute, sql, *more):
        raise OperationalError("no connection")

    with connection.execute_wrapper(down):
        edge("rollback")
        edge("verify")
        assert edge_places.probe() is None

    assert pointer.read(SiteStore()).release == first != second
    assert "Not looked at: the server behind the API, and its copies of jobs." in capsys.readouterr().err
    assert "No job's public copy is looked at: the database cannot be read: no connection" in caplog.text


def test_one_bad_answer_is_no_reason_to_fail(folder, monkeypatch):
    id = release("One")
    page = folder / "site" / "production" / "track.html"
    content = page.read_bytes()
    page.write_text("old")
    monkeypatch.setattr(edge_places, "sleep", lambda seconds: page.write_bytes(content))

    assert [re.sub(r"(, \d+ s)?$", "", line) for line in edge("verify").splitlines()] == [
        LOOKING,
        "  looking at it as a customer has it: 1 problem so far, track.html: /track/nobodys-link-nobodys-link-nobody leads"
        " to something else than this release's",
        f"Production is release {id}, as it should be.",
    ]


def test_who_has_no_name_is_a_number(folder, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987_654)

    release("One")

    assert pointer.read(SiteStore()).by == "uid 987654"


def test_nothing_staged_and_nothing_released(folder):
    assert refused("promote") == "nothing is staged: run `manage.py edge stage` first"
    assert refused("rollback") == "no other release was live before"
    assert refused("verify") == "nothing was ever brought to production"
    assert edge("status") == "production  nothing yet\nstaging     nothing yet\n"


def test_verify_names_what_is_wrong_and_fails(folder, capsys):
    id = release("One")
    (folder / "site" / "production" / "track.html").write_text("old")

    with pytest.raises(CommandError, match=f"production is not as release {id} should be: 1 problems"):
        call_command("edge", "verify", "--no-api")

    assert "✗ track.html: /track/nobodys" in capsys.readouterr().out


def test_while_the_server_is_down_nothing_new_goes_live(folder, settings):
    first = release("One")
    stage("Two")
    settings.API_ORIGIN = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(CommandError) as error:
        call_command("edge", "promote", stdout=StringIO())

    assert str(error.value).startswith(
        f"release {first}, to which production went back, does not work either: {settings.API_ORIGIN}: cannot be reached"
    )
    assert b"One" in files(folder)["track.html"]


# --- on a bucket


@pytest.fixture(scope="module")
def bucket_server():
    with running_s3("site") as s3:
        yield s3


@pytest.fixture
def bucket(bucket_server, settings, monkeypatch, tmp_path, board):
    """An empty SITE_BUCKET, with a distribution in front of it that this machine serves."""
    for key in list(bucket_server.keys()):
        bucket_server.client.delete_object(Bucket="site", Key=key)
    use_folders(settings, tmp_path)
    for name, value in bucket_server.env.items():
        monkeypatch.setenv(name, value)
    settings.SITE_BUCKET, settings.EDGE_FUNCTION, settings.SITE_DISTRIBUTIONS = "site", "rewrite", ["E1", "E2"]
    settings.STAGING_FUNCTION, settings.STAGING_DISTRIBUTIONS = "rewrite-staging", ["E3"]
    settings.STORAGES = settings.STORAGES | {
        "site": {
            "BACKEND": "dispatch.mirror.s3.CompareAndSwapS3Storage",
            "OPTIONS": {
                "bucket_name": "site", "signature_version": "s3v4", "addressing_style": "path",
                "endpoint_url": bucket_server.url, "access_key": "testing", "secret_key": "testing",
            },
        }
    }  # fmt: skip
    return bucket_server


@pytest.fixture
def cdn(tmp_path, monkeypatch):
    recording = RecordingCdn(tmp_path / "cdn")
    monkeypatch.setattr(edge_places, "AwsCdn", lambda: recording)
    return recording


@pytest.fixture
def visited(bucket, settings):
    """Both places, as their distributions serve them."""
    headers = edge_places.page_headers()
    with (
        serving(SiteStore(), edge_places.read_state, "production", headers=headers) as production,
        serving(SiteStore(), edge_places.read_state, "staging", headers=headers) as staging,
    ):
        settings.PUBLIC_ORIGIN, settings.STAGING_ORIGIN = production.origin, staging.origin
        settings.API_ORIGIN = production.origin
        yield production


def test_in_a_bucket_every_object_says_what_it_is_and_how_long_it_may_be_kept(bucket, cdn, visited):
    id = release("One")

    heads = {key: bucket.client.head_object(Bucket="site", Key=key) for key in list(bucket.keys())}
    kept = {key: (head["ContentType"], head["CacheControl"]) for key, head in heads.items()}
    assert kept["production/track.html"] == ("text/html; charset=utf-8", manifest.ASK_AGAIN)
    assert kept["production/release.json"] == ("application/json", "no-store")
    scripts = [key for key in kept if key.startswith("production/static/") and key.endswith(".js")]
    assert {kept[key] for key in scripts} == {("text/javascript; charset=utf-8", manifest.FOREVER)}
    assert f"releases/{id}/manifest.json" in kept


def test_in_a_bucket_both_distributions_forget_the_pages_and_nothing_else(bucket, cdn, visited):
    first = release("One")
    second = release("Two")
    edge("rollback")

    pages = ["/404.html", "/book.html", "/track.html"]
    asked = [call[1:] for call in cdn.calls if call[0] == "invalidate" and call[1] in {"E1", "E2"}]
    assert [(where, paths, f"{reference[:29]}{reference[-3:]}") for where, paths, reference in asked] == [
        (distribution, pages, f"production-{id}-{number}-{distribution}")
        for number, id in enumerate((first, second, first), 1)
        for distribution in ("E1", "E2")
    ]
    assert [call[1] for call in cdn.calls if call[0] == "put_function"] == [
        "rewrite-staging", "rewrite", "rewrite-staging", "rewrite", "rewrite"
    ]  # fmt: skip
    assert pointer.read(SiteStore()).release == first


def test_in_a_bucket_only_what_is_new_is_uploaded(bucket, cdn, visited):
    release("One")
    bucket.written.clear()

    release("Two")

    written = [key for key, _ in bucket.written if key.startswith("production/") and "release.json" not in key]
    assert sorted(written) == ["production/404.html", "production/book.html", "production/track.html"]


def test_a_distribution_without_the_headers_is_not_what_customers_shall_have(bucket, cdn, visited):
    release("One")
    visited.headers = {}

    with pytest.raises(CommandError, match="is not as release"):
        edge("verify")


def test_what_the_network_refuses_is_said_and_can_be_gone_on_with(bucket, cdn, visited):
    first = release("One")
    second = stage("Two")
    cdn.refuses["invalidate"] = CdnError("these keys may not do it")

    said = refused("promote")

    assert said.startswith(f"release {second} could not stay: these keys may not do it; and going back to {first} failed: ")
    now = pointer.read(SiteStore())
    assert (now.release, now.to, now.stopped) == (first, first, said)
    cdn.refuses.clear()
    assert edge("promote").splitlines()[-1] == f"Release {second} is live."


# --- storage that does not do it: every step says what to do, and production is what it was


class Doorman(BaseHTTPRequestHandler):
    """Lets nobody in; a HEAD has no body that says why."""

    def do_GET(self):
        body = b"" if self.command == "HEAD" else b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_HEAD = do_DELETE = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def doorman():
    """The address of a storage that refuses access."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Doorman)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def with_options(settings, **options):
    site = settings.STORAGES["site"]
    settings.STORAGES = settings.STORAGES | {"site": site | {"OPTIONS": site["OPTIONS"] | options}}


def contents(bucket) -> dict[str, bytes]:
    keys = bucket.keys()
    return {key: bucket.get(key) for key in keys}


REFUSED = (
    "the storage refuses access: allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on SITE_BUCKET and"
    " what is in it"
)
NO_KEYS = f"no usable keys for the storage: {faults.CREDENTIALS}"


@pytest.mark.parametrize(
    ("trouble", "step"),
    [
        *(("refused", step) for step in ("stage", "verify", "promote", "rollback", "status", "list", "prune")),
        *((trouble, step) for trouble in ("no bucket", "no keys", "unreachable") for step in ("stage", "promote")),
    ],
)
def test_a_storage_that_does_not_do_it_is_said_in_a_line(bucket, cdn, settings, monkeypatch, doorman, trouble, step):
    bucket.put("production/track.html", b"as it was")
    before = contents(bucket)
    bucket.written.clear()
    closed = f"http://127.0.0.1:{free_port()}"
    options, words = {
        "refused": ({"endpoint_url": doorman}, REFUSED),
        "no bucket": ({"bucket_name": "nowhere"}, "there is no bucket nowhere: create it or set SITE_BUCKET"),
        "no keys": ({"access_key": None, "secret_key": None}, NO_KEYS),
        "unreachable": ({"endpoint_url": closed}, f"cannot reach {closed}: check the network and AWS_ENDPOINT_URL"),
    }[trouble]
    with_options(settings, **options)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # botocore tries again

    with pytest.raises(CommandError) as error:
        edge(step)

    assert (str(error.value), error.value.returncode) == (words, 1)
    assert (contents(bucket), bucket.written, cdn.calls) == (before, [], [])


def test_a_folder_that_may_not_be_written(folder, monkeypatch):
    first = release("One")

    def write(self, name, content, **more):
        raise PermissionError(13, "Permission denied", str(folder / "site"))

    with monkeypatch.context() as patch:
        patch.setattr(SiteStore, "write", write)
        assert refused("promote", first).startswith(f"may not write {folder / 'site'}: give its folder")


# --- the stack


OUTPUTS = {"SiteBucket": "b", "RewriteFunction": "qdn-rewrite", "StagingRewriteFunction": "qdn-rewrite-staging"}


@pytest.fixture
def cloudformation(monkeypatch, tmp_path):
    """Amazon's answers, in order. Functions are in a folder. tests/edge/test_ministack.py deploys for real."""
    client = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    functions = FolderCdn(tmp_path)
    for name in ("qdn-rewrite", "qdn-rewrite-staging"):
        functions.put_function(name, engine.FUNCTION.read_bytes(), [], lambda *_: None)
    monkeypatch.setattr(cdn_aws, "client", lambda service: client)
    monkeypatch.setattr(cdn_aws, "AwsCdn", lambda cloudfront: functions)
    with Stubber(client) as stub:
        client.stub = stub
        yield client
        stub.assert_no_pending_responses()


def plans(client, *changes):
    stack = {
        "StackName": "qdn-edge",
        "StackId": "s",
        "CreationTime": datetime(2026, 1, 1),
        "StackStatus": "CREATE_COMPLETE",
    }
    there = {
        "Stacks": [stack | {"Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()]}]
    }
    client.stub.add_response("describe_stacks", there)
    known = ("RewriteCode", "StagingRewriteCode", "SiteDomain")
    client.stub.add_response("get_template_summary", {"Parameters": [{"ParameterKey": name} for name in known]})
    client.stub.add_response("create_change_set", {"Id": "arn:changes", "StackId": "s"})
    if changes:
        listed = [{"Type": "Resource", "ResourceChange": one} for one in changes]
        client.stub.add_response(
            "describe_change_set", {"Status": "CREATE_COMPLETE", "ChangeSetId": "arn:changes", "Changes": listed}
        )
    else:
        reason = "The submitted information didn't contain changes."
        client.stub.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason})
        client.stub.add_response("delete_change_set", {})
        client.stub.add_response("describe_stacks", there)


def test_deploy_shows_what_would_change_and_asks_first(cloudformation, db):
    change = {"Action": "Modify", "LogicalResourceId": "PagesCache", "ResourceType": "AWS::CloudFront::CachePolicy"}
    plans(cloudformation, change)
    cloudformation.stub.add_response("delete_change_set", {}, {"ChangeSetName": "arn:changes"})

    assert edge("deploy").splitlines() == [
        "Working out what would change in the stack qdn-edge …",
        "  Modify PagesCache (AWS::CloudFront::CachePolicy)",
        "Nothing was changed. With --yes it is done without asking.",
    ]


def test_deploy_asks_on_a_terminal_and_does_what_was_agreed_to(cloudformation, monkeypatch, db):
    change = {"Action": "Modify", "LogicalResourceId": "PagesCache", "ResourceType": "AWS::CloudFront::CachePolicy"}
    plans(cloudformation, change)
    cloudformation.stub.add_response("delete_change_set", {}, {"ChangeSetName": "arn:changes"})
    monkeypatch.setattr(sys, "stdin", Screen("no\n"))

    said = edge("deploy").splitlines()

    assert (
        said[-1] == "Change the stack qdn-edge like this? [y/N] Nothing was changed. With --yes it is done without asking."
    )


@pytest.mark.parametrize(
    ("typed", "is_sure"), [("y\n", True), ("Yes \n", True), ("\n", False), ("", False), ("n\n", False)]
)
def test_only_yes_is_yes(monkeypatch, typed, is_sure):
    monkeypatch.setattr(sys, "stdin", Screen(typed))

    assert Command(stdout=StringIO()).is_sure("Sure? ") is is_sure


def test_deploy_of_what_is_there_already_changes_nothing_and_says_the_outputs(cloudformation, db):
    plans(cloudformation)

    assert edge("deploy", "--yes").splitlines() == [
        "Working out what would change in the stack qdn-edge …",
        "The stack qdn-edge is as it should be.",
        *(f"  {name} = {value}" for name, value in OUTPUTS.items()),
    ]


def test_a_parameter_needs_a_value(cloudformation, db):
    assert refused("deploy", "--set", "SiteDomain") == "--set SiteDomain: expected NAME=VALUE"


def test_a_value_may_have_an_equals_sign_in_it():
    assert parameters(["OriginSecret=a=b", "SiteDomain="]) == {"OriginSecret": "a=b", "SiteDomain": ""}


# --- in processes of its own


COPIED_JOB = """
from django.core.management import call_command
from dispatch.models import Board
from tests.factories import make_job
make_job(Board.objects.get(slug="main"))
call_command("mirror", "sync")
"""


def run(made, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "edge", *arguments],
        cwd=ROOT,
        env=made.env,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.processes
def test_a_person_releases_looks_and_takes_back_with_a_server_that_answers():
    with product() as made:
        made.serve()
        made.shell(COPIED_JOB)

        staged, promoted = run(made, "stage"), run(made, "promote")
        back, verified = run(made, "rollback"), run(made, "verify")

        assert (staged.returncode, promoted.returncode) == (0, 0), staged.stderr + promoted.stderr
        assert "live." in promoted.stdout
        assert (back.returncode, back.stdout, back.stderr) == (1, "", "CommandError: no other release was live before\n")
        assert verified.stdout.splitlines()[-1].startswith("Production is release")
