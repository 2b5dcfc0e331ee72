"""How an event stands, in a word and an icon, for lists and the calendar of the admin."""

from dataclasses import dataclass

from django.utils import timezone

from .models import COUNTERS, Event, Role


@dataclass(frozen=True)
class State:
    """`slug` names it in style sheets; the icon stands beside the words, never in their place."""

    slug: str
    icon: str


CANCELLED, OVER, FREE, FULL = State("cancelled", "✕"), State("over", "–"), State("free", "○"), State("full", "●")


def state(event: Event) -> State:
    if event.cancelled_at:
        return CANCELLED
    if event.ends_at <= timezone.now():
        return OVER
    return FREE if any(free(event, role) for role in Role) else FULL


def free(event: Event, role: Role) -> int:
    taken, places = COUNTERS[role]
    return int(getattr(event, places) - getattr(event, taken))


def state_in_words(event: Event, state: State) -> str:
    """«free: 1 captain, 2 first mates»."""
    if state is not FREE:
        return state.slug
    counts = [(free(event, role), role.label.lower()) for role in Role]
    named = [f"{count} {label}{'s' if count > 1 else ''}" for count, label in counts if count]
    return f"free: {', '.join(named)}"
