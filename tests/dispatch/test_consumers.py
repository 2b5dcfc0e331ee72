"""The sockets of the board and of the customer's page, through the whole ASGI application."""

import asyncio
import json

import pytest
from channels.db import database_sync_to_async
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import OperationalError

from dispatch import board as boards
from dispatch import flow, hints, live
from dispatch.models import Board, Job
from qdn.asgi import application, from_our_pages
from tests.factories import make_job
from tests.waiting import until
from tracking.projection import public_projection, shown

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = 1000
"""What a socket that was never accepted reports; a server answers 403."""


@pytest.fixture(autouse=True)
def fresh_channel_layer(monkeypatch):
    monkeypatch.setattr(hints, "_rest_until", 0.0)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 600)  # nothing but what a test asked for
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture
async def connect():
    """Opens sockets as a browser does, with its origin and its cookies; all are closed in the end."""
    opened = []

    async def connect(path, browser=None, origin=settings.PUBLIC_ORIGIN):
        headers = [(b"origin", origin.encode())] if origin else []
        if browser:
            headers.append((b"cookie", "; ".join(f"{name}={c.value}" for name, c in browser.cookies.items()).encode()))
        socket = WebsocketCommunicator(application, path, headers=headers)
        connected, refusal = await socket.connect(timeout=20)
        opened.append(socket)
        return socket if connected else refusal

    yield connect
    for socket in opened:
        await socket.disconnect(timeout=20)


@pytest.fixture
def sams(client, stranger):
    client.force_login(stranger)
    return client


async def close_code(socket):
    output = await socket.receive_output(timeout=20)
    assert output["type"] == "websocket.close", output
    return output["code"]


async def say(socket, **message):
    await socket.send_json_to(message)
    return await socket.receive_json_from(timeout=20)


@database_sync_to_async
def move(job, to):
    current = Job.objects.get(pk=job.pk)
    return flow.move(current, to, expect=current.seq, by="Ana", channel="board")


async def test_nobody_watches_a_board_without_signing_in(board, connect):
    socket = await connect("/ws/board/main/")

    assert await close_code(socket) == 4001


async def test_a_user_without_permission_is_told_so(board, connect, sams):
    socket = await connect("/ws/board/main/", sams)

    assert await close_code(socket) == 4003


async def test_who_was_refused_gets_nothing_for_a_hello(board, job, connect, sams):
    socket = await connect("/ws/board/main/", sams)
    await close_code(socket)

    await socket.send_json_to({"type": "hello", "epoch": None, "seq": 0})

    assert await socket.receive_nothing(timeout=0.2)


async def test_a_board_that_is_not_there_is_not_allowed(board, connect, ana):
    socket = await connect("/ws/board/nowhere/", ana)

    await socket.send_json_to({"type": "hello", "epoch": None, "seq": 0})

    assert await close_code(socket) == 4003


async def test_nothing_is_sent_before_the_hello(board, job, connect, ana):
    socket = await connect("/ws/board/main/", ana)

    await move(job, "scheduled")

    assert await socket.receive_nothing(timeout=0.2)


async def test_a_first_hello_is_answered_with_the_whole_board(board, job, connect, ana):
    socket = await connect("/ws/board/main/", ana)

    answer = await say(socket, type="hello", epoch=None, seq=0)

    counts = dict.fromkeys(flow.STATUS_FLOW, 0) | {"requested": 1}
    assert answer == {
        "type": "snapshot", "epoch": str(board.epoch), "to": job.seq, "jobs": [boards.card(job)], "counts": counts,
    }  # fmt: skip


async def test_who_comes_back_gets_what_changed_in_between(board, job, connect, ana):
    other = await database_sync_to_async(make_job)(board)
    moved = await move(job, "scheduled")
    socket = await connect("/ws/board/main/", ana)

    answer = await say(socket, type="hello", epoch=str(board.epoch), seq=job.seq)

    assert (answer["type"], answer["from"], answer["to"]) == ("delta", job.seq, moved.seq)
    assert answer["jobs"] == [boards.card(other), boards.card(moved)]


async def test_a_move_arrives_as_a_delta(board, job, connect, ana):
    socket = await connect("/ws/board/main/", ana)
    await say(socket, type="hello", epoch=None, seq=0)

    moved = await move(job, "scheduled")
    news = await socket.receive_json_from(timeout=20)

    assert (news["type"], news["from"], news["to"], news["jobs"]) == ("delta", job.seq, moved.seq, [boards.card(moved)])


