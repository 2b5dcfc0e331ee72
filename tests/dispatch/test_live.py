import asyncio
import gc
import json
import logging
import uuid

import pytest
from channels.db import database_sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.db import OperationalError

from dispatch import board as boards
from dispatch import flow, hints, live
from dispatch.models import Board, Job
from tests.factories import make_job
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = 600


class Listener:
    def __init__(self):
        self.frames, self.beats = [], []

    def news(self, frame):
        self.frames.append(frame)

    def heartbeat(self, text):
        self.beats.append(json.loads(text))

    @property
    def seq(self):
        return self.frames[-1].to if self.frames else None


class BrokenLayer:
    """A channel layer whose server is gone."""

    async def fail(self, *arguments):
        raise ConnectionError("connection refused")

    new_channel = group_add = group_send = group_discard = receive = fail


class HangingLayer(BrokenLayer):
    """A channel layer whose server does not answer."""

    def __init__(self):
        self.sends = 0

    async def group_send(self, *arguments):
        self.sends += 1
        await asyncio.sleep(NEVER)


@pytest.fixture(autouse=True)
def fresh_channel_layer(monkeypatch):
    monkeypatch.setattr(hints, "_rest_until", 0.0)
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture
async def join():
    """Joins new listeners to the main board's hub; all leave in the end."""
    joined = []

    async def join(epoch=None, seq=0):
        listener, hub = Listener(), live.hub("main")
        await hub.join(listener, epoch, seq)
        joined.append((hub, listener))
        return listener

    yield join
    tasks = {task for hub, _ in joined for task in hub._tasks}
    for hub, listener in joined:
        hub.leave(listener)
    await asyncio.gather(*tasks, return_exceptions=True)


@database_sync_to_async
def move(job, to):
    current = Job.objects.get(pk=job.pk)
    return flow.move(current, to, expect=current.seq, by="Ana", channel="board")


async def test_who_joins_gets_a_snapshot_first(board, job, join):
    listener = await join()

    (frame,) = listener.frames
    assert (frame.start, frame.to, [card.uid for card in frame.jobs]) == (None, job.seq, [job.uid])


async def test_who_was_here_before_gets_only_what_changed_since(board, job, join):
    moved = await move(job, "scheduled")

    listener = await join(str(board.epoch), job.seq)

    (frame,) = listener.frames
    assert (frame.start, frame.to, [card.status for card in frame.jobs]) == (job.seq, moved.seq, ["scheduled"])


async def test_joining_an_unknown_board_says_so(board):
    with pytest.raises(Board.DoesNotExist):
        await live.hub("nowhere").join(Listener(), None, 0)


async def test_a_change_is_read_once_for_all_listeners(board, job, join, monkeypatch):
    listeners = [await join() for _ in range(5)]
    reads, changes = [], boards.changes
    monkeypatch.setattr(boards, "changes", lambda *position: reads.append(position) or changes(*position))

    moved = await move(job, "scheduled")
    await until(lambda: {listener.seq for listener in listeners} == {moved.seq}, "all have the change")

    assert reads == [("main", str(board.epoch), job.seq)]
    assert [listener.frames[-1] is listeners[0].frames[-1] for listener in listeners] == [True] * 5


async def test_the_same_catch_up_is_read_once(board, job, join, monkeypatch):
    await join()
    reads, changes = [], boards.changes
    monkeypatch.setattr(boards, "changes", lambda *position: reads.append(position) or changes(*position))

    await asyncio.gather(*[join(str(board.epoch), 0) for _ in range(5)])

    assert reads == [("main", str(board.epoch), 0)]


async def test_clients_cannot_fill_the_memory_with_catch_ups(board, job, join):
    for _ in range(live.CATCH_UPS_KEPT + 10):
        await join(str(uuid.uuid4()), 0)

    assert len(live.hub("main")._catch_ups) == live.CATCH_UPS_KEPT


async def test_a_catch_up_is_not_kept_beyond_the_next_change(board, job, join):
    watcher = await join(str(board.epoch), 0)
    moved = await move(job, "scheduled")
    await until(lambda: watcher.seq == moved.seq, "the change is handed out")

    listener = await join(str(board.epoch), 0)

    assert [(frame.to, [card.status for card in frame.jobs]) for frame in listener.frames] == [(moved.seq, ["scheduled"])]


async def test_a_hint_wakes_the_hub(board, job, join, monkeypatch):
    monkeypatch.setattr(live, "COMPARE_SECONDS", NEVER)
    listener = await join()
    await until(lambda: get_channel_layer().groups.get(live.group("main")), "the hub listens for hints")

    moved = await move(job, "scheduled")
    await until(lambda: listener.seq == moved.seq, "the change arrives", seconds=20)

    assert listener.frames[-1].as_dict() == {
        "type": "delta",
        "epoch": str(board.epoch),
        "from": job.seq,
        "to": moved.seq,
        "jobs": [boards.card(moved)],
        "counts": listener.frames[-1].counts,
    }


async def test_without_hints_the_hub_compares(board, job, join, monkeypatch):
    assert live.COMPARE_SECONDS == 1.0
    monkeypatch.setattr(live, "COMPARE_SECONDS", 0.02)
    monkeypatch.setattr(live, "announce", lambda slug, seq: None)
    listener = await join()

    moved = await move(job, "scheduled")
    await until(lambda: listener.seq == moved.seq, "the change arrives")

    assert [(frame.start, frame.to) for frame in listener.frames] == [(None, job.seq), (job.seq, moved.seq)]


