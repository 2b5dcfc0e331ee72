"""Who gets what: every endpoint of the crews, and their socket, for everybody who might come along."""

import inspect
import json
import re
from urllib.parse import urlencode

import pytest
from channels.db import database_sync_to_async
from django.db import transaction
from django.urls import URLPattern, get_resolver

from crew import plan, viewers
from dispatch import live as board_live
from qdn.api import api
from tests.crew.access_world import ROLES, json_of, make_world, marks, now
from tests.dispatch.test_consumers import connect, fresh_channel_layer  # noqa: F401 fixtures
from tests.dispatch.test_photos import folder  # noqa: F401 a fixture
from tests.tracking.pictures import picture

MEMBERS = ("on", "off", "elsewhere", "inactive", "revoked", "account")

MATRIX = """
                                         nobody stranger looker dispatcher admin on  off elsewhere inactive revoked account
GET    /api/v1/events                       401      403    200        200   200 200 200       200      401     401     200
POST   /api/v1/events                       401      403    403        201   201 401 401       401      401     401     403
PATCH  /api/v1/events/*                     401      403    403        200   200 401 401       401      401     401     403
POST   /api/v1/events/*/cancel              401      403    403        200   200 401 401       401      401     401     403
POST   /api/v1/events/*/assign              401      403    403        200   200 401 401       401      401     401     403
DELETE /api/v1/events/*/assignments/*       401      403    403        200   200 401 401       401      401     401     403
POST   /api/v1/events/*/decline/*           401      403    403        200   200 401 401       401      401     401     403
PUT    /api/v1/jobs/*/event                 401      403    403        200   200 401 401       401      401     401     403
POST   /api/v1/events/*/claim               401      403    403        403   403 200 201       404      401     401     200
DELETE /api/v1/events/*/claim               401      403    403        403   403 200 422       404      401     401     200
GET    /api/v1/crew/plan                    401      403    403        403   403 200 200       200      401     401     200
POST   /api/v1/crew/jobs/*/actions          401      403    403        403   403 200 403       403      401     401     200
POST   /api/v1/crew/jobs/*/photos           401      403    403        403   403 201 403       403      401     401     201
POST   /api/v1/crew/clock                   401      403    403        403   403 200 200       200      401     401     200
POST   /api/v1/crew/seen                    401      403    403        403   403 200 200       200      401     401     200
GET    /crew/photos/*/*/*                   403      403    403        403   403 200 404       404      403     403     200
POST   /crew/photos/*/*/*                   405      405    405        405   405 405 405       405      405     405     405
GET    /crew/                               200      200    200        200   200 200 200       200      200     200     200
POST   /crew/                               405      405    405        405   405 405 405       405      405     405     405
GET    /crew/app.webmanifest                200      200    200        200   200 200 200       200      200     200     200
POST   /crew/app.webmanifest                405      405    405        405   405 405 405       405      405     405     405
GET    /crew/worker.js                      200      200    200        200   200 200 200       200      200     200     200
POST   /crew/worker.js                      405      405    405        405   405 405 405       405      405     405     405
GET    /crew/sign-in/                       200      200    200        200   200 200 200       200      200     200     200
POST   /crew/sign-in/                       302      302    302        302   302 302 302       302      302     302     302
GET    /crew/sign-in/*/                     200      200    200        200   200 200 200       200      200     200     200
POST   /crew/sign-in/*/                     302      302    302        302   302 302 302       302      302     302     302
GET    /crew/sign-out/                      405      405    405        405   405 405 405       405      405     405     405
POST   /crew/sign-out/                      302      302    302        302   302 302 302       302      302     302     302
GET    /crew/phones/                        302      302    302        302   302 200 200       200      302     302     200
POST   /crew/phones/                        302      302    302        302   302 302 404       404      302     302     404
"""

SOCKET = """
                                         nobody stranger looker dispatcher admin on  off elsewhere inactive revoked account
hello                                      4001     4003   4003       4003  4003  ok  ok        ok     4001    4001      ok
hello board=main                           4001     4003     ok         ok    ok 4001 4001    4001     4001    4001    4003
hello board=other                          4001     4003     ok         ok    ok 4001 4001    4001     4001    4001    4003
hello board=nowhere                        4001     4003   4003       4003  4003 4001 4001    4001     4001    4001    4003
"""


def rows(table):
    """{row: {role: what}}"""
    head, *lines = [line for line in table.splitlines() if line.strip()]
    assert tuple(head.split()) == ROLES
    cells = {" ".join(line.split()[: -len(ROLES)]): line.split()[-len(ROLES) :] for line in lines}
    return {row: dict(zip(ROLES, found, strict=True)) for row, found in cells.items()}


