"""Who looks at the plan through a socket, and whether they still may: members by the phone that they signed in with or by
their account, the office by its session. A revoked phone is cut off at once, and found within a minute anyway.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from dispatch import access, hints
from dispatch.access import NOT_ALLOWED, SIGN_IN_AGAIN
from dispatch.consumers import TRY_AGAIN

from .access import COOKIE, device_of, member_of
from .models import Device, Member

MOST_SOCKETS = 10
"""Of one phone in this process: each page that it has open needs one, and a lost network leaves some behind for a while."""


class MayNotLook(Exception):
    """`code` is the close code that says why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


@dataclass(frozen=True)
class Viewer:
    """`member` is None for the office. `device` is the key of the member's phone, None for somebody with an account."""

    slug: str
    member: Member | None = None
    device: int | None = None


class Watcher(Protocol):
    """A socket of a member."""

    member: Member
    device: int | None
    session_key: str

    async def close(self, code: int) -> None: ...


def find(cookies: dict[str, str], user: Any, slug: str | None) -> Viewer:
    """Who said hello. Who names a board is the office, everybody else a member. Raises MayNotLook."""
    if slug is not None:
        if code := access.refuse(user):
            raise MayNotLook(code)
        return Viewer(slug)
    device = device_of(cookies.get(COOKIE, ""))
    member = device.member if device else member_of({}, user)
    if member is None:
        raise MayNotLook(NOT_ALLOWED if user.is_authenticated and user.is_active else SIGN_IN_AGAIN)
    return Viewer(member.board.slug, member, device.pk if device else None)


def refused(watchers: list[Watcher]) -> dict[Watcher, int]:
    """The close codes of members who may not look any more, read anew. Four queries, however many they are."""
    phones = Device.objects.filter(pk__in={one.device for one in watchers if one.device}, revoked_at=None)
    by_phone = dict(phones.filter(member__is_active=True).values_list("pk", "member__board"))
    people = access.people({one.session_key for one in watchers if not one.device})
    working = Member.objects.filter(user__in={user.pk for user in people.values()}, is_active=True)
    by_account = dict(working.values_list("user", "board"))
    codes = {}
    for one in watchers:
        user = None if one.device else people.get(one.session_key)
        board = by_phone.get(one.device) if one.device else user and by_account.get(user.pk)
        if board is None:
            codes[one] = NOT_ALLOWED if user else SIGN_IN_AGAIN
        elif board != one.member.board_id:
            codes[one] = TRY_AGAIN  # they go out from another yard now
    return codes


_guards: WeakKeyDictionary[asyncio.AbstractEventLoop, access.Guard] = WeakKeyDictionary()


def guard() -> access.Guard:
    """This process's guard of the members' sockets. The office's are guarded as on the board."""
    return _guards.setdefault(asyncio.get_running_loop(), access.Guard(refused))


def is_full(newcomer: Watcher) -> bool:
    """Whether the newcomer, who is one of the watchers, has more sockets with this phone or session than it may have."""
    mine = (newcomer.device, newcomer.device or newcomer.session_key)
    return sum((one.device, one.device or one.session_key) == mine for one in guard().watchers) > MOST_SOCKETS


def look_again() -> None:
    """Has every process compare its sockets with the database, after the commit. Saving or deleting a phone or a member
    does it by itself; call it where rows are changed by `update()`."""
    transaction.on_commit(partial(hints.send, access.GROUP, {"type": "hint"}), robust=True)


def changed(**what: Any) -> None:
    """Receives Django's signals about phones and members. A new one has no socket yet, and being seen changes nothing."""
    only_seen = what.get("update_fields") == frozenset({"last_seen_at"})
    if not what.get("created") and not only_seen:
        look_again()


def connect() -> None:
    for signal, sender in ((post_save, Device), (post_delete, Device), (post_save, Member), (post_delete, Member)):
        signal.connect(changed, sender=sender, dispatch_uid=f"crew.viewers.{sender.__name__}")
