"""A board with everybody who might come along, and every endpoint of the crews with a request that would do something.

Each customer's details carry a mark of their own, so that any byte of an answer tells whose they are.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from crew import plan
from crew.devices import Device, SignInLink, hashed, new_secret
from crew.models import Event, Member
from dispatch import photos
from dispatch.models import Board, Job
from tests.crew.factories import make_event, make_member
from tests.crew.phones import phone
from tests.factories import make_job, make_user
from tests.tracking.pictures import picture

ROLES = (
    "nobody", "stranger", "looker", "dispatcher", "admin", "on", "off", "elsewhere", "inactive", "revoked", "account",
)  # fmt: skip
"""Stranger: an account with no permission. Looker: may view jobs. Dispatcher: may change them, too. On and off: members
whose phones are signed in, with and without a place in the event. Elsewhere: a member of another board. Inactive: a member
who has left. Revoked: a lost phone of who is on the event. Account: a member on the event who comes with an account."""

PHONES = ("on", "off", "elsewhere", "inactive", "revoked")


@dataclass
class World:
    """`jobs` and `events` by what they are to the member “on”: mine, done, later, others, free, abroad."""

    board: Board
    members: dict[str, Member] = field(default_factory=dict)
    browsers: dict[str, Client] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    link: str = ""
    phone: int = 0
    photo: str = ""


def make_world(board: Board) -> World:
    world = World(board)
    _people(world)
    _events(world)
    world.photo = photos.add(world.jobs["mine"], picture(), "before", by="Ana").photos[0]["id"]
    world.browsers |= {"nobody": Client()} | {name: phone(world.members[name]) for name in PHONES}
    Device.objects.filter(pk=Device.objects.filter(member=world.members["revoked"]).latest("pk").pk).update(
        revoked_at=timezone.now()
    )
    Member.objects.filter(pk=world.members["inactive"].pk).update(is_active=False)
    world.phone = Device.objects.filter(member=world.members["on"], revoked_at=None).get().pk
    world.link = new_secret()
    SignInLink.objects.create(
        member=world.members["off"], secret=hashed(world.link), expires_at=timezone.now() + timedelta(minutes=15)
    )
    return world


def marks(job: Job) -> set[str]:
    """What nobody may read who is not on the job, and on it only as long as it takes."""
    return {job.customer_name, job.customer_phone, job.customer_email, job.access_notes, job.notes}


def _people(world: World) -> None:
    other = Board.objects.create(slug="other", name="Elsewhere")
    accounts = {
        "stranger": make_user("stranger"),
        "looker": make_user("looker", "view_job"),
        "dispatcher": make_user("dispatcher", "view_job", "change_job", "add_job"),
        "admin": User.objects.create_superuser("root", password="password"),
        "account": make_user("account"),
    }
    for name, user in accounts.items():
        world.browsers[name] = Client()
        world.browsers[name].force_login(user)
    names = {"on": "Dee Ramos", "off": "Sam Oak", "inactive": "Gil Gone", "account": "Lou Fox", "captain": "Kim Lee"}
    for role, name in names.items():
        world.members[role] = make_member(world.board, name, can_captain=True, user=accounts.get(role))
    world.members["elsewhere"] = make_member(other, "Max Orr")
    world.members["revoked"] = world.members["on"]


def _events(world: World) -> None:
    """The member “on” has today's event and one in five days; the one of “others” is the captain's."""
    today = {"days": 0.01, "first_mates": 4, "notes": "Gate 4."}
    world.events = {
        "mine": make_event(world.board, "Mine", **today),
        "later": make_event(world.board, "Later", days=5),
        "others": make_event(world.board, "Others", days=1),
        "abroad": make_event(world.members["elsewhere"].board, "Abroad", days=0.01),
    }
    for name, into in (("mine", "mine"), ("done", "mine"), ("later", "later"), ("others", "others"), ("free", None)):
        world.jobs[name] = _job(world.board, len(world.jobs))
        if into:
            plan.put_job(world.jobs[name], world.events[into], by="Ana")
    world.jobs["abroad"] = _job(world.members["elsewhere"].board, len(world.jobs))
    plan.put_job(world.jobs["abroad"], world.events["abroad"], by="Ana")
    for name in ("on", "account"):
        plan.claim(world.events["mine"], world.members[name], by="")
    plan.claim(world.events["abroad"], world.members["elsewhere"], by="")
    plan.claim(world.events["later"], world.members["on"], by="")
    plan.assign(world.events["others"], world.members["captain"], "captain", by="Ana")
    plan.release(world.events["mine"], world.members["on"], by="", reason="Ill.")  # too late: it waits for the office
    Job.objects.filter(pk=world.jobs["done"].pk).update(status="completed")


def _job(board: Board, number: int) -> Job:
    return make_job(
        board, status="scheduled", location=f"{number} Elm St",
        customer_name=f"ZQname{number}", customer_phone=f"+1720555{number:04}", customer_email=f"zqmail{number}@c.example",
        access_notes=f"ZQgate{number}", notes=f"ZQnotes{number}",
    )  # fmt: skip


def now() -> str:
    return timezone.now().isoformat()


def json_of(**body: Any) -> dict[str, Any]:
    return {"data": body, "content_type": "application/json"}
