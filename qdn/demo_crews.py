"""The crews of the demo: eight people, three trucks, outings from today on with places taken and free, and one member who
asks to be released. Everything goes through `crew.plan`, as in an office.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from crew import plan
from crew.models import Event, Member, Role, Truck
from dispatch.messages.ledger import Message
from dispatch.models import Board, Job

MEMBERS = (
    ("Dee Walker", "en", True), ("Marco Silva", "es", True), ("Joy Kim", "en", True), ("Ben Okafor", "en", True),
    ("Tasha Green", "en", False), ("Luis Ortega", "es", False), ("Pete Yazzie", "en", False), ("Rosa Delgado", "es", False),
)  # fmt: skip
"""Name, language, and whether they lead. The first one's phone is what the demo shows; Ben works in the office, too."""
IN_OFFICE = {"Ben Okafor": "ben"}
TRUCKS = ("Truck 1", "Truck 2", "Big Red")
TODAY = (
    ("North side", "Truck 1", "Dee Walker", "Luis Ortega"), ("South side", "Truck 2", "Marco Silva", "Tasha Green"),
    ("Dumpsters", "Big Red", "Joy Kim", "Pete Yazzie"),
)  # fmt: skip
TOMORROW = (
    ("North side", "Truck 1", "Dee Walker", "Luis Ortega"), ("South side", "Truck 2", "Marco Silva", "Pete Yazzie"),
    ("Dumpsters", "Big Red", "Joy Kim", None),
)  # fmt: skip
LATER = (
    (2, "North side", "Truck 1", "Dee Walker"), (2, "Estate clean-out", "Truck 2", "Ben Okafor"),
    (3, "South side", "Truck 2", "Marco Silva"), (4, "Yard waste", "Big Red", None),
    (6, "North side", "Truck 1", "Joy Kim"),
)  # fmt: skip
NOTES = ("Meet in the yard. Bring the dollies.", "", "Fuel up first: the card is in the cab.")
JOBS_OF_ONE = 6
"""Jobs in an outing, at most. Some of the day's are left without a crew, for the board's dispatcher to place."""
ASSIGNED = {"Pete Yazzie"}
"""Who does not claim, and so has to ask when they want to be released."""
DONE = "The demo writes to nobody."


def load(board: Board, now: datetime) -> None:
    """After the jobs. Nobody is written to about it."""
    trucks = {name: Truck.objects.create(board=board, name=name) for name in TRUCKS}
    members = {facts[0]: member(board, number, *facts) for number, facts in enumerate(MEMBERS)}
    days = [
        [outing(board, now, day, facts, trucks, members) for facts in plans] for day, plans in enumerate((TODAY, TOMORROW))
    ]
    for day, events in enumerate(days):
        place_jobs(board, now, day, events)
    for day, title, truck, captain in LATER:
        event = outing(board, now, day, (title, truck, captain, None), trucks, members)
        if title == "Estate clean-out":
            plan.claim(event, members["Tasha Green"], by="Tasha Green")
    pete = members["Pete Yazzie"]
    plan.release(days[1][1], pete, by=pete.name, reason="I have the dentist at nine")
    Message.objects.take_back(DONE, kind__startswith="crew_")


def member(board: Board, number: int, name: str, language: str, can_captain: bool) -> Member:
    user = User.objects.filter(username=IN_OFFICE.get(name, "")).first()
    made = Member(
        board=board, name=name, phone=f"+1303555{150 + number:04}", email=f"{name.split()[0].lower()}@example.com",
        language=language, can_captain=can_captain, user=user,
    )  # fmt: skip
    made.full_clean(validate_constraints=False)
    made.save(force_insert=True)
    return made


def outing(
    board: Board, now: datetime, day: int, facts: tuple[str, str, str | None, str | None], trucks: dict[str, Truck],
    members: dict[str, Member],
) -> Event:  # fmt: skip
    """From seven to four. Today's is always under way, whenever the demo is started."""
    title, truck, captain, first_mate = facts
    midnight = board.midnight(now) + timedelta(days=day)
    start, end = midnight + timedelta(hours=7), midnight + timedelta(hours=16)
    if day == 0:
        hour = now.replace(minute=0, second=0, microsecond=0)
        start = max(midnight, min(start, hour - timedelta(hours=1)))
        end = max(end, hour + timedelta(hours=4))
    places = 2 if title == "North side" else 1
    event = plan.open_event(
        board, by="Ana Ruiz", title=title, starts_at=start, ends_at=end, truck=trucks[truck], first_mates=places,
        notes=NOTES[TRUCKS.index(truck)],
    )  # fmt: skip
    if captain:
        plan.assign(event, members[captain], Role.CAPTAIN, by="Ana Ruiz")
    if first_mate and first_mate in ASSIGNED:
        plan.assign(event, members[first_mate], Role.FIRST_MATE, by="Ana Ruiz")
    elif first_mate:
        plan.claim(event, members[first_mate], by=first_mate)
    return event


def place_jobs(board: Board, now: datetime, day: int, events: list[Event]) -> None:
    """The day's jobs, by time, to each outing in turn: dumpsters to the truck for them, as far as there are."""
    start = board.midnight(now) + timedelta(days=day)
    jobs = Job.objects.filter(board=board, window_start__gte=start, window_start__lt=start + timedelta(days=1))
    planned = jobs.exclude(status__in=("requested", "cancelled", "completed")).order_by("window_start", "pk")
    for number, job in enumerate(planned[: JOBS_OF_ONE * len(events)]):
        plan.put_job(job, events[number % len(events)], by="Ana Ruiz")
