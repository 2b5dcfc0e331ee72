"""The crews' socket through the whole ASGI application, and the hub behind it."""

import asyncio
import gc
import json

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from django.test import Client

from crew import consumers, live, plan, sheet, viewers
from crew.access import COOKIE
from crew.consumers import CrewConsumer
from crew.devices import Device
from crew.models import Event
from dispatch import access, flow, sockets
from dispatch import live as board_live
from dispatch.models import Board, Job
from tests.crew.factories import make_event, make_member
from tests.crew.phones import phone
from tests.dispatch.test_consumers import close_code, connect, fresh_channel_layer, say  # noqa: F401 fixtures
from tests.dispatch.test_live import BrokenLayer, channel_layers
from tests.factories import make_user
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = 600
HEARTBEAT_SECONDS = board_live.HEARTBEAT_SECONDS  # before a fixture changes it
CREW = "/ws/crew/"


@pytest.fixture
def event(board):
    """Today, or what is left of it and tomorrow."""
    return make_event(board, days=0.01)


@pytest.fixture
def dee(board):
    return make_member(board)


@pytest.fixture
def sam(board):
    return make_member(board, "Sam Oak")


@pytest.fixture
def dees(dee):
    return phone(dee)


@pytest.fixture
def sams(sam):
    return phone(sam)


@database_sync_to_async
def claim(event, member):
    return plan.claim(event, member, by=member.name)


@database_sync_to_async
def move(job, to):
    current = Job.objects.get(pk=job.pk)
    return flow.move(current, to, expect=current.seq, by="Ana", channel="board")


@database_sync_to_async
def on(event, member, job=None):
    """The member has a place and, if there is one, the job."""
    plan.claim(event, member, by=member.name)
    if job:
        plan.put_job(job, event, by="Ana")


@database_sync_to_async
def in_db(function):
    return function()


async def hear(socket):
    return await socket.receive_json_from(timeout=20)


async def quiet(socket, seconds=0.4):
    return await socket.receive_nothing(timeout=seconds)


# --- who gets what


async def test_a_phone_gets_what_the_api_answers_it(event, dees, connect):  # noqa: F811
    socket = await connect(CREW, dees)

    said = await say(socket, type="hello")

    answer = await database_sync_to_async(dees.get)("/api/v1/events")
    assert said == {"type": "events"} | answer.json()
    assert [one["id"] for one in said["events"]] == [event.uid]


async def test_the_office_gets_what_the_api_answers_it(event, dee, ana, connect):  # noqa: F811
    await on(event, dee)
    socket = await connect(CREW, ana)

    said = await say(socket, type="hello", board="main")

    answer = await database_sync_to_async(ana.get)("/api/v1/events?board=main")
    assert said == {"type": "events"} | answer.json()
    assert [one["name"] for one in said["members"]] == ["Dee Ramos"]


async def test_an_account_of_a_member_sees_what_a_member_sees(event, dee, stranger, client, connect):  # noqa: F811
    def link():
        dee.user = stranger
        dee.save()
        client.force_login(stranger)

    await database_sync_to_async(link)()
    socket = await connect(CREW, client)

    said = await say(socket, type="hello")

    assert (said["type"], said["events"][0].get("jobs"), said.get("members")) == ("events", None, None)


async def test_a_claim_arrives_on_the_other_phone(event, sam, sams, dees, connect):  # noqa: F811
    socket = await connect(CREW, dees)
    before = await say(socket, type="hello")

    await claim(event, sam)
    news = await hear(socket)

    (one,) = news["events"]
    assert (news["type"], news["seq"], one["status"]) == ("events", before["seq"] + 1, "full")
    assert [(person["name"], person["you"]) for person in one["firstMates"]["people"]] == [("Sam Oak", False)]


async def test_who_claims_reads_the_notes_and_their_own_place(event, dee, dees, connect):  # noqa: F811
    await database_sync_to_async(lambda: plan.edit_event(event, {"notes": "Gate 4."}, expect=event.seq, by="Ana"))()
    socket = await connect(CREW, dees)
    (before,) = (await say(socket, type="hello"))["events"]

    await claim(event, dee)
    (after,) = (await hear(socket))["events"]

    assert (before.get("notes"), before["you"]) == (None, None)
    assert (after["notes"], after["you"]["role"]) == ("Gate 4.", "first_mate")


async def test_another_boards_crews_are_not_heard(event, dees, connect):  # noqa: F811
    other = await database_sync_to_async(Board.objects.create)(slug="other", name="Elsewhere")
    socket = await connect(CREW, dees)
    await say(socket, type="hello")

    await database_sync_to_async(make_event)(other, "Theirs")

    assert await quiet(socket)


