import asyncio
import json

import pytest
from channels.layers import channel_layers

from dispatch import hints, presence
from tests.waiting import until


class Screen:
    def __init__(self, name):
        self.name = name
        self.seen = []

    def presence(self, text):
        self.seen.append([person["name"] for person in json.loads(text)["people"]])


@pytest.fixture(autouse=True)
def fresh_channel_layer():
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture
async def rooms():
    """Two processes, as far as presence can tell: two rooms of one board."""
    made = [presence.Room("main"), presence.Room("main")]
    yield made
    for room in made:
        for person in list(room.here):
            room.leave(person)
        await until(lambda room=room: room._tasks == [], "the room is empty")


async def test_everybody_hears_who_is_here_and_who_left(rooms):
    here, _ = rooms
    ana, ben = Screen("Ana"), Screen("Ben")

    here.enter(ana)
    here.enter(ben)
    here.leave(ben)

    assert ana.seen == [["Ana"], ["Ana"], ["Ana", "Ben"], ["Ana"]]
    assert ben.seen[-1] == ["Ana", "Ben"]


async def test_two_tabs_of_one_person_are_one(rooms):
    here, _ = rooms
    tabs = [Screen("Ana"), Screen("Ana")]

    for tab in tabs:
        here.enter(tab)
    here.leave(tabs[0])

    assert tabs[1].seen == [["Ana"]]
    assert here.names() == ["Ana"]


async def test_processes_tell_each_other_at_once(rooms):
    here, there = rooms
    ana, ben = Screen("Ana"), Screen("Ben")

    here.enter(ana)
    there.enter(ben)
    await until(lambda: ana.seen[-1] == ["Ana", "Ben"] and ben.seen[-1] == ["Ana", "Ben"], "both know")
    there.leave(ben)

    await until(lambda: ana.seen[-1] == ["Ana"], "Ana is alone again")


async def test_a_process_that_died_is_forgotten(rooms, monkeypatch):
    monkeypatch.setattr(presence, "FORGET_SECONDS", 0.2)
    monkeypatch.setattr(presence, "TELL_SECONDS", 0.05)
    here, _ = rooms
    ana = Screen("Ana")
    here.enter(ana)

    here._hear({"process": "dead", "people": ["Ghost"]})
    assert ana.seen[-1] == ["Ana", "Ghost"]

    await until(lambda: ana.seen[-1] == ["Ana"], "the ghost is forgotten")


async def test_without_a_channel_layer_one_still_sees_ones_own_process(rooms, monkeypatch):
    async def broken(group, message):
        raise ConnectionRefusedError("Redis is down")

    monkeypatch.setattr(hints, "send_from_socket", broken)
    here, _ = rooms
    ana, ben = Screen("Ana"), Screen("Ben")

    here.enter(ana)
    here.enter(ben)
    await asyncio.sleep(0)

    assert ana.seen[-1] == ["Ana", "Ben"]


async def test_rooms_are_kept_only_while_somebody_holds_them():
    room = presence.room("main")
    assert presence.room("main") is room

    del room

    assert dict(presence._rooms[asyncio.get_running_loop()]) == {}
