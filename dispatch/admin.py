"""Stock Django admin over the flow: edits, moves and new jobs are flow calls, and nothing is ever deleted here."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from . import customer_admin, flow, message_admin, photo_admin
from .api import name
from .forms import JobForm
from .mirror_admin import CopyFilter, copy_in_words
from .models import Board, Job, JobQuerySet, StatusChange
from .statuses import STATUS_FLOW, status_label
from .words import moment_in_words, window_in_words

PHONE = re.compile(r"[\d\s()+./-]+")
CUSTOMER = ("customer_name", "customer_phone", "customer_email", "customer_language", "customer_notify")
ABOUT_MESSAGES = ("messages_on", "quiet_from", "quiet_until")

admin.site.site_header = "QuickDumpNow Dispatch"
admin.site.site_title = "QuickDumpNow"
admin.site.index_title = "Administration"


class NothingIsDeleted(admin.ModelAdmin):
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Board)
class BoardAdmin(NothingIsDeleted):
    list_display = ("name", "slug", "timezone", "phone", "messages_on", "seq")
    fields = ("name", "slug", "timezone", "phone", *ABOUT_MESSAGES, "seq", "epoch")
    readonly_fields = ("seq", "epoch")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Addresses and objects in storage are named by the slug."""
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Board, form: forms.ModelForm, change: bool) -> None:
        """Writes what the form changed and nothing else: the change number moves on while the form is open."""
        if not change:
            obj.save()
            return
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        own = {name: changes.pop(name) for name in ABOUT_MESSAGES if name in changes}
        if own:
            Board.objects.filter(pk=obj.pk).update(**own)  # neither copies nor pages show them: no job takes a new number
        if changes:
            flow.edit_board(obj, changes)


class StatusFilter(admin.SimpleListFilter):
    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slug, status.label) for slug, status in STATUS_FLOW.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(status=self.value()) if self.value() else queryset


class History(admin.TabularInline):
    model = StatusChange
    fields = readonly_fields = ("seq", "from_status", "to_status", "at", "by", "channel", "reason")
    verbose_name_plural = "history"
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class MoveForm(ActionForm):
    reason = forms.CharField(required=False, label="Reason", widget=forms.TextInput({"placeholder": "for cancelling"}))
    notify = forms.BooleanField(required=False, label="Tell customers")


def move_action(status: str) -> tuple[Callable[..., None], str, str]:
    def move(model_admin: "JobAdmin", request: HttpRequest, jobs: JobQuerySet) -> None:
        reason, notify, moved = request.POST.get("reason", ""), "notify" in request.POST, 0
        for job in jobs.select_related("board"):
            try:
                flow.move(job, status, expect=job.seq, by=name(request), channel="admin", reason=reason, notify=notify)
                moved += 1
            except (flow.Refused, flow.Conflict) as error:
                model_admin.message_user(request, f"{job.location}: {error}", messages.ERROR)
        if moved:
            model_admin.message_user(request, f"{moved} moved to {status_label(status)}.", messages.SUCCESS)

    move.allowed_permissions = ("change",)  # type: ignore[attr-defined]
    return move, f"move_to_{status}", f"Move to {status_label(status)}"


