"""Hours in the admin: who worked when, the sum of each member and week, and all of it as a file. Members clock in and out
on their phones; nothing is changed here.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone

from dispatch.models import Board
from dispatch.words import moment_in_words

from .kept import OnlyToLookAt
from .models import Shift
from .weeks import WEEK, midnight, week_in_words, week_of

WEEKS = 9
"""This one and the last two months, to choose from."""
COLUMNS = ("Week from", "Member", "From", "Until", "Hours", "Phone said from", "Phone said until")
A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
FAR_OFF = timedelta(minutes=5)
"""So much may a phone's clock and ours differ before the list says so."""


@dataclass
class Total:
    member: str
    week: date
    words: str
    hours: float
    is_at_work: bool


class WeekFilter(admin.SimpleListFilter):
    """By the calendar of each board: a shift belongs to the week in which it began."""

    title = parameter_name = "week"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        board = Board.objects.order_by("pk").first()
        now = timezone.now().astimezone(board.zone) if board else timezone.now()
        this = week_of(now.date())
        return [(f"{start:%Y-%m-%d}", week_in_words(start)) for start in (this - WEEK * number for number in range(WEEKS))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        try:
            start = date.fromisoformat(str(self.value()))
            weeks = [
                Q(member__board=board, started_at__gte=midnight(start, board.zone))
                & Q(started_at__lt=midnight(start + WEEK, board.zone))
                for board in Board.objects.all()
            ]
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error
        wanted = Q(pk__in=[])
        for week in weeks:
            wanted |= week
        return queryset.filter(wanted)


@admin.register(Shift)
class ShiftAdmin(OnlyToLookAt):
    change_list_template = "admin/crew/shift/change_list.html"
    list_display = ("member", "started", "ended", "hours", "phone_said")
    list_filter = (WeekFilter, "member", "member__board")
    list_select_related = ("member__board",)
    list_per_page = 100
    search_fields = ("member__name",)
    search_help_text = "Name"
    ordering = ("-started_at",)
    fields = readonly_fields = ("member", "started", "ended", "hours", "phone_said")

    def get_urls(self) -> list[URLPattern]:
        return [path("csv/", self.admin_site.admin_view(self.as_csv), name="crew_shift_csv"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the sums of what the list shows, all its pages together."""
        response: Any = super().changelist_view(request, extra_context)
        if context := getattr(response, "context_data", None):
            context["totals"] = totals(_of(context["cl"].queryset))
        return response

    def as_csv(self, request: HttpRequest) -> HttpResponse:
        """What the list shows, with the same filters."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            shifts = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect("admin:crew_shift_changelist")
        name = f"hours-{timezone.now():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
        csv.writer(response).writerows([COLUMNS, *_rows(_of(shifts))])
        return response

    @admin.display(description="from", ordering="started_at")
    def started(self, shift: Shift) -> str:
        return moment_in_words(shift.started_at, shift.member.board.zone, year=True)

    @admin.display(description="until", ordering="ended_at")
    def ended(self, shift: Shift) -> str:
        return moment_in_words(shift.ended_at, shift.member.board.zone) if shift.ended_at else "at work"

    @admin.display(description="hours")
    def hours(self, shift: Shift) -> str:
        return f"{hours_of(shift):.2f}"

    @admin.display(description="the phone’s clock said")
    def phone_said(self, shift: Shift) -> str:
        """Where it differs: somebody clocked in or out without a network, or the clock is wrong."""
        pairs = [("from", shift.started_device_at, shift.started_at), ("until", shift.ended_device_at, shift.ended_at)]
        said = [
            f"{what} {moment_in_words(device, shift.member.board.zone)}"
            for what, device, ours in pairs
            if device and ours and abs(device - ours) > FAR_OFF
        ]
        return ", ".join(said) or "the same"


def hours_of(shift: Shift) -> float:
    """So far, for somebody who is at work."""
    passed = (shift.ended_at or timezone.now()) - shift.started_at
    return max(0.0, passed.total_seconds()) / 3600


def totals(shifts: Iterable[Shift]) -> list[Total]:
    """The sums by week and member, the latest week first."""
    sums: dict[tuple[date, str, int], list[Shift]] = defaultdict(list)
    for shift in shifts:
        sums[_week(shift), shift.member.name, shift.member_id].append(shift)
    ordered = sorted(sums.items(), key=lambda item: (-item[0][0].toordinal(), *item[0][1:]))
    return [
        Total(name, week, week_in_words(week), sum(map(hours_of, mine)), any(one.ended_at is None for one in mine))
        for (week, name, _), mine in ordered
    ]


def harmless(value: str) -> str:
    """Spreadsheets take a text that begins like a formula for one. The apostrophe tells them that it is none."""
    return f"'{value}" if value.startswith(A_FORMULA) else value


def _rows(shifts: Iterable[Shift]) -> Iterator[list[str]]:
    for shift in shifts:
        zone = shift.member.board.zone
        times = (shift.started_at, shift.ended_at, shift.started_device_at, shift.ended_device_at)
        began, ended, device_began, device_ended = (_moment(one.astimezone(zone) if one else None) for one in times)
        row = [_week(shift).isoformat(), shift.member.name, began, ended, f"{hours_of(shift):.2f}"]
        yield [harmless(cell) for cell in (*row, device_began, device_ended)]


def _of(shifts: QuerySet[Shift]) -> QuerySet[Shift]:
    return shifts.select_related("member__board")


def _week(shift: Shift) -> date:
    return week_of(shift.started_at.astimezone(shift.member.board.zone).date())


def _moment(local: datetime | None) -> str:
    """With the offset: in the night when clocks go back an hour comes twice."""
    return f"{local:%Y-%m-%d %H:%M}{local:%z}" if local else ""
