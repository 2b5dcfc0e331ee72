import random
from datetime import timedelta

from django.utils import timezone

from crew import plan, rules, showing
from crew.clashes import clashes
from crew.models import Truck
from tests.crew.factories import make_event, make_member


def test_many_events_are_warned_of_as_each_one_is(board):
    """A month of outings that overlap now and then, some before today and some further ahead than a screen looks."""
    chance = random.Random(7)
    trucks = [Truck.objects.create(board=board, name=f"Truck {number}") for number in range(2)]
    people = [make_member(board, name, can_captain=True) for name in ("Dee Ramos", "Sam Oak", "Kim Lee")]
    for number in range(60):
        days, hours = chance.uniform(-2, 16), chance.choice([2, 8, 30])
        event = make_event(board, f"Event {number}", days=days, hours=hours, truck=chance.choice([*trucks, None]))
        for member in chance.sample(people, 2):
            if event.ends_at > timezone.now() and chance.random() < 0.7:
                role = "captain" if not event.assignments.filter(role="captain").exists() else "first_mate"
                plan.assign(event, member, role, by="Ana", reason="Half a day each.")

    events = showing.upcoming(board)

    assert clashes(events) == {event.pk: rules.warnings(event) for event in events}
    assert len([True for found in clashes(events).values() if found]) > 10


def test_what_a_screen_leaves_out_is_warned_of(board):
    truck = Truck.objects.create(board=board, name="Big Red")
    end = board.midnight() + timedelta(days=showing.DAYS)
    shown = at_the_end(board, "Last shown", end - timedelta(hours=1), truck=truck)
    at_the_end(board, "Beyond", end + timedelta(hours=1), truck=truck)

    events = showing.upcoming(board)

    assert [event.pk for event in events] == [shown.pk]
    assert clashes(events) == {shown.pk: ["Big Red is on “Beyond” at the same time."]}


def test_a_cancelled_event_clashes_with_nothing(board):
    truck = Truck.objects.create(board=board, name="Big Red")
    cancelled, other = make_event(board, truck=truck), make_event(board, "Same day", truck=truck)
    plan.cancel_event(cancelled, by="Ana", reason="Snow.")

    assert clashes(showing.upcoming(board)) == {cancelled.pk: [], other.pk: []}


def test_they_cost_two_queries_however_many_they_are(board, django_assert_num_queries):
    end = board.midnight() + timedelta(days=showing.DAYS)
    at_the_end(board, "Beyond", end + timedelta(hours=1))
    for number in range(8):
        at_the_end(board, f"Event {number}", end - timedelta(hours=1 + number))
    events = showing.upcoming(board)

    with django_assert_num_queries(2):
        clashes(events)


def test_without_events_nothing_is_read(board, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert clashes([]) == {}


def test_one_that_begins_when_another_ends_does_not_clash(board):
    truck = Truck.objects.create(board=board, name="Big Red")
    morning = make_event(board, "Morning", hours=4, truck=truck)
    start = morning.ends_at
    make_event(board, "Afternoon", truck=truck, starts_at=start, ends_at=start + timedelta(hours=4))

    assert set(map(tuple, clashes(showing.upcoming(board)).values())) == {()}


def at_the_end(board, title, start, **fields):
    return make_event(board, title, starts_at=start, ends_at=start + timedelta(hours=12), **fields)
