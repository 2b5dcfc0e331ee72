"""Roster, trucks, events, claims, hours and history in the admin. People and trucks are kept here; everything about events
is a call of `crew.plan`. Nothing is ever deleted.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from dispatch.words import moment_in_words

from .event_admin import EventAdmin
from .event_shown import in_words, step_in_words
from .kept import Kept, OnlyToLookAt
from .member_admin import MemberAdmin
from .models import CrewChange, FirstMateClaim, Truck
from .shift_admin import ShiftAdmin

__all__ = ["EventAdmin", "MemberAdmin", "ShiftAdmin"]


@admin.register(Truck)
class TruckAdmin(Kept):
    """One that is not active keeps its events, and gets no new ones."""

    list_display = ("name", "board", "is_active")
    list_filter = ("is_active", "board")
    search_fields = ("name",)
    fields = ("board", "name", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("board",) if obj else ()


@admin.register(FirstMateClaim)
class ClaimAdmin(OnlyToLookAt):
    """Who took a place without being asked, and when and why they gave it back."""

    list_display = ("member", "event", "claimed", "ended", "ended_because")
    list_filter = ("event__board",)
    list_select_related = ("member", "event__board")
    search_fields = ("member__name", "event__title")
    ordering = ("-since",)
    fields = readonly_fields = (
        "member", "event", "claimed", "by", "override", "release_asked", "release_reason", "ended", "ended_by",
        "ended_because",
    )  # fmt: skip

    @admin.display(description="claimed", ordering="since")
    def claimed(self, claim: FirstMateClaim) -> str:
        return moment_in_words(claim.since, claim.event.board.zone, year=True)

    @admin.display(description="asked to be released")
    def release_asked(self, claim: FirstMateClaim) -> str:
        moment = claim.release_asked_at
        return moment_in_words(moment, claim.event.board.zone, year=True) if moment else "–"

    @admin.display(description="given back", ordering="ended_at")
    def ended(self, claim: FirstMateClaim) -> str:
        return moment_in_words(claim.ended_at, claim.event.board.zone, year=True) if claim.ended_at else "–"


@admin.register(CrewChange)
class CrewChangeAdmin(OnlyToLookAt):
    """The history of all boards' crews, latest first."""

    list_display = ("when", "by", "step", "member", "event", "reason")
    list_filter = ("what", "board")
    list_select_related = ("board", "event__board", "member")
    search_fields = ("event__title", "member__name", "by", "reason")
    search_help_text = "Event, member, who did it, or why"
    ordering = ("-pk",)
    fields = readonly_fields = ("board", "seq", "when", "by", "step", "event", "member", "reason", "more")

    @admin.display(description="when", ordering="pk")
    def when(self, change: CrewChange) -> str:
        return moment_in_words(change.at, change.board.zone, year=True)

    @admin.display(description="what", ordering="what")
    def step(self, change: CrewChange) -> str:
        return step_in_words(change.what)

    @admin.display(description="more")
    def more(self, change: CrewChange) -> str:
        return in_words([change])[0]["more"] or "–"
