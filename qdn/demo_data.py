"""A believable company: sixty jobs from yesterday to tomorrow, in every status, three people who sign in, and the crews."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from operator import itemgetter

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from dispatch import flow, photos, pictures
from dispatch.models import Board, Job
from dispatch.statuses import STATUS_FLOW
from qdn import demo_crews

PASSWORD = "quickdump"  # noqa: S105 printed on every start, for a demo that listens on this machine only
PEOPLE = (("ana", "Ana", "Ruiz"), ("ben", "Ben", "Okafor"), ("admin", "Kim", "Nakamura"))
CREW_CODENAMES = (
    "view_member", "add_member", "change_member", "view_truck", "add_truck", "change_truck", "view_event", "add_event",
    "change_event", "view_shift", "view_crewchange", "view_firstmateclaim",
)  # fmt: skip
DAYS = {
    -1: {"completed": 16, "cancelled": 2, "ready_for_pickup": 1, "scheduled": 1},
    0: {
        "requested": 2,
        "scheduled": 3,
        "ready_for_pickup": 4,
        "en_route": 3,
        "in_progress": 3,
        "completed": 4,
        "cancelled": 1,
    },
    1: {"requested": 6, "scheduled": 11, "ready_for_pickup": 2, "cancelled": 1},
}
"""How many jobs of each status: yesterday is mostly over, today is under way, tomorrow is planned."""

JOBS = sum(count for day in DAYS.values() for count in day.values())
WAY = ("requested", "scheduled", "ready_for_pickup", "en_route", "in_progress", "completed")
STREETS = (
    "Soderblom Ave", "Elm St", "W 32nd Ave", "Larimer St", "S Pearl St", "Tejon St", "E Colfax Ave", "Zuni St",
    "Gaylord St", "Navajo St", "Platte St", "Quince Way", "Wynkoop St", "Yarrow Ct", "Kalamath St", "Ogden St",
)  # fmt: skip
CUSTOMERS = (
    "Marisol Vega", "Tom Brandt", "Priya Raman", "Lucas Meyer", "Grace Adeyemi", "Hannah Lindqvist", "Owen Price",
    "Carlos Fuentes", "Nora Haddad", "Ivan Petrov", "Ruth Goldman", "Sam Whitehorse", "Bea Novak", "Mei Tanaka",
)  # fmt: skip
CREW = ("Dee Walker", "Marco Silva", "Tasha Green", "Luis Ortega", "Pete Yazzie", "Joy Kim")
NOTES = (
    "Sofa, two mattresses, box spring", "Garage clean-out", "Yard waste and fence panels", "Renovation debris, drywall",
    "Old hot tub, already cut up", "Office move: desks and chairs", "Estate clean-out, ground floor", "For roofing",
)  # fmt: skip
REASON = "Customer will keep it after all"
WITH_PHOTOS = 3
"""So many finished jobs have pictures: each costs a few milliseconds of the first start."""
SCENES = (
    ("#8fb3cc", "#b9a58a", ("#7a5c43", "#a33b2e", "#d8cfc0", "#4f6b57", "#c2893d", "#5b6770")),
    ("#d7d2c8", "#6e6a64", ("#3d4a5c", "#b0aca3", "#8c5a3c", "#d1b48c", "#77808a", "#9a3f35")),
    ("#a9c3a1", "#7d8f5a", ("#6b4a2f", "#8a6a45", "#c9b48f", "#55603f", "#94785a", "#3f3a33")),
)
"""Wall, ground and the things in front of it."""
ACCESS = ("", "", "Gate code 4471", "Dog in the yard, ring first", "Pile is behind the garage", "Alley access only")


def is_new() -> bool:
    """Whether nobody has used this database yet."""
    return not Job.objects.exists() and not User.objects.exists()


def load(progress: Callable[[int], None]) -> None:
    load_jobs(progress)
    finished = Job.objects.filter(status="completed").select_related("board").order_by("-status_at")[:WITH_PHOTOS]
    for job, scene in zip(finished, SCENES, strict=True):
        for kind, things in (("before", 1.0), ("after", 0.0)):
            photos.keep(job, pictures.read(BytesIO(drawing(*scene, things))), kind, by="Dee Walker")


@transaction.atomic
def load_jobs(progress: Callable[[int], None]) -> None:
    make_people()
    board = Board.objects.get(slug="main")
    board.name, board.timezone, board.phone = "QuickDumpNow Denver", "America/Denver", "+13035550142"
    board.save(update_fields=["name", "timezone", "phone"])
    chance = random.Random(7)  # noqa: S311 the same demo on every machine
    now = timezone.now()
    plan = [
        (status, start_time(status, day, chance, board, now))
        for day in DAYS
        for status, count in DAYS[day].items()
        for _ in range(count)
    ]
    for number, (status, start) in enumerate(sorted(plan, key=itemgetter(1))):
        make_job(board, status, start, chance, now)
        progress(number + 1)
    demo_crews.load(board, now)


def drawing(wall: str, ground: str, things: Sequence[str], filled: float) -> bytes:
    """A JPEG of a corner of a yard with a pile in it, or `filled` 0 without."""
    chance = random.Random(wall)  # noqa: S311 the same demo on every machine
    image = Image.new("RGB", (640, 480), wall)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, 640, 480), fill=ground)
    for row in range(0, 300, 30):
        draw.line((0, row, 640, row), fill=ground, width=1)
    for number in range(round(filled * 22)):
        width, height = chance.randrange(50, 150), chance.randrange(30, 110)
        left, bottom = chance.randrange(110, 420), 300 + number * 6
        pile = (left, bottom - height - chance.randrange(0, 120 - number * 5), left + width, bottom)
        draw.rectangle(pile, fill=things[number % len(things)], outline="#2b2622", width=2)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def start_time(status: str, day: int, chance: random.Random, board: Board, now: datetime) -> datetime:
    """When the crew is expected: work under way began within the last hour, whenever the demo is started."""
    if status in {"en_route", "in_progress"}:
        return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=status == "in_progress")
    return board.midnight(now) + timedelta(days=day, hours=chance.choice((7, 8, 9, 10, 11, 13, 14, 15)))


def make_people() -> None:
    dispatchers, _ = Group.objects.get_or_create(name="Dispatchers")
    codenames = ["view_board", "view_job", "add_job", "change_job", "view_statuschange"]
    jobs = Permission.objects.filter(content_type__app_label="dispatch", codename__in=codenames)
    crews = Permission.objects.filter(content_type__app_label="crew", codename__in=CREW_CODENAMES)
    dispatchers.permissions.set([*jobs, *crews])
    for username, first_name, last_name in PEOPLE:
        user = User(username=username, first_name=first_name, last_name=last_name, is_staff=True)
        user.is_superuser = username == "admin"
        user.set_password(PASSWORD)
        user.save()
        user.groups.add(dispatchers)


def make_job(board: Board, status: str, start: datetime, chance: random.Random, now: datetime) -> Job:
    customer = chance.choice(CUSTOMERS)
    service = chance.choices(list(Job.Service), (6, 2, 2))[0]
    eighths = chance.choice((1, 2, 2, 3, 4, 4, 6, 8)) if service == Job.Service.JUNK_REMOVAL else None
    price = Decimal(115 + 65 * eighths) if eighths else Decimal(chance.choice((385, 450, 525, 600)))
    planned = status not in {"requested", "cancelled"}
    return flow.open_job(
        board,
        by="Demo",
        channel="import",
        hint=False,
        past=history(status, chance, start, now),
        location=f"{chance.randrange(100, 4900)} {chance.choice(STREETS)}",
        service=service,
        price=price,
        load_eighths=eighths,
        customer_name=customer,
        customer_phone=f"+1303555{chance.randrange(100, 200):04}",
        customer_email=f"{customer.lower().replace(' ', '.')}@example.com",
        window_start=start if planned else None,
        window_end=start + timedelta(hours=2) if planned else None,
        crew=chance.sample(CREW, 2) if planned and status != "scheduled" else [],
        notes=chance.choice(NOTES),
        access_notes=chance.choice(ACCESS),
    )


def history(status: str, chance: random.Random, start: datetime, now: datetime) -> list[flow.PastStep]:
    """How the job got where it is: in the order of the flow, and all of it in the past."""
    way = (*WAY[: chance.choice((1, 2))], "cancelled") if status == "cancelled" else WAY[: WAY.index(status) + 1]
    last = min(now - timedelta(minutes=chance.randrange(3, 55)), start + timedelta(minutes=95))
    before = sorted((timedelta(hours=chance.uniform(0.3, 30)) for _ in way[1:]), reverse=True)
    times = [*(last - gap for gap in before), last]
    who = {"requested": "Website", "en_route": "Dee Walker", "in_progress": "Dee Walker", "completed": "Dee Walker"}
    return [
        flow.PastStep(slug, at, who.get(slug, "Ana Ruiz"), "board", REASON if STATUS_FLOW[slug].needs_reason else "")
        for slug, at in zip(way, times, strict=True)
    ]
