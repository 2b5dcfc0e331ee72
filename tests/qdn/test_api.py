"""The API as a whole: every error is problem+json with a stable code, and it describes itself."""

import json
import re
from unittest.mock import ANY

import pytest
from django.test import Client

from dispatch import flow
from qdn.api import api


def problem(answer) -> dict:
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    found = json.loads(answer.content)
    assert (found["type"], found["status"]) == ("about:blank", answer.status_code)
    return {key: value for key, value in found.items() if key not in {"type", "status"}}


def test_401_asks_to_sign_in(client, board):
    answer = client.get("/api/v1/boards/main")

    assert answer.status_code == 401
    assert problem(answer) == {"title": "Sign in", "code": "sign_in", "detail": "Sign in first."}


def test_403_says_that_the_permission_is_missing(client, board, stranger):
    client.force_login(stranger)
    answer = client.get("/api/v1/boards/main")

    assert answer.status_code == 403
    assert problem(answer) == {
        "title": "Forbidden",
        "code": "forbidden",
        "detail": "You may not do this. Ask an administrator for the permission.",
    }


def test_403_without_a_csrf_token_has_a_code_of_its_own(job, dispatcher):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(dispatcher)
    answer = browser.post(
        f"/api/v1/jobs/{job.uid}/move", {"to": "scheduled", "seq": job.seq}, content_type="application/json"
    )

    assert answer.status_code == 403
    assert problem(answer)["code"] == "csrf"
    job.refresh_from_db()
    assert job.status == "requested"


def test_a_csrf_token_lets_a_session_write(job, dispatcher):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(dispatcher)
    token = "a" * 32
    browser.cookies["csrf"] = token
    answer = browser.post(
        f"/api/v1/jobs/{job.uid}/move",
        {"to": "scheduled", "seq": job.seq},
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("get", "boards/nowhere"), ("get", "jobs/nothing"), ("get", "track/unknown0"),
        *[(how, url) for how in ("get", "post", "delete") for url in ("jobs/", "no/thing", "boards/a%20b", "jobs/%00")],
    ],
)  # fmt: skip
def test_404_is_the_same_for_everything_that_is_not_there(ana, board, method, url):
    answer = getattr(ana, method)(f"/api/v1/{url}")

    assert answer.status_code == 404
    assert problem(answer) == {"title": "Not found", "code": "not_found", "detail": "There is nothing at this address."}


def test_405_says_which_methods_there_are(ana, board):
    answer = ana.delete("/api/v1/jobs")

    assert answer.status_code == 405
    assert {method.strip() for method in answer["Allow"].split(",")} == {"GET", "POST"}
    assert problem(answer)["code"] == "method_not_allowed"


def test_409_carries_the_current_row(ana, job):
    moved = flow.move(job, "scheduled", expect=job.seq, by="Bo", channel="board")
    answer = ana.post(f"/api/v1/jobs/{job.uid}/move", {"to": "cancelled", "seq": job.seq}, content_type="application/json")

    found = problem(answer)
    assert answer.status_code == 409
    assert re.fullmatch(r"Bo moved this to Scheduled \d+ s ago\.", found["detail"])
    assert (found["code"], found["job"]["seq"], found["job"]["status"]) == ("stale", moved.seq, "scheduled")
    assert found["job"] | {"mirror": ANY, "messages": []} == ana.get(f"/api/v1/jobs/{job.uid}").json()


def test_422_of_the_flow_has_the_flows_code(ana, job):
    answer = ana.post(f"/api/v1/jobs/{job.uid}/move", {"to": "completed", "seq": job.seq}, content_type="application/json")

    assert answer.status_code == 422
    assert problem(answer) == {
        "title": "Not allowed",
        "code": "not_allowed",
        "detail": "A job that is Requested cannot go to Completed, only to: Scheduled, Ready for pickup, Cancelled.",
    }


def test_422_of_a_body_names_the_field(ana, job):
    answer = ana.post(f"/api/v1/jobs/{job.uid}/move", {"to": "scheduled"}, content_type="application/json")

    assert answer.status_code == 422
    assert problem(answer) == {
        "title": "Invalid",
        "code": "invalid",
        "detail": "seq: This is needed.",
        "errors": {"seq": ["This is needed."]},
    }


def test_422_of_a_value_names_the_field(ana, board):
    answer = ana.post("/api/v1/jobs", {"location": "1428 Elm St", "loadEighths": 0}, content_type="application/json")

    assert answer.status_code == 422
    assert problem(answer)["errors"] == {"loadEighths": ["Ensure this value is greater than or equal to 1."]}


def test_400_for_what_is_not_json(ana, board):
    answer = ana.post("/api/v1/jobs", "{", content_type="application/json")

    assert answer.status_code == 400
    assert problem(answer) == {"title": "Unreadable", "code": "unreadable", "detail": "Cannot parse request body"}


def test_428_without_a_version(ana, job):
    answer = ana.patch(f"/api/v1/jobs/{job.uid}", {"notes": "Dog"}, content_type="application/json")

    assert answer.status_code == 428
    assert problem(answer)["code"] == "version_required"


def test_openapi_json_describes_every_operation(client, db):
    answer = client.get("/api/v1/openapi.json")

    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in answer.json()["paths"].items()
        for method in methods
    }
    routed = {
        (method, re.sub(r"\{\w+:", "{", f"{path}"))
        for _, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        if operation.include_in_schema
        for method in operation.methods
    }
    assert answer.status_code == 200
    assert described == routed
    assert ("POST", "/jobs/{uid}/move") in described


def test_the_docs_page_runs_under_our_content_security_policy(client, db):
    answer = client.get("/api/v1/docs")
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"
    assert re.findall(r"<script(?![^>]*(?:\bsrc=|application/json))", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []
    sources = re.findall(r"""(?:src|href)="([^"]+)""", page)
    assert [source for source in sources if not source.startswith(("/static/", "data:"))] == []


@pytest.mark.parametrize("file", ["swagger-ui-bundle.js", "swagger-ui-init.js", "swagger-ui.css"])
def test_the_docs_page_finds_its_files(client, file):
    assert client.get(f"/static/ninja/{file}").status_code == 200