# --- the plan


async def test_a_moved_job_of_mine_is_news_of_my_plan_and_nobody_elses(event, job, dee, dees, sams, connect):  # noqa: F811
    await on(event, dee, job)
    mine, other = await connect(CREW, dees), await connect(CREW, sams)
    for socket in (mine, other):
        await say(socket, type="hello")

    await move(job, "scheduled")

    assert await hear(mine) == {"type": "plan"}
    assert await quiet(other)


async def test_several_changes_at_once_are_one_piece_of_news(event, job, dee, dees, connect):  # noqa: F811
    await on(event, dee, job)
    socket = await connect(CREW, dees)
    await say(socket, type="hello")

    for to in ("scheduled", "requested", "scheduled"):
        await move(job, to)

    assert await hear(socket) == {"type": "plan"}
    assert await quiet(socket)


async def test_a_job_that_is_put_into_my_event_is_news_of_both(event, job, dee, dees, connect):  # noqa: F811
    await on(event, dee)
    socket = await connect(CREW, dees)
    await say(socket, type="hello")

    await database_sync_to_async(plan.put_job)(job, event, by="Ana")
    first, second = await hear(socket), await hear(socket)

    assert (first["type"], first["events"][0]["jobCount"], second) == ("events", 1, {"type": "plan"})


async def test_the_office_hears_of_no_plans(event, job, dee, ana, connect):  # noqa: F811
    await on(event, dee, job)
    socket = await connect(CREW, ana)
    await say(socket, type="hello", board="main")

    await move(job, "scheduled")

    assert await quiet(socket)


async def test_a_board_that_was_restored_may_have_changed_any_job(event, job, dee, dees, sams, connect):  # noqa: F811
    await on(event, dee, job)
    mine, other = await connect(CREW, dees), await connect(CREW, sams)
    for socket in (mine, other):
        await say(socket, type="hello")

    await database_sync_to_async(Board.objects.filter(slug="main").update)(epoch="6b1f0000-0000-4000-8000-000000000000")

    assert await hear(mine) == {"type": "plan"}
    assert await quiet(other)


# --- the protocol


async def test_nothing_is_sent_before_the_hello(event, sam, dees, connect):  # noqa: F811
    socket = await connect(CREW, dees)

    await claim(event, sam)

    assert await quiet(socket)


async def test_each_hello_is_answered(event, dees, connect):  # noqa: F811
    socket = await connect(CREW, dees)

    assert await say(socket, type="hello") == await say(socket, type="hello", board=None)


async def test_a_ping_is_answered_with_the_number(event, dees, connect):  # noqa: F811
    socket = await connect(CREW, dees)
    said = await say(socket, type="hello")

    assert await say(socket, type="ping") == {"type": "heartbeat", "seq": said["seq"]}


async def test_a_heartbeat_carries_the_number(event, dees, connect, monkeypatch):  # noqa: F811
    assert HEARTBEAT_SECONDS == 15.0
    monkeypatch.setattr(board_live, "HEARTBEAT_SECONDS", 0.02)
    socket = await connect(CREW, dees)
    said = await say(socket, type="hello")

    assert await hear(socket) == {"type": "heartbeat", "seq": said["seq"]}


@pytest.mark.parametrize(
    "text",
    [" ", "[]", "{}", '{"type": "claim"}', '{"type": "hello", "board": 5}', "[" * 50_000],
    ids=["blank", "a list", "nothing", "a command", "a wrong board", "nested too deep"],
)
async def test_a_message_out_of_the_protocol_ends_the_conversation(event, dees, connect, text):  # noqa: F811
    socket = await connect(CREW, dees)

    await socket.send_to(text_data=text)

    assert await close_code(socket) == 4000


async def test_a_hello_for_somebody_else_is_out_of_the_protocol(event, dee, ana, connect):  # noqa: F811
    socket = await connect(CREW, ana)
    await say(socket, type="hello", board="main")

    await socket.send_json_to({"type": "hello", "board": "other"})

    assert await close_code(socket) == 4000


async def test_who_was_refused_gets_nothing_more(event, connect):  # noqa: F811
    socket = await connect(CREW)
    await socket.send_json_to({"type": "hello"})
    assert await close_code(socket) == 4001

    await socket.send_json_to({"type": "hello"})
    await socket.send_json_to({"type": "ping"})

    assert await quiet(socket, 0.2)