async def test_a_ping_is_answered_with_the_change_number(board, job, connect, ana):
    socket = await connect("/ws/board/main/", ana)
    await say(socket, type="hello", epoch=None, seq=0)
    await socket.send_json_to({"type": "ack", "seq": job.seq})

    assert await say(socket, type="ping") == {"type": "heartbeat", "seq": job.seq}


@pytest.mark.parametrize(
    "text",
    [" ", "hello", "[]", '{"type": "move"}', '{"type": "hello", "epoch": 5, "seq": 0}', '{"type": "hello"}', "[" * 50_000],
    ids=["blank", "no JSON", "a list", "a command", "a wrong epoch", "no position", "nested too deep"],
)
async def test_a_message_out_of_the_protocol_ends_the_conversation(board, connect, ana, text):
    socket = await connect("/ws/board/main/", ana)

    await socket.send_to(text_data=text)

    assert await close_code(socket) == 4000


async def test_a_binary_message_ends_the_conversation(board, connect, ana):
    socket = await connect("/ws/board/main/", ana)

    await socket.send_to(bytes_data=b"{}")

    assert await close_code(socket) == 4000


async def test_without_a_database_a_hello_is_to_be_tried_again(board, connect, ana, monkeypatch):
    socket = await connect("/ws/board/main/", ana)

    def lost(*position):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(boards, "changes", lost)
    await socket.send_json_to({"type": "hello", "epoch": None, "seq": 0})

    assert await close_code(socket) == 1011


FOREIGN = [
    "https://evil.example", "http://127.0.0.1:8000.evil.example", "http://127.0.0.1.evil.example:8000",
    "http://evil.example/http://127.0.0.1:8000", "http://ana@127.0.0.1:8000", "http://127.0.0.1:9", "http://127.0.0.1",
    "https://127.0.0.1:8000", "ws://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://[::1", "null", None,
]  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/ws/board/main/", "/ws/track/"])
async def test_a_page_of_another_origin_cannot_open_a_socket(board, connect, ana, path, origin):
    assert await connect(path, ana, origin) == REFUSED


@pytest.mark.parametrize("origin", settings.ORIGINS)
async def test_a_page_of_each_of_our_origins_can_open_a_socket(board, connect, origin):
    assert await connect("/ws/track/", origin=origin) != REFUSED


@pytest.mark.parametrize(
    ("configured", "sent"), [("https://a.example:443", "https://a.example"), ("http://a:80", "http://a")]
)
async def test_browsers_leave_out_the_port_that_a_scheme_has_anyway(configured, sent):
    async def let_in(scope, receive, send):
        await send({"type": "websocket.accept"})

    socket = WebsocketCommunicator(from_our_pages(let_in, [configured]), "/", headers=[(b"origin", sent.encode())])

    assert (await socket.connect(timeout=20))[0] is True


async def test_an_address_without_a_socket_is_refused(board, connect, ana):
    assert await connect("/ws/elsewhere/", ana) == REFUSED


async def test_anonymous_callers_leave_nothing_behind(board, connect):
    for number in range(3):
        await close_code(await connect(f"/ws/board/made-up-{number}/"))

    assert dict(live._hubs.get(asyncio.get_running_loop(), {})) == {}


async def test_a_closed_socket_leaves_its_hub(board, job, connect, ana):
    socket = await connect("/ws/board/main/", ana)
    await say(socket, type="hello", epoch=None, seq=0)
    hub = live.hub("main")
    listening = len(hub.listeners)

    await socket.disconnect(timeout=20)

    assert (listening, len(hub.listeners), hub._tasks) == (1, 0, [])


async def test_a_customer_sees_the_public_projection_and_nothing_else(board, job, connect):
    socket = await connect("/ws/track/")

    answer = await say(socket, type="hello", token=job.token)

    projection = await database_sync_to_async(lambda: public_projection(shown().get(pk=job.pk)))()
    assert answer == {"type": "state", "job": json.loads(json.dumps(projection))}