def differences(got, wanted):
    """One line for each cell that is another one than in the table."""
    cells = [(row, role) for row in wanted for role in ROLES]
    return [f"{row} for {role}: {got[row][role]}" for row, role in cells if got[row][role] != wanted[row][role]]


def request_of(row, world, job="mine"):
    """The path, and what is sent: something that would work for whoever may do it."""
    event, member, job = world.events["mine"], world.members["on"], world.jobs[job]
    key = {"headers": {"Idempotency-Key": "8c4f"}}
    hours = {"start": f"{event.starts_at:%Y-%m-%dT%H:%M:%SZ}", "end": f"{event.ends_at:%Y-%m-%dT%H:%M:%SZ}"}
    uids, sent = {
        "POST /api/v1/events": ([], json_of(board="main", title="New", **hours)),
        "PATCH /api/v1/events/*": ([event.uid], json_of(title="Renamed") | {"query": {"seq": seq_of(event)}}),
        "POST /api/v1/events/*/cancel": ([event.uid], json_of(reason="Snow.")),
        "POST /api/v1/events/*/assign": ([event.uid], json_of(member=world.members["captain"].uid, role="captain")),
        "DELETE /api/v1/events/*/assignments/*": ([event.uid, member.uid], {"query": {"reason": "Ill."}}),
        "POST /api/v1/events/*/decline/*": ([event.uid, member.uid], json_of()),
        "PUT /api/v1/jobs/*/event": ([job.uid], json_of(event=world.events["later"].uid, before=None)),
        "POST /api/v1/events/*/claim": ([event.uid], json_of()),
        "DELETE /api/v1/events/*/claim": ([event.uid], {"query": {"reason": "Ill."}}),
        "POST /api/v1/crew/jobs/*/actions": ([job.uid], json_of(kind="note", text="Ring twice.", at=now()) | key),
        "POST /api/v1/crew/jobs/*/photos": ([job.uid], {"data": {"file": picture(), "kind": "before", "at": now()}} | key),
        "POST /api/v1/crew/clock": ([], json_of(**{"in": True, "at": now()}) | key),
        "POST /api/v1/crew/seen": ([], json_of(events={event.uid: 1})),
        "GET /crew/photos/*/*/*": ([job.uid, world.photo, "full"], {}),
        "POST /crew/photos/*/*/*": ([job.uid, world.photo, "full"], {}),
        "POST /crew/sign-in/": ([], {"data": {"address": "sam@example.com"}}),
        "GET /crew/sign-in/*/": ([world.link], {}),
        "POST /crew/sign-in/*/": ([world.link], {}),
        "POST /crew/phones/": ([], {"data": {"phone": world.phone}}),
    }.get(row, ([], {}))
    path = re.sub(r"\*", lambda _: uids.pop(0), row.partition(" ")[2])
    query = sent.pop("query", None)
    return f"{path}?{urlencode(query)}" if query else path, sent


def seq_of(event):
    event.refresh_from_db()
    return event.seq


def ask(world, row, role, job="mine"):
    """The answer, with nothing of it kept."""
    path, sent = request_of(row, world, job)
    browser = world.browsers[role]
    cookies = browser.cookies.copy()
    with transaction.atomic():
        answer = getattr(browser, row.split()[0].lower())(path, **sent)
        transaction.set_rollback(True)
    browser.cookies = cookies
    return answer


@pytest.fixture
def world(board, folder):  # noqa: F811
    return make_world(board)


def test_everybody_gets_what_they_may(world):
    got = {row: {role: str(ask(world, row, role).status_code) for role in ROLES} for row in rows(MATRIX)}

    assert differences(got, rows(MATRIX)) == []


def test_every_endpoint_has_its_row():
    """A new one is not let in before somebody says who may use it."""
    assert endpoints() - set(rows(MATRIX)) == set()


def test_every_row_has_its_endpoint():
    assert set(rows(MATRIX)) - endpoints() == set()


def endpoints():
    """As in the table: the crews' operations of the API, and GET and POST of their pages."""
    found = set()
    for pattern, view in patterns(get_resolver().url_patterns):
        if inspect.unwrap(view).__module__.startswith("crew.") and not pattern.startswith("/admin/"):
            found |= {f"{method} {pattern}" for method in ("GET", "POST")}
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                if operation.view_func.__module__.startswith("crew."):
                    pattern = re.sub(r"{[^}]*}", "*", f"/api/v1{prefix}{path}")
                    found |= {f"{method} {pattern}" for method in operation.methods}
    return found