async def test_who_says_nothing_is_hung_up_on(board, connect, monkeypatch):  # noqa: F811
    monkeypatch.setattr(consumers, "HELLO_SECONDS", 0.02)

    socket = await connect(CREW)

    assert await close_code(socket) == 4000


async def test_without_a_database_a_hello_is_to_be_tried_again(event, dees, connect, monkeypatch):  # noqa: F811
    def lost(slug):
        raise OperationalError("server closed the connection")

    socket = await connect(CREW, dees)
    monkeypatch.setattr(sheet, "read", lost)

    await socket.send_json_to({"type": "hello"})

    assert await close_code(socket) == 1011
    assert (live.hub("main")._board, live.hub("main")._tasks) == (None, [])


async def test_a_page_of_another_origin_cannot_open_a_socket(event, dees, connect):  # noqa: F811
    assert await connect(CREW, dees, "https://evil.example") == 1000


async def test_a_server_that_stops_sends_phones_away(event, dees, connect):  # noqa: F811
    socket = await connect(CREW, dees)
    await say(socket, type="hello")

    await sockets.drain()

    assert (await hear(socket))["type"] == "restart"
    assert await close_code(socket) == 4012


async def test_a_phone_has_only_so_many_sockets(event, dees, sams, connect, monkeypatch):  # noqa: F811
    monkeypatch.setattr(viewers, "MOST_SOCKETS", 2)
    for _ in range(2):
        await say(await connect(CREW, dees), type="hello")

    third, other = await connect(CREW, dees), await connect(CREW, sams)
    await third.send_json_to({"type": "hello"})

    assert await close_code(third) == 4029
    assert (await say(other, type="hello"))["type"] == "events"
    assert len(viewers.guard().watchers) == 3


# --- who may not look any more


def revoke(member, device):
    device.revoked_at = device.created_at
    device.save()


def revoke_all(member, device):
    Device.objects.filter(member=member).update(revoked_at=device.created_at)
    viewers.look_again()


def delete_phone(member, device):
    device.delete()


def member_leaves(member, device):
    member.is_active = False
    member.save()


@pytest.mark.parametrize("what", [revoke, revoke_all, delete_phone, member_leaves])
async def test_who_is_signed_out_is_cut_off_at_once(event, dee, dees, sams, sam, connect, what):  # noqa: F811
    socket, other = await connect(CREW, dees), await connect(CREW, sams)
    for one in (socket, other):
        await say(one, type="hello")
    await until(lambda: get_channel_layer().groups.get(access.GROUP), "the guard listens")

    await database_sync_to_async(lambda: what(dee, Device.objects.get(member=dee)))()
    assert await close_code(socket) == 4001
    await claim(event, sam)

    assert (await hear(other))["type"] == "events"
    assert await quiet(socket, 0.1)


async def test_who_goes_out_from_another_yard_connects_again(event, dee, dees, connect):  # noqa: F811
    socket = await connect(CREW, dees)
    await say(socket, type="hello")
    await until(lambda: get_channel_layer().groups.get(access.GROUP), "the guard listens")

    def move_away():
        dee.board = Board.objects.create(slug="other", name="Elsewhere")
        dee.save()

    await database_sync_to_async(move_away)()
    assert await close_code(socket) == 1011
    again = await connect(CREW, dees)

    assert (await say(again, type="hello"))["board"]["slug"] == "other"


async def test_without_a_hint_the_next_look_finds_it(event, dee, dees, connect, monkeypatch):  # noqa: F811
    assert access.RECHECK_SECONDS == 60.0
    monkeypatch.setattr(access, "RECHECK_SECONDS", 0.1)
    socket = await connect(CREW, dees)
    await say(socket, type="hello")

    await database_sync_to_async(lambda: Device.objects.update(revoked_at=dee.created_at))()

    assert await close_code(socket) == 4001


async def test_the_office_that_signs_out_is_cut_off_at_once(event, ana, connect):  # noqa: F811
    socket = await connect(CREW, ana)
    await say(socket, type="hello", board="main")
    await until(lambda: get_channel_layer().groups.get(access.GROUP), "the guard listens")

    await database_sync_to_async(ana.post)("/logout/")

    assert await close_code(socket) == 4001


@pytest.fixture
def linked(board, client):
    """A member by account, and the browser."""
    user = make_user("lou")
    member = make_member(board, "Lou Fox", user=user)
    client.force_login(user)
    return member, user


def account_closed(member, user):
    user.is_active = False
    user.save()


def unlinked(member, user):
    member.user = None
    member.save()


