"""What the docs promise, held against the code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self' ws://127.0.0.1:8000 ws://localhost:8000",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
PAGES = [
    "/login/", "/board/main/", "/admin/", "/admin/dispatch/job/", "/track/{token}", "/track/unknown",
    "/track/{token}?ask=note", "/state/track/unknown-token.json", "/robots.txt", "/api/v1/track/{token}", "/book",
    "/healthz", "/metrics", "/api/v1/docs", "/api/v1/boards/main", "/static/dispatch/tokens.css", "/no/such/page",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_the_security_headers(client, admin, job, path):
    client.force_login(admin)

    response = client.get(path.format(token=job.token))

    policy = dict(directive.strip().split(" ", 1) for directive in response["Content-Security-Policy"].split(";"))
    assert policy == POLICY
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] in {"no-referrer", "same-origin"}
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def test_every_variable_is_in_the_docs_and_every_documented_one_is_read():
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "qdn" / "settings.py").read_text()))

    rows = re.findall(r"^\| (`[A-Z_`, ]+`)", (ROOT / "docs" / "configuration.md").read_text(), re.M)
    documented = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}

    assert read - documented == set()
    assert documented - read == {"AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"}  # the AWS SDK reads it itself


def test_every_command_is_in_the_docs():
    commands = {path.stem for path in ROOT.glob("*/management/commands/*.py")} - {"__init__"}
    docs = "".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

    assert {command for command in commands if command not in docs} == set()


def test_every_module_of_dispatch_is_on_the_map():
    map_ = (ROOT / "docs" / "architecture.md").read_text()
    modules = {path.name for path in (ROOT / "dispatch").glob("*.py")} - {"__init__.py", "apps.py", "urls.py"}

    assert {module for module in modules if f"`{module}`" not in map_} == set()


def test_the_quick_start_is_two_commands():
    quick_start = (ROOT / "README.md").read_text().split("## Quick start")[1].split("##")[0]

    assert re.findall(r"^    (\S+ \S+)", quick_start, re.M) == ["make run", "make test"]


def test_links_in_the_docs_lead_somewhere():
    dead = []
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            if not (page.parent / link).exists():
                dead.append(f"{page.name}: {link}")
    assert dead == []