def patterns(branch, before="/"):
    for one in branch:
        path = before + re.sub(r"<[^>]*>", "*", str(one.pattern))
        if isinstance(one, URLPattern):
            yield path, one.callback
        else:
            yield from patterns(one.url_patterns, path)


def test_a_phone_opens_nothing_of_the_office(world):
    """Its cookie is good for the crews' endpoints alone."""
    public = "/track", "/booking", "/book"
    refused = []
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                pattern = f"{prefix}{path}"
                if operation.view_func.__module__.startswith("dispatch.") and not pattern.startswith(public):
                    uid, url = world.jobs["mine"].uid, f"/api/v1{pattern}"
                    url = re.sub(r"{[^}]*slug}", "main", re.sub(r"{[^}]*uid}", uid, re.sub(r"{[^}]*pk}", "1", url)))
                    url = re.sub(r"{[^}]*}", "x", url)
                    for method in operation.methods:
                        answer = world.browsers["on"].generic(method, url, "{}", content_type="application/json")
                        refused.append((pattern, method, answer.status_code))

    assert [one for one in refused if one[2] != 401] == []
    assert len(refused) >= 15


# --- whose details are in the answers


def found_in(world, content):
    """The jobs of which a mark stands in these bytes."""
    return {name for name, job in world.jobs.items() if any(mark.encode() in content for mark in marks(job))}


@pytest.mark.parametrize("role", MEMBERS)
def test_no_answer_tells_a_member_of_a_customer_whom_they_do_not_visit(world, role):
    told = {}
    for row in rows(MATRIX):
        for job in world.jobs:
            answer = ask(world, row, role, job)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            told.setdefault(row, set()).update(found_in(world, content + str(answer.headers).encode()))

    theirs = {"on": {"mine"}, "account": {"mine"}, "elsewhere": {"abroad"}}.get(role, set())
    assert {row: jobs for row, jobs in told.items() if jobs - theirs} == {}
    assert told["GET /api/v1/crew/plan"] == theirs


def test_the_marks_are_found_where_they_are(world):
    """The search itself works: the office's own pages have them."""
    uid = world.jobs["others"].uid

    assert found_in(world, world.browsers["looker"].get(f"/api/v1/jobs/{uid}").content) == {"others"}


# --- the socket


@pytest.mark.django_db(transaction=True)
class TestSocket:
    @pytest.fixture
    async def world(self, board, folder, fresh_channel_layer):  # noqa: F811
        return await database_sync_to_async(make_world)(board)

    async def test_everybody_hears_what_they_may(self, world, connect):  # noqa: F811
        heard = {row: {role: await self.hear(world, connect, role, row) for role in ROLES} for row in rows(SOCKET)}

        assert differences(heard, rows(SOCKET)) == []

    async def hear(self, world, connect, role, row):  # noqa: F811
        _, _, slug = row.partition("board=")
        socket = await connect("/ws/crew/", world.browsers[role])
        await socket.send_json_to({"type": "hello"} | ({"board": slug} if slug else {}))
        output = await socket.receive_output(timeout=20)
        if output["type"] == "websocket.close":
            return str(output["code"])
        assert json.loads(output["text"])["type"] == "events"
        return "ok"

    @pytest.mark.parametrize("role", ["on", "off", "elsewhere", "account"])
    async def test_no_frame_tells_a_member_of_a_customer(self, world, connect, role, monkeypatch):  # noqa: F811
        """Whatever happens on the board: nobody's details are in the socket at all."""
        monkeypatch.setattr(board_live, "HEARTBEAT_SECONDS", 0.1)
        socket = await connect("/ws/crew/", world.browsers[role])
        await socket.send_json_to({"type": "hello"})
        frames = [await socket.receive_from(timeout=20)]

        await database_sync_to_async(stir)(world)
        kinds = set()
        while not {"events", "plan", "heartbeat"} <= kinds | ({"plan"} if role in {"off", "elsewhere"} else set()):
            frames.append(await socket.receive_from(timeout=20))
            kinds.add(json.loads(frames[-1])["type"])

        assert (found_in(world, "".join(frames).encode()), viewers.guard().watchers != set()) == (set(), True)


def stir(world):
    """Something of everything that a socket tells of."""
    for event, job in (("mine", "free"), ("others", "later"), ("abroad", "abroad")):
        plan.put_job(world.jobs[job], world.events[event], by="Ana")
    plan.edit_event(world.events["mine"], {"notes": "Bring straps."}, expect=seq_of(world.events["mine"]), by="Ana")
