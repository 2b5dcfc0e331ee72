"""Messages as the admin shows them: what was sent and what was not, who does not want any, and the company's own words.
Messages are only read here, and queued again or taken back.
"""

import re
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator

from .api import name
from .messages import audiences, opt_outs, previews, queueing, writing
from .messages.checking import NotAtAll
from .messages.forms import MessageTemplateForm, OnlyShown, OptOutForm
from .messages.kinds import KINDS
from .messages.ledger import Channel, Message, MessageQuerySet, MessageTemplate, OptOut
from .mirror_admin import ReadOnly
from .models import Job
from .phones import to_e164
from .words import moment_in_words

PHONE = re.compile(r"[\d\s()+./-]+")
PREVIEW = "_preview"
"""The name of the button that shows words without keeping them."""


@admin.register(Message)
class MessageAdmin(ReadOnly):
    list_display = ("kind", "recipient", "about_what", "status", "when", "attempts", "error")
    list_filter = ("status", "kind", "channel", "board")
    list_select_related = ("board", "job")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("recipient", "job__uid", "job__location", "topic", "about")
    search_help_text = "Phone number, e-mail address, job id, address of the job, name of somebody in a crew or of an event"
    actions = ("send_again", "take_back")
    fieldsets: ClassVar = [
        (None, {"fields": ["kind", "channel", "about_link", "recipient", "language_shown", "status", "error"]}),
        ("What it says", {"fields": ["subject_shown", "words", "size"]}),
        ("When", {"fields": ["created", "by", "due", "until", "attempts", "sent", "settled", "provider_id"]}),
    ]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """A phone number is found however it is written."""
        if PHONE.fullmatch(search_term):
            with suppress(ValidationError):  # a part of a number, or a house number
                search_term = to_e164(search_term)
        return super().get_search_results(request, queryset, search_term)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dispatch.change_job")

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, rows: MessageQuerySet) -> None:
        """Those that failed, were not sent or were taken back. Nobody who opted out is written to."""
        count = 0
        for message in rows:
            audience = audiences.of(message)
            try:
                audience.load(message)
            except NotAtAll as gone:
                self.message_user(request, f"{message}: {gone}", messages.ERROR)
                continue
            present = audience.address(message, message.channel) or message.recipient.lower()
            if OptOut.objects.filter(channel=message.channel, address=present).exists():
                self.message_user(request, f"{message}: {audience.opted_out[message.channel]}", messages.ERROR)
            elif queueing.again(message):
                count += 1
            else:
                says = message.get_status_display().lower()
                self.message_user(request, f"{message} is {says}: there is nothing to send again.", messages.WARNING)
        if count:
            self.message_user(request, f"{count} will be sent again, if a worker runs.", messages.SUCCESS)

    @admin.action(description="Take back", permissions=["send"])
    def take_back(self, request: HttpRequest, rows: MessageQuerySet) -> None:
        """Those that nobody has begun to send."""
        pks = list(rows.values_list("pk", flat=True))
        count = Message.objects.take_back(f"{name(request)} took it back.", pk__in=pks)
        if count:
            self.message_user(request, f"{count} will not be sent.", messages.SUCCESS)
        if late := len(pks) - count:
            self.message_user(request, f"{late} did not wait any more.", messages.WARNING)

    @admin.display(description="about")
    def about_link(self, message: Message) -> str:
        audience = audiences.of(message)
        try:
            audience.load(message)
        except NotAtAll as gone:
            return f"{message.topic}: {gone}"
        return format_html('<a href="{}">{}</a>', audience.page(message), message.topic or message.job)

    @admin.display(description="about", ordering="job__location")
    def about_what(self, message: Message) -> str:
        """The address of a job; of a crew's message who gets it, and which event it is about."""
        return message.job.location if message.job else message.topic

    @admin.display(description="when", ordering="created_at")
    def when(self, message: Message) -> str:
        """When it was handed over, is due, or was written down."""
        return self.sent(message) or self.due(message) or self.created(message)

    @admin.display(description="language")
    def language_shown(self, message: Message) -> str:
        return previews.LANGUAGES.get(message.language, message.language)

    @admin.display(description="created")
    def created(self, message: Message) -> str:
        return _moment(message, "created_at")

    @admin.display(description="due")
    def due(self, message: Message) -> str:
        return _moment(message, "send_after") if message.status == Message.Status.QUEUED else ""

    @admin.display(description="not later than")
    def until(self, message: Message) -> str:
        return _moment(message, "expires_at")

    @admin.display(description="handed over")
    def sent(self, message: Message) -> str:
        return _moment(message, "sent_at")

    @admin.display(description="settled")
    def settled(self, message: Message) -> str:
        return _moment(message, "settled_at")

    @admin.display(description="subject")
    def subject_shown(self, message: Message) -> str:
        return message.subject if message.body else _as_of_now(message).subject

    @admin.display(description="text")
    def words(self, message: Message) -> str:
        """As it was sent, or as it would be."""
        if message.body:
            return message.body
        return f"(Not sent. It would say now:)\n{_as_of_now(message).text}"

    @admin.display(description="size")
    def size(self, message: Message) -> str:
        text = message.body or _as_of_now(message).text
        return previews.size_in_words(text) if message.channel == Channel.SMS else ""


