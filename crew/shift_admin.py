"""Hours in the admin: who worked when, the sum of each member in a week, and all of it as a file. Members clock in and out
on their phones; nothing is changed here. Which clock counts says `crew.clock`, and each row says which one did.
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

from .clock import AHEAD, NONE, OLDEST, counted
from .kept import OnlyToLookAt
from .models import Shift
from .weeks import WEEK, midnight, week_in_words, week_of

WEEKS = 9
"""This one and the last two months, to choose from."""
COLUMNS = (
    "Week from", "Member", "From", "Until", "Hours", "Counted",
    "Phone said from", "Phone said until", "Reached us from", "Reached us until",
)  # fmt: skip
A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
OURS, PHONE = "by our clock", "by the phone, sent later"


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
            return in_weeks(queryset, [(board, start) for board in Board.objects.all()])
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error


@admin.register(Shift)
class ShiftAdmin(OnlyToLookAt):
    change_list_template = "admin/crew/shift/change_list.html"
    list_display = ("member", "started", "ended", "hours", "which_clock", "both_clocks")
    list_filter = (WeekFilter, "member", "member__board")
    list_select_related = ("member__board",)
    list_per_page = 100
    search_fields = ("member__name",)
    search_help_text = "Name"
    fields = readonly_fields = ("member", "started", "ended", "hours", "which_clock", "both_clocks")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shift]:
        return counted(Shift.objects.all())

    def get_ordering(self, request: HttpRequest) -> tuple[str]:
        return ("-counted_start",)

    def get_urls(self) -> list[URLPattern]:
        return [path("csv/", self.admin_site.admin_view(self.as_csv), name="crew_shift_csv"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the sums of the week that was chosen, or of this one: those of all years would be all rows at each look."""
        response: Any = super().changelist_view(request, extra_context)
        if context := getattr(response, "context_data", None):
            shown = context["cl"].queryset
            context["totals"] = totals(_of(shown if request.GET.get("week") else in_weeks(shown, this_week())))
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

    @admin.display(description="from", ordering="counted_start")
    def started(self, shift: Shift) -> str:
        return moment_in_words(_span(shift)[0], shift.member.board.zone, year=True)

    @admin.display(description="until", ordering="counted_end")
    def ended(self, shift: Shift) -> str:
        _, end = _span(shift)
        return moment_in_words(end, shift.member.board.zone) if end else "at work"

    @admin.display(description="hours")
    def hours(self, shift: Shift) -> str:
        return f"{hours_of(shift):.2f}"

    @admin.display(description="counted")
    def which_clock(self, shift: Shift) -> str:
        return counted_in_words(shift)

    @admin.display(description="the two clocks")
    def both_clocks(self, shift: Shift) -> str:
        """Where they differ: somebody clocked in or out without a network, or the phone's clock is wrong."""
        zone = shift.member.board.zone
        ends = [
            ("from", shift.started_device_at, shift.started_at, shift.started_skew),
            ("until", shift.ended_device_at, shift.ended_at, shift.ended_skew),
        ]
        said = [
            f"{what}: the phone said {moment_in_words(device, zone)}{off_in_words(skew)}, it reached us "
            f"{moment_in_words(ours, zone)}"
            for what, device, ours, skew in ends
            if device and ours and abs(device - ours) > AHEAD
        ]
        return "; ".join(said) or "the same"


def in_weeks(shifts: QuerySet[Shift], weeks: Iterable[tuple[Board, date]]) -> QuerySet[Shift]:
    """Those of each board that began, as they count, in its week. `started_at` is compared first because it is a column,
    and the time that counts is worked out for what is left."""
    wanted = Q(pk__in=[])
    for board, sunday in weeks:
        start, end = midnight(sunday, board.zone), midnight(sunday + WEEK, board.zone)
        wanted |= Q(
            member__board=board, started_at__gte=start, started_at__lt=end + OLDEST,
            counted_start__gte=start, counted_start__lt=end,
        )  # fmt: skip
    return shifts.filter(wanted)


def this_week() -> list[tuple[Board, date]]:
    """It is Sunday earlier in one zone than in another."""
    now = timezone.now()
    return [(board, week_of(now.astimezone(board.zone).date())) for board in Board.objects.all()]


def hours_of(shift: Shift) -> float:
    """So far, for somebody who is at work."""
    start, end = _span(shift)
    return max(0.0, ((end or timezone.now()) - start).total_seconds()) / 3600


def counted_in_words(shift: Shift) -> str:
    """«by the phone, sent later», or both when one end of the shift counts by the phone and the other by us."""
    start, end = _span(shift)
    began, ended = (PHONE if start != shift.started_at else OURS), (PHONE if end != shift.ended_at else OURS)
    return began if end is None or began == ended else f"from {began}; until {ended}"


def off_in_words(skew: timedelta) -> str:
    """« (its clock was 2:05 h behind)»; nothing where it was right, or did not say what time it was."""
    minutes = round(abs(skew).total_seconds() / 60)
    way = "ahead" if skew > NONE else "behind"
    return f" (its clock was {minutes // 60}:{minutes % 60:02} h {way})" if skew else ""


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
        kept = (shift.started_device_at, shift.ended_device_at, shift.started_at, shift.ended_at)
        began, ended, *both = (_moment(one.astimezone(zone) if one else None) for one in (*_span(shift), *kept))
        row = [_week(shift).isoformat(), shift.member.name, began, ended, f"{hours_of(shift):.2f}", counted_in_words(shift)]
        yield [harmless(cell) for cell in (*row, *both)]


def _span(shift: Shift) -> tuple[datetime, datetime | None]:
    """From when until when it counts. The shift comes from `crew.clock.counted`."""
    return shift.counted_start, shift.counted_end  # type: ignore[attr-defined]


def _of(shifts: QuerySet[Shift]) -> QuerySet[Shift]:
    return shifts.select_related("member__board")


def _week(shift: Shift) -> date:
    return week_of(_span(shift)[0].astimezone(shift.member.board.zone).date())


def _moment(local: datetime | None) -> str:
    """With the offset: in the night when clocks go back an hour comes twice."""
    return f"{local:%Y-%m-%d %H:%M}{local:%z}" if local else ""