def test_comparing_costs_one_row(board, job, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert live._changes_if_moved("main", str(board.epoch), job.seq) is None


async def test_a_heartbeat_carries_the_change_number(board, job, join, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.02)
    listener = await join()
    await until(lambda: listener.beats, "a heartbeat")

    moved = await move(job, "scheduled")
    await until(lambda: listener.beats[-1]["seq"] == moved.seq, "a heartbeat after the change")

    assert listener.beats[0] == {"type": "heartbeat", "seq": job.seq}


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), Board.DoesNotExist("gone")])
async def test_an_error_of_the_database_is_survived_and_logged_once(board, job, join, monkeypatch, caplog, error):
    caplog.set_level(logging.INFO, "dispatch.live")
    monkeypatch.setattr(live, "COMPARE_SECONDS", 0.02)
    listener = await join()
    position, failures = boards.position, []

    def fail_five_times(slug):
        if len(failures) < 5:
            failures.append(slug)
            raise error
        return position(slug)

    monkeypatch.setattr(boards, "position", fail_five_times)

    moved = await move(job, "scheduled")
    await until(lambda: listener.seq == moved.seq, "the change arrives")

    await until(lambda: len(caplog.messages) == 2, "both lines are logged")
    assert caplog.messages == [
        f"board main: cannot read changes, trying again: {error}",
        "board main: reading changes again after 5 failed tries",
    ]


async def test_nothing_is_missed_between_joining_and_the_news(board, join):
    job = await database_sync_to_async(make_job)(board)
    listeners = []

    async def keep_moving():
        for to in ("scheduled", "requested") * 15:
            await move(job, to)

    moving = asyncio.create_task(keep_moving())
    while not moving.done():
        listeners.append(await join(str(board.epoch), len(listeners)))
    await moving
    head = (await database_sync_to_async(Board.objects.get)(slug="main")).seq
    await until(lambda: {listener.seq for listener in listeners} == {head}, "everybody is up to date")

    gaps = [
        (earlier.to, later.start)
        for listener in listeners
        for earlier, later in zip(listener.frames, listener.frames[1:], strict=False)
        if later.start is None or later.start > earlier.to
    ]
    assert (gaps, len(listeners) > 5) == ([], True)


async def test_a_restored_board_is_sent_as_a_whole(board, job, join, monkeypatch):
    monkeypatch.setattr(live, "COMPARE_SECONDS", 0.02)
    listener, epoch = await join(), uuid.uuid4()

    await database_sync_to_async(Board.objects.filter(slug="main").update)(epoch=epoch)
    await until(lambda: len(listener.frames) == 2, "a second frame")

    assert (listener.frames[1].epoch, listener.frames[1].start) == (str(epoch), None)


async def test_who_watches_gets_nothing_of_before(board, job):
    listener, hub = Listener(), live.hub("main")
    await hub.watch(listener)

    moved = await move(job, "scheduled")
    await until(lambda: listener.frames, "the change arrives")
    hub.leave(listener)

    assert [(frame.start, frame.to) for frame in listener.frames] == [(job.seq, moved.seq)]


async def test_a_hub_without_listeners_stops_and_is_forgotten(board, job):
    listener, hub = Listener(), live.hub("main")
    await hub.join(listener, None, 0)
    tasks = list(hub._tasks)
    await until(lambda: get_channel_layer().groups.get(live.group("main")), "the hub listens for hints")

    hub.leave(listener)
    await asyncio.wait(tasks, timeout=20)
    cancelled = [task.cancelled() for task in tasks]

    del hub, listener, tasks
    gc.collect()
    hubs = live._hubs[asyncio.get_running_loop()]
    assert (cancelled, get_channel_layer().groups, dict(hubs)) == ([True] * 3, {}, {})


async def test_a_hub_starts_again_for_the_next_listener(board, job, join):
    listener, hub = Listener(), live.hub("main")
    await hub.join(listener, None, 0)
    hub.leave(listener)
    moved = await move(job, "scheduled")

    late = await join(str(board.epoch), job.seq)
    again = await move(job, "requested")
    await until(lambda: late.seq == again.seq, "the change arrives")

    assert [(frame.start, frame.to) for frame in late.frames] == [(job.seq, moved.seq), (moved.seq, again.seq)]
    assert listener.seq == job.seq


async def test_with_a_broken_channel_layer_the_hub_still_follows(board, job, join, monkeypatch, caplog):
    monkeypatch.setattr(live, "COMPARE_SECONDS", 0.02)
    channel_layers.backends["default"] = BrokenLayer()
    listener = await join()

    moved = await move(job, "scheduled")
    await until(lambda: listener.seq == moved.seq, "the change arrives")

    assert sorted(caplog.messages, reverse=True) == [
        "board main: no hints (connection refused), comparing every second",
        "a hint to board.main was not sent: connection refused",
    ]


async def test_the_hub_listens_again_when_the_channel_layer_is_back(board, job, join, monkeypatch):
    monkeypatch.setattr(live, "COMPARE_SECONDS", 0.02)
    channel_layers.backends["default"] = BrokenLayer()
    await join()

    del channel_layers.backends["default"]

    await until(lambda: get_channel_layer().groups.get(live.group("main")), "the hub listens for hints")


async def test_a_hanging_channel_layer_delays_one_change_and_not_the_next(board, job, monkeypatch, caplog):
    monkeypatch.setattr(hints, "TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(hints, "PAUSE_SECONDS", NEVER)
    layer = channel_layers.backends["default"] = HangingLayer()

    for to in ("scheduled", "requested", "scheduled"):
        await move(job, to)

    assert layer.sends == 1
    assert caplog.messages == ["a hint to board.main was not sent: TimeoutError"]
