"""Open boards of people who sign out or may no longer look, through the whole application and its real signals."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from dispatch import access
from tests.dispatch.test_consumers import close_code, connect, fresh_channel_layer  # noqa: F401 fixtures
from tests.factories import make_user
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def sign_out(browser, user):
    browser.post("/logout/")


def deactivate(browser, user):
    user.is_active = False
    user.save()


def change_password(browser, user):
    user.set_password("another one")
    user.save()


def delete(browser, user):
    user.delete()


def end_sessions(browser, user):
    Session.objects.get().delete()


def take_permission(browser, user):
    user.user_permissions.clear()


def leave_group(browser, user):
    user.groups.clear()


def strip_group(browser, user):
    Group.objects.get().permissions.clear()


def delete_group(browser, user):
    Group.objects.get().delete()


@pytest.fixture
async def watching(board, ana, connect):  # noqa: F811
    """Ana's open board, in a process whose guard listens."""
    socket = await connect("/ws/board/main/", ana)
    await socket.send_json_to({"type": "hello", "epoch": None, "seq": 0})
    assert (await socket.receive_json_from(timeout=20))["type"] == "snapshot"
    await listening()
    return socket


async def listening():
    await until(lambda: get_channel_layer().groups.get(access.GROUP), "the guard listens")


@pytest.mark.parametrize("what", [sign_out, deactivate, change_password, delete, end_sessions])
async def test_who_is_signed_in_no_more_is_sent_to_sign_in_at_once(watching, ana, dispatcher, what):
    await database_sync_to_async(what)(ana, dispatcher)

    assert await close_code(watching) == 4001


async def test_who_lost_the_permission_is_told_so_at_once(watching, ana, dispatcher):
    await database_sync_to_async(take_permission)(ana, dispatcher)

    assert await close_code(watching) == 4003


@pytest.mark.parametrize("what", [leave_group, strip_group, delete_group])
async def test_who_had_the_permission_from_a_group_loses_it_with_the_group(board, client, connect, what):  # noqa: F811
    def join():
        user, group = make_user("gwen"), Group.objects.create(name="Lookers")
        group.permissions.set(Permission.objects.filter(codename="view_job"))
        user.groups.add(group)
        client.force_login(user)
        return user

    user = await database_sync_to_async(join)()
    socket = await connect("/ws/board/main/", client)
    await listening()

    await database_sync_to_async(what)(client, user)

    assert await close_code(socket) == 4003


def test_sweeping_expired_sessions_tells_nobody(db, monkeypatch):
    told = []
    monkeypatch.setattr("dispatch.hints.send", lambda group, message: told.append(group))
    for number in range(3):
        Session.objects.create(session_key=str(number), expire_date=timezone.now() - timedelta(days=1))

    call_command("clearsessions")

    assert (Session.objects.count(), told) == (0, [])


async def test_another_session_of_the_same_person_stays(watching, dispatcher, connect):  # noqa: F811
    other = Client()
    await database_sync_to_async(other.force_login)(dispatcher)
    tablet = await connect("/ws/board/main/", other)

    await database_sync_to_async(sign_out)(other, dispatcher)

    assert await close_code(tablet) == 4001
    assert await watching.receive_nothing(timeout=0.2)


def test_only_what_changes_access_is_told(dispatcher, monkeypatch):
    told = []
    monkeypatch.setattr("dispatch.hints.send", lambda group, message: told.append(group))

    dispatcher.save(update_fields=["last_login"])  # signing in
    assert told == []
    dispatcher.save(update_fields=["is_active"])
    dispatcher.user_permissions.clear()

    assert told == ["access", "access"]


async def test_without_a_hint_the_next_look_finds_it(board, ana, dispatcher, connect, monkeypatch):  # noqa: F811
    monkeypatch.setattr(access, "RECHECK_SECONDS", 0.1)
    monkeypatch.setattr("dispatch.hints.send", lambda group, message: None)
    socket = await connect("/ws/board/main/", ana)

    await database_sync_to_async(deactivate)(ana, dispatcher)

    assert await close_code(socket) == 4001


async def test_a_look_that_fails_is_tried_again(board, ana, dispatcher, connect, monkeypatch, caplog):  # noqa: F811
    monkeypatch.setattr(access, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(access, "RETRY_SECONDS", 0.05)
    real, failures = access.refusals, ["down", "down"]
    monkeypatch.setattr(access, "refusals", lambda keys: failures.pop().no_such_thing if failures else real(keys))
    socket = await connect("/ws/board/main/", ana)

    await database_sync_to_async(deactivate)(ana, dispatcher)

    assert await close_code(socket) == 4001
    assert failures == []


def test_all_watchers_cost_two_queries_and_two_a_person(board, dispatcher, django_assert_num_queries):
    browsers = [Client() for _ in range(5)]
    for browser in browsers:
        browser.force_login(dispatcher)
    keys = {browser.session.session_key for browser in browsers}

    with django_assert_num_queries(4):
        assert access.refusals(keys) == {}


def test_a_session_that_nobody_knows_is_refused(board):
    assert access.refusals({"unknown"}) == {"unknown": 4001}


async def test_a_guard_without_watchers_does_nothing(board, ana, connect):  # noqa: F811
    socket = await connect("/ws/board/main/", ana)
    guard = access.guard()
    assert (len(guard.watchers), len(guard._tasks)) == (1, 2)

    await socket.disconnect(timeout=20)

    assert (len(guard.watchers), guard._tasks) == (0, [])