@admin.register(OptOut)
class OptOutAdmin(admin.ModelAdmin):
    """For whoever may change jobs. Deleting one means that the customer wants to hear from us again."""

    list_display = ("address", "channel", "reason", "at", "detail")
    list_filter = ("channel", "reason")
    list_per_page = 50
    search_fields = ("address",)
    form = OptOutForm
    readonly_fields = ("at",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("dispatch.change_job")

    has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("channel", "address", "reason", "detail", "at") if obj else ("channel", "address", "detail")

    def save_model(self, request: HttpRequest, obj: OptOut, form: forms.ModelForm, change: bool) -> None:
        obj.pk = opt_outs.add(obj.channel, obj.address, OptOut.Reason.STAFF, obj.detail).pk

    def delete_model(self, request: HttpRequest, obj: OptOut) -> None:
        opt_outs.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[OptOut]) -> None:
        for opt_out in queryset:
            opt_outs.remove(opt_out)


@admin.register(MessageTemplate)
class MessageTemplateAdmin(admin.ModelAdmin):
    """The company's own words. Preview shows them filled in, and keeps nothing."""

    form = MessageTemplateForm
    list_display = ("kind", "channel", "language", "board", "beginning")
    list_filter = ("board", "kind", "channel", "language")
    list_select_related = ("board",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        shown = {"form": OnlyShown} if PREVIEW in request.POST else {}
        return super().get_form(request, obj, change, **shown | kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever comes from one of our own messages starts with its words."""
        return previews.start(request.GET.get("kind", ""), request.GET.get("channel", ""), request.GET.get("language", ""))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:  # fmt: skip
        if PREVIEW in request.POST:
            self.message_user(request, "This is a preview. Nothing is saved yet.", messages.INFO)
        context |= {
            "preview": previews.of_form(context["adminform"].form),
            "placeholders": previews.placeholders(context["adminform"].form),
            "ours": [(kind.label, previews.links(kind.slug)) for kind in KINDS.values()],
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="words")
    def beginning(self, row: MessageTemplate) -> str:
        return Truncator(row.subject or row.body).chars(60)


def link_to_messages(job: Job) -> str:
    """«3 messages», for the page of a job."""
    count = Message.objects.filter(job_id=job.pk).count()
    address = f"{reverse('admin:dispatch_message_changelist')}?{urlencode({'q': job.uid})}"
    return format_html('<a href="{}">{} message{}</a>', address, count, "" if count == 1 else "s")


def _moment(message: Message, column: str) -> str:
    moment = getattr(message, column)
    return moment_in_words(moment, message.board.zone) if moment else ""


def _as_of_now(message: Message) -> writing.Written:
    """What a message would say that was not sent. Its own words may be unfit, and then it says why."""
    try:
        audiences.of(message).load(message)
        return writing.render(message)
    except NotAtAll as gone:
        return writing.Written("", str(gone), "")
    except ValidationError as error:
        return writing.Written("", " ".join(error.messages), "")
