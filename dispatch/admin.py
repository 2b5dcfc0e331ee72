"""Stock Django admin over the flow: edits, moves and new jobs are flow calls, and nothing is ever deleted here."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from . import flow
from .api import name
from .forms import JobForm
from .models import Board, Job, JobQuerySet, StatusChange
from .statuses import STATUS_FLOW, status_label

admin.site.site_header = "QuickDumpNow Dispatch"
admin.site.site_title = "QuickDumpNow"
admin.site.index_title = "Administration"


class NothingIsDeleted(admin.ModelAdmin):
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Board)
class BoardAdmin(NothingIsDeleted):
    list_display = ("name", "slug", "timezone", "phone", "seq")
    fields = ("name", "slug", "timezone", "phone", "seq", "epoch")
    readonly_fields = ("seq", "epoch")


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


def move_action(status: str) -> tuple[Callable[..., None], str, str]:
    def move(model_admin: "JobAdmin", request: HttpRequest, jobs: JobQuerySet) -> None:
        reason, moved = request.POST.get("reason", ""), 0
        for job in jobs.select_related("board"):
            try:
                flow.move(job, status, expect=job.seq, by=name(request), channel="admin", reason=reason)
                moved += 1
            except (flow.Refused, flow.Conflict) as error:
                model_admin.message_user(request, f"{job.location}: {error}", messages.ERROR)
        if moved:
            model_admin.message_user(request, f"{moved} moved to {status_label(status)}.", messages.SUCCESS)

    move.allowed_permissions = ("change",)  # type: ignore[attr-defined]
    return move, f"move_to_{status}", f"Move to {status_label(status)}"


@admin.register(Job)
class JobAdmin(NothingIsDeleted):
    form = JobForm
    action_form = MoveForm
    inlines = (History,)
    list_display = ("location", "status_shown", "service", "window", "customer_name", "price", "crew_names", "changed")
    list_filter = ("status", "service", "board")
    list_select_related = ("board",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("uid", "location", "customer_name", "customer_phone", "customer_email", "token")
    search_help_text = "Address, customer, phone, e-mail, job id or tracking token"
    ordering = ("-seq",)
    readonly_fields = ("status_shown", "uid", "tracking_link", "created", "changed", "mirrored")
    fieldsets: ClassVar = [
        (None, {"fields": ["board", "status_shown", "service", "location", "access_notes", "notes", "seq"]}),
        ("Customer", {"fields": ["customer_name", "customer_phone", "customer_email", "tracking_link"]}),
        ("When and how much", {"fields": ["window_start", "window_end", "price", "load_eighths", "crew"]}),
        ("Record", {"fields": ["uid", "created", "changed", "mirrored"]}),
    ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        moves = [move_action(status) for status in STATUS_FLOW] if self.has_change_permission(request) else []
        return super().get_actions(request) | {key: (move, key, title) for move, key, title in moves}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "board") if obj else self.readonly_fields

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """In the board's time zone. Who loses a race gets the form again, with what was typed and what is different."""
        uid = args[0] if args else kwargs.get("object_id")
        board = Board.objects.filter(jobs__pk=uid).first() if uid else Board.objects.order_by("pk").first()
        with timezone.override(board.zone if board else None):
            try:
                response = super().changeform_view(request, *args, **kwargs)
            except flow.Conflict:
                response = super().changeform_view(request, *args, **kwargs)
            return response.render() if hasattr(response, "render") else response

    def save_model(self, request: HttpRequest, obj: Job, form: JobForm, change: bool) -> None:
        if change:
            flow.edit(obj, form.changes(), expect=form.cleaned_data["seq"], by=name(request))
        else:
            made = flow.open_job(form.cleaned_data["board"], by=name(request), channel="admin", **form.changes())
            obj.pk, obj.uid, obj.seq = made.pk, made.uid, made.seq

    @admin.display(description="status", ordering="status")
    def status_shown(self, job: Job) -> str:
        return status_label(job.status)

    @admin.display(description="crew")
    def crew_names(self, job: Job) -> str:
        return ", ".join(job.crew)

    @admin.display(description="window", ordering="window_start")
    def window(self, job: Job) -> str:
        if not job.window_start or not job.window_end:
            return ""
        start, end = (moment.astimezone(job.board.zone) for moment in (job.window_start, job.window_end))
        return f"{start:%a %d %b %H:%M}-{end:%H:%M} {start:%Z}"

    @admin.display(description="created")
    def created(self, job: Job) -> str:
        return f"{job.created_at.astimezone(job.board.zone):%a %d %b %Y %H:%M %Z}"

    @admin.display(description="changed", ordering="seq")
    def changed(self, job: Job) -> str:
        return f"{job.updated_at.astimezone(job.board.zone):%d %b %H:%M %Z} {job.updated_by}".strip()

    @admin.display(description="copy in object storage")
    def mirrored(self, job: Job) -> str:
        return "up to date" if job.mirrored_seq >= job.seq else f"behind: has change {job.mirrored_seq} of {job.seq}"

    @admin.display(description="tracking link")
    def tracking_link(self, job: Job) -> str:
        link = job.tracking_link
        return format_html('<a href="{}">{}</a>', link, link)