@pytest.mark.parametrize(("what", "code"), [(account_closed, 4001), (unlinked, 4003), (member_leaves, 4003)])
async def test_an_account_that_is_no_members_any_more_is_cut_off(event, linked, client, connect, what, code):  # noqa: F811
    socket = await connect(CREW, client)
    await say(socket, type="hello")
    await until(lambda: get_channel_layer().groups.get(access.GROUP), "the guard listens")

    await database_sync_to_async(what)(*linked)

    assert await close_code(socket) == code


def test_being_seen_and_signing_in_tell_nobody(dee, monkeypatch):
    told = []
    monkeypatch.setattr("dispatch.hints.send", lambda group, message: told.append(group))

    phone(dee)
    device = Device.objects.get()
    device.save(update_fields=["last_seen_at"])
    make_member(dee.board, "Sam Oak")
    assert told == []
    device.save()

    assert told == ["access"]


def test_all_phones_cost_four_queries(board, django_assert_num_queries):
    members = [make_member(board, f"M{number} Poe") for number in range(6)]
    watchers = []
    for member in members:
        phone(member)
        watchers.append(Phone(member, Device.objects.get(member=member).pk))

    with django_assert_num_queries(1):
        assert viewers.refused(watchers) == {}
    for number in range(3):
        browser = Client()
        browser.force_login(make_user(f"user{number}"))
        members[number].user_id = browser.session["_auth_user_id"]
        members[number].save()
        watchers.append(Phone(members[number], None, browser.session.session_key))
    with django_assert_num_queries(4):
        assert viewers.refused(watchers) == {}


class Phone:
    def __init__(self, member, device, session_key=None):
        self.member, self.device, self.session_key = member, device, session_key


# --- the hub


class Listener:
    def __init__(self, member=None):
        self.member, self.texts, self.plans = member, [], 0

    def news(self, text):
        self.texts.append(text)

    def plan(self):
        self.plans += 1

    def heartbeat(self, text):
        pass

    @property
    def seq(self):
        return json.loads(self.texts[-1])["seq"]


@pytest.fixture
async def join():
    """Joins new listeners to the main board's hub; all leave in the end."""
    joined = []

    async def join(member=None):
        listener, hub = Listener(member), live.hub("main")
        await hub.join(listener)
        joined.append((hub, listener))
        return listener

    yield join
    tasks = {task for hub, _ in joined for task in hub._tasks}
    for hub, listener in joined:
        hub.leave(listener)
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_change_is_read_once_for_all(event, dee, sam, join, monkeypatch):
    listeners = [await join(dee), await join(sam), await join(), await join()]
    reads, read = [], sheet.read
    monkeypatch.setattr(sheet, "read", lambda slug: reads.append(slug) or read(slug))

    await claim(event, dee)
    await until(lambda: {listener.seq for listener in listeners} == {2}, "all have the change")

    assert reads == ["main"]
    assert listeners[2].texts[-1] is listeners[3].texts[-1]


async def test_a_hint_wakes_the_hub(event, dee, join, monkeypatch):
    monkeypatch.setattr(board_live, "COMPARE_SECONDS", NEVER)
    listener = await join(dee)
    await until(lambda: get_channel_layer().groups.get(plan.group("main")), "the hub listens for hints")

    await claim(event, dee)

    await until(lambda: listener.seq == 2, "the change arrives", seconds=20)


async def test_without_hints_the_hub_compares(event, dee, join, monkeypatch):
    monkeypatch.setattr(board_live, "COMPARE_SECONDS", 0.02)
    channel_layers.backends["default"] = BrokenLayer()
    listener = await join(dee)

    await claim(event, dee)

    await until(lambda: listener.seq == 2, "the change arrives", seconds=20)


async def test_the_same_text_is_not_sent_twice(event, dee, join, monkeypatch):
    monkeypatch.setattr(board_live, "COMPARE_SECONDS", 0.02)
    monkeypatch.setattr(sheet, "READ_AGAIN_SECONDS", 0.0)
    reads, read = [], sheet.read
    monkeypatch.setattr(sheet, "read", lambda slug: reads.append(slug) or read(slug))
    listeners = [await join(dee), await join()]

    await until(lambda: len(reads) > 5, "it was read again and again")

    assert ([len(listener.texts) for listener in listeners], listeners[0].plans) == ([1, 1], 0)


async def test_a_new_name_on_the_roster_reaches_the_office_without_a_number(event, dee, join, monkeypatch):
    monkeypatch.setattr(board_live, "COMPARE_SECONDS", 0.02)
    monkeypatch.setattr(sheet, "READ_AGAIN_SECONDS", 0.05)
    member, office = await join(dee), await join()

    await database_sync_to_async(make_member)(event.board, "Kim Lee")
    await until(lambda: len(office.texts) == 2, "the office is told")

    assert (len(member.texts), office.seq) == (1, 1)


