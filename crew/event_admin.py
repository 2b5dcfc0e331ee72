"""Events in the admin. The form calls `crew.plan`; below it are the people, the jobs and the history, with buttons of their
own (crew/event_acts.py).
"""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone

from dispatch.api import name
from dispatch.models import Board
from dispatch.rules import Refused
from dispatch.words import moment_in_words, window_in_words

from . import calendar_admin, plan
from .event_acts import act
from .event_forms import AssignForm, EventForm, PutJobForm
from .event_shown import about
from .kept import Kept
from .models import Event
from .places import state, state_in_words

FIELDS = ["title", "starts_at", "ends_at", "reason", "truck", "captains", "first_mates", "notes", "version"]


class WhenFilter(admin.SimpleListFilter):
    title, parameter_name = "when", "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("coming", "To come"),
            ("over", "Over"),
            ("cancelled", "Cancelled"),
            ("asked", "Somebody asks to be released"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        now = timezone.now()
        match self.value():
            case "coming":
                return queryset.filter(cancelled_at=None, ends_at__gt=now)
            case "over":
                return queryset.filter(cancelled_at=None, ends_at__lte=now)
            case "cancelled":
                return queryset.exclude(cancelled_at=None)
            case "asked":
                asked = Event.objects.filter(assignments__ended_at=None, assignments__release_asked_at__isnull=False)
                return queryset.filter(pk__in=asked.values("pk"))
        return queryset


@admin.register(Event)
class EventAdmin(Kept):
    form = EventForm
    change_form_template = "admin/crew/event/change_form.html"
    change_list_template = "admin/crew/event/change_list.html"
    list_display = ("title", "when", "truck", "places", "jobs", "asked")
    list_filter = (WhenFilter, "truck", "board")
    list_select_related = ("board", "truck")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("title", "notes", "assignments__member__name")
    search_help_text = "Title, notes, or who is or was on it"
    ordering = ("-starts_at",)
    readonly_fields = ("changed",)
    fieldsets: ClassVar = [(None, {"fields": ["board", *FIELDS]}), ("Record", {"fields": ["changed"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        asked = Q(assignments__ended_at=None, assignments__release_asked_at__isnull=False)
        counted = super().get_queryset(request).select_related("board", "truck")
        return counted.annotate(
            job_count=Count("outings", distinct=True), asked_count=Count("assignments", filter=asked, distinct=True)
        )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("calendar/", wrap(self.calendar), name="crew_event_calendar"),
            path("<int:pk>/act/<slug:what>/", wrap(act), name="crew_event_act"),
            *super().get_urls(),
        ]

    def calendar(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return calendar_admin.answer(request, self.admin_site.each_context(request))

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """A cancelled event stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or obj.cancelled_at is None)

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "board") if obj else self.readonly_fields

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        """A new event has no record and no people yet, and whoever only looks has no form that would need a version."""
        if obj and self.has_change_permission(request, obj):
            return self.fieldsets
        hidden = {"reason", "version"} if obj else {"reason"}
        return [
            (title, {"fields": [name for name in part["fields"] if name not in hidden]})
            for title, part in self.fieldsets[: None if obj else 1]
        ]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """In the board's time zone. Who loses a race gets the form again, with what was typed and what is different, or who
        has got another place."""
        board = self._board(request, args[0] if args else kwargs.get("object_id"))
        with timezone.override(board.zone if board else None):
            try:
                response = super().changeform_view(request, *args, **kwargs)
            except (plan.Stale, plan.Overlaps):
                response = super().changeform_view(request, *args, **kwargs)
            except Refused as error:  # cancelled while the form was being saved
                self.message_user(request, str(error), messages.ERROR)
                return redirect(request.path)
            return response.render() if hasattr(response, "render") else response

    def _board(self, request: HttpRequest, key: str | None) -> Board | None:
        """The board of the event that is shown; for a new event the one that was chosen, else the first."""
        if key is not None:
            event = self.get_object(request, unquote(key))
            return event.board if event else None
        chosen = request.POST.get("board", "")
        boards = Board.objects.order_by("pk")
        return (boards.filter(pk=chosen).first() if chosen.isdecimal() else None) or boards.first()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"board": Board.objects.order_by("pk").first()} | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: Event, form: EventForm, change: bool) -> None:
        facts, by = form.cleaned_data, name(request)
        if change:
            saved = plan.edit_event(obj, form.changes(), expect=facts["version"], by=by, reason=facts["reason"])
        else:
            saved = plan.open_event(facts["board"], by=by, **form.changes())
            obj.pk, obj.uid, obj.seq = saved.pk, saved.uid, saved.seq
        for warning in plan.warnings(saved):
            self.message_user(request, warning, messages.WARNING)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        if obj := kwargs["obj"]:
            now = Event.objects.select_related("board", "truck").get(pk=obj.pk)  # the form writes on the one it is given
            context["crew"] = about(now)
            if self.has_change_permission(request, now):
                chosen = {key: request.GET.get(key, "") for key in ("member", "role")}
                context |= {"assign_form": AssignForm(now, initial=chosen), "put_form": PutJobForm(now)}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="when", ordering="starts_at")
    def when(self, event: Event) -> str:
        return window_in_words(event.starts_at, event.ends_at, event.board.zone)

    @admin.display(description="places")
    def places(self, event: Event) -> str:
        return state_in_words(event, state(event))

    @admin.display(description="jobs")
    def jobs(self, event: Event) -> int:
        return event.job_count  # type: ignore[attr-defined]

    @admin.display(description="asks to be released")
    def asked(self, event: Event) -> str:
        return str(event.asked_count or "")  # type: ignore[attr-defined]

    @admin.display(description="changed")
    def changed(self, event: Event) -> str:
        step = event.history.last()
        return f"{moment_in_words(step.at, event.board.zone, year=True)} {step.by}".strip() if step else "–"
