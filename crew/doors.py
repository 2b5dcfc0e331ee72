"""How members get in and out: a link that is asked for, the phone that it signs in, and the end of both."""

import re
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from dispatch.phones import to_e164

from . import telling, turns
from .devices import Device, SignInLink, hashed, new_secret
from .people import Member

LASTS = timedelta(minutes=15)
LINKS_AT_ONCE = 3
"""So many unused links of a member work: texts are late and arrive out of order. An older one ends with the next."""
KEPT = timedelta(days=30)
"""What is left of old links, for whoever asks who signed in when."""
ASKS_FOR_ONE = 5
ASKS_FROM_ONE = 30
"""In an hour, from one place: for one address or number, and in all. A whole yard may be behind one router, and a stranger
elsewhere does not use up the hour of who lives there."""
ASKS_A_DAY = 20
"""For one address or number, from wherever: so much and no more can somebody be bothered with. The ledger's own limit
(`limits.ASKED_FOR_TO_ONE`) is above what this lets through in any 24 hours to one who has both, so that nobody who is told
that a link is on its way waits for nothing."""
LONGEST = 254  # of an e-mail address (RFC 5321)
INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")  # address books add these

BROWSERS = (
    ("SamsungBrowser/", "Samsung Internet"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"), ("Edg/", "Edge"),
    ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
MACHINES = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
"""What a user agent says, and how people call it. The first one counts: browsers name those that they are like, too."""


class NotAnAddress(Exception):
    pass


class TooManyAsks(Exception):
    """`retry_after` is in seconds: until the next hour, or day."""

    def __init__(self, message: str, every: int) -> None:
        super().__init__(message)
        self.retry_after = turns.seconds_left(every)


class NotOnTheRoster(Exception):
    """Nobody signs in who has left."""


class DeadLink(Exception):
    """A link that signs nobody in."""


class UnknownLink(DeadLink):
    pass


class UsedLink(DeadLink):
    pass


class ExpiredLink(DeadLink):
    pass


def ask(written: str, *, source: str) -> None:
    """Has a link sent to the member with this e-mail address or phone number. Whether there is one is not to be told from
    what happens. `source` is the asker's network address. Raises NotAnAddress, and TooManyAsks."""
    address = address_of(written)
    with transaction.atomic():
        used_up = _used_up(address, source)
        active = Member.objects.select_related("board").filter(is_active=True)
        member = active.filter(**{"email" if "@" in address else "phone": address}).first()
        if member and not used_up:
            telling.sign_in_link(member, by=member.name)
    if used_up:
        words = gettext("Several links were asked for already. Please try again later, or call the office.")
        raise TooManyAsks(words, used_up)


def _used_up(address: str, source: str) -> int:
    """Takes a turn. Returns 0, or the length in seconds of the hour or day that has none left. Counted by what was written
    and not by member, so that it is the same for an address that nobody has."""
    # A source that is not known, as behind a Unix socket, would be one place for all.
    if source and not turns.take("sign-in from", source, ASKS_FROM_ONE):
        return turns.HOUR
    if not turns.take("sign-in for", f"{address} {source}", ASKS_FOR_ONE):
        return turns.HOUR
    return 0 if turns.take("sign-in day of", address, ASKS_A_DAY, every=turns.DAY) else turns.DAY


def address_of(written: str) -> str:
    """An e-mail address in small letters, or a number as E.164. Raises NotAnAddress."""
    text = INVISIBLE.sub("", written).strip()
    try:
        if "@" in text[:LONGEST]:
            validate_email(text)
            return text.lower()
        if number := to_e164(text[:LONGEST]):
            return number
    except ValidationError:
        pass
    raise NotAnAddress(gettext("Please write your e-mail address, or your phone number with its area code."))


def new_link(member: Member) -> str:
    """A URL that signs the member in once, within a quarter of an hour. It is not kept anywhere: whoever calls this sends
    or shows it. Raises NotOnTheRoster for somebody who has left."""
    if not member.is_active:
        raise NotOnTheRoster(f"{member.name} is not active on the roster.")
    secret, now = new_secret(), timezone.now()
    with transaction.atomic():
        links = SignInLink.objects.filter(member=member)
        links.filter(expires_at__lt=now - KEPT).delete()
        links.create(member=member, secret=hashed(secret), created_at=now, expires_at=now + LASTS)
        open_ = links.filter(used_at=None, expires_at__gt=now)
        too_many = list(open_.order_by("-pk").values_list("pk", flat=True)[LINKS_AT_ONCE:])
        open_.filter(pk__in=too_many).update(expires_at=now)
    return f"{settings.API_ORIGIN}{reverse('crew:sign-in-link', args=[secret])}"


def peek(secret: str) -> Member | None:
    """Whom a link would sign in. Looking does not use it up."""
    open_ = SignInLink.objects.filter(used_at=None, expires_at__gt=timezone.now(), member__is_active=True)
    link: SignInLink | None = open_.select_related("member__board").filter(secret=hashed(secret)).first()
    return link.member if link else None


def sign_in(secret: str, user_agent: str, *, instead_of: Device | None = None) -> tuple[Device, str]:
    """Uses the link up, and returns the member's phone and the value of its cookie, which is new each time. The phone that
    the browser was before ends with it: nobody could reach that one any more. Raises UnknownLink, UsedLink, ExpiredLink."""
    now, cookie = timezone.now(), new_secret()
    with transaction.atomic():
        # The one UPDATE that decides who uses it, on columns of the row alone: a condition on another table would be looked
        # at before the row is locked, and two could pass.
        used = SignInLink.objects.filter(secret=hashed(secret), used_at=None, expires_at__gt=now).update(used_at=now)
        link = SignInLink.objects.select_related("member__board").filter(secret=hashed(secret)).first()
        if link is None or not link.member.is_active:
            raise UnknownLink("Nobody has such a link.")  # with a member who has left, it is as if it had not been used
        if not used:
            raise UsedLink("This link was used before.") if link.used_at else ExpiredLink("This link is too old.")
        if instead_of:
            revoke(instead_of)
        device = Device.objects.create(
            member=link.member, secret=hashed(cookie), name=name_of(user_agent), created_at=now, last_seen_at=now
        )
    return device, cookie


def sign_out(device: Device) -> None:
    revoke(device)


def revoke(whose: Device | Member) -> None:
    """Ends one phone, or all of a member's phones together with their links that nobody used yet. Open pages are cut off
    because the rows are saved one by one: see `crew/viewers.py`."""
    now = timezone.now()
    with transaction.atomic():
        if isinstance(whose, Member):
            SignInLink.objects.filter(member=whose, used_at=None, expires_at__gt=now).update(expires_at=now)
            devices = list(Device.objects.filter(member=whose, revoked_at=None))
        else:
            devices = [whose] if whose.revoked_at is None else []
        for device in devices:
            device.revoked_at = now
            device.save(update_fields=["revoked_at"])


def name_of(user_agent: str) -> str:
    """Such as “Safari on iPhone”, for people who look at a list of their phones."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    machine = next((name for sign, name in MACHINES if sign in user_agent), "")
    return " on ".join(filter(None, [browser or "A browser", machine]))
