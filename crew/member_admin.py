"""The roster in the admin: who they are, how they are reached, and on which phones they are signed in."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from dispatch.admin import PHONE
from dispatch.api import name
from dispatch.models import Board
from dispatch.phones import spoken
from dispatch.rules import Refused
from dispatch.words import moment_in_words

from . import doors, plan
from .kept import Kept
from .member_acts import leave, make_link, revoke
from .member_forms import MemberForm, coming, counted, in_words
from .models import Member

SIGNED_IN = Q(devices__revoked_at=None, devices__isnull=False)


class RoleFilter(admin.SimpleListFilter):
    title, parameter_name = "role", "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("captain", "Captain"), ("first_mate", "First mate")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**{f"can_{self.value()}": True}) if self.value() in {"captain", "first_mate"} else queryset


class PhoneFilter(admin.SimpleListFilter):
    title, parameter_name = "signed in", "signed_in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "On a phone"), ("no", "On none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "yes":
                return queryset.filter(phone_count__gt=0)
            case "no":
                return queryset.filter(phone_count=0)
        return queryset


@admin.register(Member)
class MemberAdmin(Kept):
    form = MemberForm
    change_form_template = "admin/crew/member/change_form.html"
    list_display = ("name", "roles", "phone_shown", "email", "language", "phones", "is_active")
    list_filter = ("is_active", RoleFilter, PhoneFilter, "language", "board")
    list_select_related = ("board",)
    list_per_page = 50
    search_fields = ("name", "phone", "email")
    search_help_text = "Name, phone or e-mail"
    readonly_fields = ("on", "created")
    fieldsets: ClassVar = [
        (None, {"fields": ["board", "name", "phone", "email", "language"]}),
        ("At work", {"fields": ["can_captain", "can_first_mate", "is_active", "user", "on", "created"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).annotate(phone_count=Count("devices", filter=SIGNED_IN))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """A phone number is found however it is written."""
        digits = "".join(filter(str.isdecimal, search_term))
        is_phone = PHONE.fullmatch(search_term.strip()) and digits
        return super().get_search_results(request, queryset, digits if is_phone else search_term)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who is new has no events yet."""
        shown = set() if obj else set(self.readonly_fields)
        return [(title, {"fields": [key for key in part["fields"] if key not in shown]}) for title, part in self.fieldsets]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/link/", wrap(make_link), name="crew_member_link"),
            path("<int:pk>/revoke/", wrap(revoke), name="crew_member_revoke"),
            path("<int:pk>/leave/", wrap(leave), name="crew_member_leave"),
            *super().get_urls(),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The board, where there is no other to choose."""
        boards = list(Board.objects.all()[:2])
        return ({"board": boards[0]} if len(boards) == 1 else {}) | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: Member, form: MemberForm, change: bool) -> None:
        """Writes what the form changed and nothing else."""
        if not change:
            obj.save()
            return
        changed = set(form.changed_data) & {field.name for field in Member._meta.fields}
        if changed:
            obj.save(update_fields=sorted(changed))
        if obj.name != form.initial["name"]:
            transaction.on_commit(partial(self._follow, request, obj))
        if "is_active" in changed and not obj.is_active:
            self._leaves(request, obj)

    def _leaves(self, request: HttpRequest, member: Member) -> None:
        """Their phones are signed out for good. Else they would be signed in again when the member comes back."""
        doors.revoke(member)
        if on := coming(member):
            words = f"{member.first_name} still has a place in {in_words(on)}."
            more = "Somebody who may change events can release them there."
            if request.user.has_perm("crew.change_event"):
                page = reverse("admin:crew_member_change", args=[member.pk])
                more = format_html('<a href="{}#places">Give back {}</a>', page, counted(on))
            self.message_user(request, format_html("{} {}", words, more), messages.WARNING)

    def _follow(self, request: HttpRequest, member: Member) -> None:
        """After the commit, because the plan locks events before members."""
        try:
            plan.renamed(member, by=name(request))
        except Refused as error:  # an event that was cancelled at this moment
            self.message_user(request, str(error), messages.WARNING)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        if obj := kwargs["obj"]:
            open_ = obj.devices.filter(revoked_at=None)
            context["phones"] = [(device, moment_in_words(device.last_seen_at, obj.board.zone)) for device in open_]
            on = coming(obj)
            context["places"] = [(event, moment_in_words(event.starts_at, obj.board.zone)) for event in on]
            context["their_places"] = counted(on)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="roles")
    def roles(self, member: Member) -> str:
        names = ["captain"] * member.can_captain + ["first mate"] * member.can_first_mate
        return ", ".join(names) or "–"

    @admin.display(description="phone", ordering="phone")
    def phone_shown(self, member: Member) -> str:
        return spoken(member.phone) if member.phone else "–"

    @admin.display(description="phones signed in", ordering="phone_count")
    def phones(self, member: Member) -> int:
        return member.phone_count  # type: ignore[attr-defined]

    @admin.display(description="has a place in")
    def on(self, member: Member) -> str:
        days = [f"{event.title}, {moment_in_words(event.starts_at, member.board.zone)}" for event in coming(member)]
        return "; ".join(days) or "–"

    @admin.display(description="on the roster since")
    def created(self, member: Member) -> str:
        return moment_in_words(member.created_at, member.board.zone, year=True)
