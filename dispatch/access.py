"""Who watches a board is looked at again: every minute, and at once when somebody signs out or may no longer look.

A hint says that something about accounts changed; each process then compares all its sockets with the database.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from . import hints, live

logger = logging.getLogger(__name__)

GROUP = "access"
RECHECK_SECONDS = 60.0
RETRY_SECONDS = 1.0
SIGN_IN_AGAIN = 4001
NOT_ALLOWED = 4003


class Watcher(Protocol):
    """A socket of somebody who signed in."""

    session_key: str

    async def close(self, code: int) -> None: ...


class Guard:
    """Checks all the watchers of this process together. `refused` gives the close codes of those that may not stay; it runs
    where queries do."""

    def __init__(self, refused: Callable[[list[Any]], dict[Any, int]]) -> None:
        self.watchers: set[Any] = set()
        self._refused = refused
        self._hinted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def enter(self, watcher: Any) -> None:
        self.watchers.add(watcher)
        if not self._tasks:
            self._tasks = [asyncio.create_task(run()) for run in (self._check, self._listen)]

    def leave(self, watcher: Any) -> None:
        self.watchers.discard(watcher)
        if not self.watchers:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    async def _check(self) -> None:
        wait = RECHECK_SECONDS
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hinted.wait(), wait)
            self._hinted.clear()
            wait = RECHECK_SECONDS
            try:
                await self._look_again()
            except Exception as error:  # noqa: BLE001 a guard that ended would let everybody stay
                logger.warning("cannot check who watches, trying again: %s", error)
                wait = RETRY_SECONDS

    async def _look_again(self) -> None:
        watchers = list(self.watchers)
        for watcher, code in (await live.in_database(self._refused)(watchers)).items():
            await watcher.close(code)

    async def _listen(self) -> None:
        while True:
            try:
                async with hints.subscription(GROUP) as receive:
                    self._hinted.set()  # for what happened before it listened
                    while True:
                        await receive()
                        self._hinted.set()
            except Exception as error:  # noqa: BLE001 each layer has its own exceptions; the guard looks every minute anyway
                logger.debug("no hints about access: %s", error)
                await asyncio.sleep(RETRY_SECONDS)


_guards: WeakKeyDictionary[asyncio.AbstractEventLoop, Guard] = WeakKeyDictionary()


def guard() -> Guard:
    """This process's guard."""
    return _guards.setdefault(asyncio.get_running_loop(), Guard(_refused))


def refuse(user: Any) -> int | None:
    """The close code for somebody who may not watch boards."""
    if not user.is_authenticated or not user.is_active:
        return SIGN_IN_AGAIN
    return None if user.has_perm("dispatch.view_job") else NOT_ALLOWED


def _refused(watchers: list[Watcher]) -> dict[Watcher, int]:
    codes = refusals({watcher.session_key for watcher in watchers})
    return {watcher: codes[watcher.session_key] for watcher in watchers if watcher.session_key in codes}


def people(session_keys: Iterable[str]) -> dict[str, User]:
    """Who is signed in with each of these sessions, read anew. A session that ended is missing. Two queries."""
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    data = {session.session_key: session.get_decoded() for session in sessions}
    users = User.objects.in_bulk({int(found[SESSION_KEY]) for found in data.values() if SESSION_KEY in found})
    of_session = {key: users.get(int(found.get(SESSION_KEY, 0))) for key, found in data.items()}
    return {key: user for key, user in of_session.items() if user and user.is_active and _same_password(user, data[key])}


def refusals(session_keys: Iterable[str]) -> dict[str, int]:
    """The close codes of the sessions that may not watch any more, read anew. Two queries, and two for each person."""
    users = people(session_keys)
    codes = {key: refuse(users[key]) if key in users else SIGN_IN_AGAIN for key in session_keys}
    return {key: code for key, code in codes.items() if code}


def _same_password(user: User, data: dict[str, Any]) -> bool:
    """A new password ends the sessions of the old one, as Django does for pages."""
    kept = data.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(kept, known) for known in hashes)


def changed(**what: Any) -> None:
    """Receives Django's signals about accounts. Signing in saves the time of it, and expired sessions are swept away by the
    thousand: neither changes what anybody may."""
    instance = what.get("instance")
    if isinstance(instance, Session) and instance.expire_date < timezone.now():
        return
    only_the_time = what.get("update_fields") == frozenset({"last_login"})
    if not only_the_time and not what.get("action", "").startswith("pre_"):
        transaction.on_commit(partial(hints.send, GROUP, {"type": "hint"}), robust=True)


def connect() -> None:
    for signal, sender in (
        (post_save, User),
        (post_delete, User),
        (post_delete, Group),
        (post_delete, Session),  # signing out
        (m2m_changed, User.groups.through),
        (m2m_changed, User.user_permissions.through),
        (m2m_changed, Group.permissions.through),
    ):
        signal.connect(changed, sender=sender, dispatch_uid=f"dispatch.access.{sender.__name__}")