async def test_who_joins_late_has_what_was_changed_a_moment_ago(event, dee, sam, join, monkeypatch):
    """Their own claim, for example: neither the hint nor the second need to have come."""
    monkeypatch.setattr(board_live, "COMPARE_SECONDS", NEVER)
    monkeypatch.setattr("dispatch.hints.send", lambda group, message: None)
    early = await join(dee)

    await claim(event, sam)
    late = await join(sam)

    assert (late.seq, [json.loads(text)["seq"] for text in early.texts]) == (2, [1, 2])


async def test_an_error_of_the_database_is_survived(event, job, dee, join, monkeypatch, caplog):
    monkeypatch.setattr(board_live, "COMPARE_SECONDS", 0.02)
    await on(event, dee, job)
    listener = await join(dee)
    read, failures = sheet.read, ["lost"] * 3

    def fail_first(slug):
        if failures:
            raise OperationalError(failures.pop())
        return read(slug)

    monkeypatch.setattr(sheet, "read", fail_first)

    await move(job, "scheduled")
    await database_sync_to_async(make_event)(event.board, "One more")
    await until(lambda: len(listener.texts) == 2 and listener.plans, "the news arrive")

    assert caplog.messages[0] == "crews of main: cannot read changes, trying again: lost"
    assert (failures, listener.plans) == ([], 1)


async def test_a_hub_without_listeners_stops_and_is_forgotten(event, dee):
    listener, hub, boards = Listener(dee), live.hub("main"), board_live.hub("main")
    await hub.join(listener)
    tasks = list(hub._tasks) + list(boards._tasks)
    assert hub in boards.listeners

    hub.leave(listener)
    await asyncio.wait(tasks, timeout=20)
    ended = ([task.cancelled() for task in tasks], hub.sheet, set(boards.listeners))

    del hub, listener, tasks
    gc.collect()
    assert (ended, dict(live._hubs[asyncio.get_running_loop()])) == (([True] * 6, None, set()), {})


async def test_a_hub_starts_again_for_the_next_listener(event, dee, sam, join):
    listener, hub = Listener(dee), live.hub("main")
    await hub.join(listener)
    hub.leave(listener)
    await claim(event, sam)

    late = await join(sam)
    await claim(await in_db(lambda: make_event(event.board, "Another", days=3)), dee)
    await until(lambda: late.seq == 4, "the change arrives")

    assert (listener.seq, len(listener.texts)) == (1, 1)


async def test_two_hundred_phones_cost_one_text_and_those_who_are_on(board, join):
    members = await in_db(lambda: [make_member(board, f"M{number} Poe") for number in range(200)])
    await in_db(lambda: [make_event(board, f"Event {number}", days=number / 4 + 0.1) for number in range(40)])
    listeners = [await join(member) for member in members]

    await claim(await in_db(lambda: Event.objects.first()), members[0])
    await until(lambda: {listener.seq for listener in listeners} == {41}, "all have the change")

    assert len({id(listener.texts[-1]) for listener in listeners}) == 2


async def test_a_socket_that_goes_while_it_joins_leaves_nothing_behind(event, dees, monkeypatch):
    """Its cookie is good, and the database slow."""
    reading, go, joined = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow_join(self, listener):
        reading.set()
        await go.wait()
        await join_of(self, listener)
        joined.set()

    join_of = live.Hub.join
    monkeypatch.setattr(live.Hub, "join", slow_join)
    scope_cookies = {COOKIE: dees.cookies[COOKIE].value}

    async def let_in(scope, receive, send):
        more = {"cookies": scope_cookies, "user": _Anonymous(), "session": _NoSession(), "line": None}
        await CrewConsumer.as_asgi()(scope | more, receive, send)

    socket = WebsocketCommunicator(let_in, CREW)
    await socket.connect(timeout=20)
    await socket.send_json_to({"type": "hello"})
    await reading.wait()
    (consumer,) = viewers.guard().watchers
    await consumer.close(4001)
    go.set()

    assert await close_code(socket) == 4001
    await asyncio.wait_for(joined.wait(), 20)
    await until(lambda: not live.hub("main").listeners, "nobody listens")
    assert (viewers.guard().watchers, await quiet(socket, 0.1)) == (set(), True)
    await socket.disconnect(timeout=20)


class _Anonymous:
    is_authenticated = is_active = False


class _NoSession:
    session_key = None
