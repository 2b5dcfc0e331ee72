"""Copies in object storage as the admin shows them: which jobs are behind, what failed, who is at work. Written by the
workers; people only read it, and may ask for another try at once.
"""

from datetime import UTC
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest

from .mirror import status
from .mirror.ledger import Upload, UploadQuerySet, Worker
from .models import Job
from .words import moment_in_words


def copy_in_words(job: Job) -> str:
    copy = status.copy_of(job)
    if copy["state"] == "current":
        return "up to date"
    words = f"{copy['state']}: has change {copy['seq']} of {job.seq}"
    return f"{words}. {copy['error']}. Next try: {next_try(job.upload)}" if copy["state"] == "failing" else words


def next_try(upload: Upload) -> str:
    """A row that is claimed is being tried; its time is the end of the lease."""
    return "now" if upload.claim else moment_in_words(upload.not_before, upload.job.board.zone)


class CopyFilter(admin.SimpleListFilter):
    title = parameter_name = "copy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("current", "Up to date"), ("behind", "Behind"), ("failing", "Failing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        behind = queryset.filter(pk__in=Job.objects.behind())
        match self.value():
            case "current":
                return queryset.filter(mirrored_seq__gte=F("seq"))
            case "behind":
                return behind.exclude(status.FAILING)
            case "failing":
                return behind.filter(status.FAILING)
        return queryset


class ReadOnly(admin.ModelAdmin):
    """For whoever may see jobs."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("dispatch.view_job")


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    list_display = ("job", "attempts", "since", "next_try", "error")
    fields = list_display
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("job__uid", "job__location")
    actions = ("retry",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).select_related("job__board")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dispatch.change_job")

    @admin.action(description="Try again now", permissions=["retry"])
    def retry(self, request: HttpRequest, uploads: UploadQuerySet) -> None:
        count = uploads.retry_now()
        self.message_user(request, f"{count} will be tried within a second, if a worker runs.", messages.SUCCESS)

    @admin.display(description="failing since", ordering="failing_since")
    def since(self, upload: Upload) -> str:
        return moment_in_words(upload.failing_since, upload.job.board.zone) if upload.failing_since else ""

    @admin.display(description="next try", ordering="not_before")
    def next_try(self, upload: Upload) -> str:
        return next_try(upload)


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    list_display = ("name", "seen", "problem", "since")
    list_display_links = None

    @admin.display(description="last seen", ordering="seen_at")
    def seen(self, worker: Worker) -> str:
        return moment_in_words(worker.seen_at, UTC)

    @admin.display(description="since", ordering="problem_since")
    def since(self, worker: Worker) -> str:
        return moment_in_words(worker.problem_since, UTC) if worker.problem_since else ""