async def test_a_customer_sees_a_move(board, job, connect):
    socket = await connect("/ws/track/")
    await say(socket, type="hello", token=job.token)

    moved = await move(job, "scheduled")
    news = await socket.receive_json_from(timeout=20)

    assert (news["type"], news["job"]["status"], news["job"]["seq"]) == ("state", "scheduled", moved.seq)


async def test_a_customer_hears_nothing_of_other_jobs(board, job, connect):
    other = await database_sync_to_async(make_job)(board)
    socket = await connect("/ws/track/")
    await say(socket, type="hello", token=job.token)

    await move(other, "scheduled")

    assert await socket.receive_nothing(timeout=0.3)


async def test_states_of_a_job_leave_in_order(board, job, connect):
    socket = await connect("/ws/track/")
    seen = [(await say(socket, type="hello", token=job.token))["job"]["seq"]]

    for to in ("scheduled", "requested") * 5:
        moved = await move(job, to)
    while seen[-1] < moved.seq:
        seen.append((await socket.receive_json_from(timeout=20))["job"]["seq"])

    assert seen == sorted(set(seen))


async def test_a_lost_database_delays_a_customers_news_and_loses_none(board, job, connect, monkeypatch):
    monkeypatch.setattr("tracking.consumers.LOOK_AGAIN_SECONDS", 0.01)
    socket = await connect("/ws/track/")
    await say(socket, type="hello", token=job.token)
    failures = []

    def fail_twice():
        if len(failures) < 2:
            failures.append("lost")
            raise OperationalError("server closed the connection")
        return shown()

    monkeypatch.setattr("tracking.consumers.shown", fail_twice)
    moved = await move(job, "scheduled")

    news = await socket.receive_json_from(timeout=20)

    assert (failures, news["job"]["seq"]) == (["lost", "lost"], moved.seq)


@pytest.mark.parametrize("token", ["unknown-token-1234", "short", "", "a" * 65, "../../etc/passwd", "\ud83d" * 10])
async def test_a_token_that_opens_nothing_is_not_found(board, job, connect, token):
    socket = await connect("/ws/track/")

    await socket.send_json_to({"type": "hello", "token": token})

    assert await close_code(socket) == 4004


async def test_a_replaced_token_ends_the_view(board, job, connect):
    socket = await connect("/ws/track/")
    await say(socket, type="hello", token=job.token)

    await database_sync_to_async(Job.objects.filter(pk=job.pk).update)(token="another-token-1234")
    await move(job, "scheduled")

    assert await close_code(socket) == 4004


async def test_a_customers_ping_is_answered(board, job, connect):
    socket = await connect("/ws/track/")

    assert await say(socket, type="ping") == {"type": "heartbeat"}


@pytest.mark.parametrize("text", [" ", "{}", '{"type": "hello"}', '{"type": "hello", "token": 5}', "[" * 50_000])
async def test_a_customer_page_out_of_the_protocol_is_hung_up_on(board, connect, text):
    socket = await connect("/ws/track/")

    await socket.send_to(text_data=text)

    assert await close_code(socket) == 4000


async def test_a_second_token_on_the_same_socket_is_out_of_the_protocol(board, job, connect):
    socket = await connect("/ws/track/")
    await say(socket, type="hello", token=job.token)

    await socket.send_json_to({"type": "hello", "token": job.token})

    assert await close_code(socket) == 4000


async def test_who_says_nothing_is_hung_up_on(board, connect, monkeypatch):
    monkeypatch.setattr("tracking.consumers.HELLO_SECONDS", 0.02)

    socket = await connect("/ws/track/")

    assert await close_code(socket) == 4000


async def test_a_customers_socket_leaves_its_hub(board, job, connect):
    socket = await connect("/ws/track/")
    await say(socket, type="hello", token=job.token)
    hub = live.hub("main")
    await until(lambda: hub.listeners, "it listens")

    await socket.disconnect(timeout=20)

    assert (len(hub.listeners), hub._tasks) == (0, [])


async def test_both_pages_of_a_board_share_one_hub(board, job, connect, ana):
    staff, customer = await connect("/ws/board/main/", ana), await connect("/ws/track/")

    await say(staff, type="hello", epoch=None, seq=0)
    await say(customer, type="hello", token=job.token)

    assert len(live.hub("main").listeners) == 2
    assert (await database_sync_to_async(Board.objects.count)()) == 1