@admin.register(Job)
class JobAdmin(NothingIsDeleted):
    form = photo_admin.PhotosForm
    action_form = MoveForm
    actions = (customer_admin.settle_asks, customer_admin.send_link, customer_admin.replace_link)
    inlines = (History,)
    list_display = ("location", "status_shown", "service", "window", "customer_name", "price", "crew_names", "changed")
    list_filter = (StatusFilter, "service", CopyFilter, "board")
    list_select_related = ("board",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=uid", "location", "customer_name", "customer_phone", "customer_email", "=token")
    search_help_text = "Address, customer, phone, e-mail, job id or tracking token"
    ordering = ("-seq",)
    readonly_fields = ("status_shown", "uid", "tracking_link", "told", "asked", "created", "changed", "mirrored")
    fieldsets: ClassVar = [
        (None, {"fields": ["board", "status_shown", "service", "location", "access_notes", "notes", "version"]}),
        ("Customer", {"fields": [*CUSTOMER, "tracking_link", "told", "asked"]}),
        ("When and how much", {"fields": ["window_start", "window_end", "preferred_day", "price", "load_eighths", "crew"]}),
        ("Photos", {"fields": photo_admin.FIELDS}),
        ("Record", {"fields": ["uid", "created", "changed", "mirrored"]}),
    ]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """A phone number is found however it is written."""
        digits = "".join(filter(str.isdecimal, search_term))
        is_phone = PHONE.fullmatch(search_term.strip()) and (len(digits) == 7 or len(digits) >= 10)
        return super().get_search_results(request, queryset, digits if is_phone else search_term)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        moves = [move_action(status) for status in STATUS_FLOW] if self.has_change_permission(request) else []
        return super().get_actions(request) | {key: (move, key, title) for move, key, title in moves}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "board") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new job has no record yet, no photos, and no link that a customer could use."""
        if obj:
            return self.fieldsets if self.has_change_permission(request, obj) else photo_admin.to_look_at(self.fieldsets)
        not_yet = {*self.readonly_fields, *photo_admin.FIELDS}
        fields = [(title, [name for name in part["fields"] if name not in not_yet]) for title, part in self.fieldsets]
        return [(title, {"fields": names}) for title, names in fields if names]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """In the board's time zone. Who loses a race gets the form again, with what was typed and what is different."""
        if self.has_change_permission(request):
            photo_admin.read_early(request)
        board = self._board(request, args[0] if args else kwargs.get("object_id"))
        with timezone.override(board.zone if board else None):
            try:
                response = super().changeform_view(request, *args, **kwargs)
            except flow.Conflict:
                response = super().changeform_view(request, *args, **kwargs)
            return response.render() if hasattr(response, "render") else response

    def _board(self, request: HttpRequest, job_id: str | None) -> Board | None:
        """The board of the job that is shown; for a new job the one that was chosen, else the first."""
        if job_id is not None:
            job = self.get_object(request, unquote(job_id))
            return job.board if job else None
        chosen = request.POST.get("board", "")
        boards = Board.objects.order_by("pk")
        return (boards.filter(pk=chosen).first() if chosen.isdecimal() else None) or boards.first()

    def save_model(self, request: HttpRequest, obj: Job, form: JobForm, change: bool) -> None:
        if change:
            flow.edit(obj, form.changes(), expect=form.cleaned_data["version"], by=name(request))
            photo_admin.save_later(request, obj, form, by=name(request))
        else:
            made = flow.open_job(form.cleaned_data["board"], by=name(request), channel="admin", **form.changes())
            obj.pk, obj.uid, obj.seq = made.pk, made.uid, made.seq

    @admin.display(description="asked for")
    def asked(self, job: Job) -> str:
        return customer_admin.asked(job)

    @admin.display(description="status", ordering="status")
    def status_shown(self, job: Job) -> str:
        return status_label(job.status)

    @admin.display(description="crew")
    def crew_names(self, job: Job) -> str:
        return ", ".join(job.crew)

    @admin.display(description="window", ordering="window_start")
    def window(self, job: Job) -> str:
        return window_in_words(job.window_start, job.window_end, job.board.zone) if job.window_start else ""

    @admin.display(description="created")
    def created(self, job: Job) -> str:
        return moment_in_words(job.created_at, job.board.zone, year=True)

    @admin.display(description="changed", ordering="seq")
    def changed(self, job: Job) -> str:
        return f"{moment_in_words(job.updated_at, job.board.zone)} {job.updated_by}".strip()

    @admin.display(description="copy in object storage")
    def mirrored(self, job: Job) -> str:
        return copy_in_words(job)

    @admin.display(description="photos")
    def photos_shown(self, job: Job) -> str:
        return photo_admin.shown(job)

    @admin.display(description="was told")
    def told(self, job: Job) -> str:
        return message_admin.link_to_messages(job)

    @admin.display(description="tracking link")
    def tracking_link(self, job: Job) -> str:
        link = job.tracking_link
        return format_html('<a href="{}">{}</a>', link, link)
