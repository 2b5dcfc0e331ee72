"""Forms about events. They read and check what people type; `crew.plan` does what they say."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from dispatch.words import moment_in_words

from .editing import PLACES, elsewhere, in_words
from .event_shown import offered
from .models import COUNTERS, Event, Member, Role, Truck
from .plan import EDITABLE
from .rules import Stale


class EventForm(forms.ModelForm):
    """Knows which change of the event it shows. When that is no longer the last one it says what is different now, and
    saving again means it."""

    reason = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Only when new hours put people on two events at the same time.",
    )  # fmt: skip
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the change number that the form shows

    class Meta:
        model = Event
        fields: ClassVar = ["board", "title", "starts_at", "ends_at", "truck", "captains", "first_mates", "notes"]
        error_messages: ClassVar = {places: {"min_value": PLACES, "max_value": PLACES} for _, places in COUNTERS.values()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "version" in self.fields:
            self.fields["version"].initial = self.instance.seq
        if "truck" in self.fields:
            board = Q(board=self.instance.board_id) if self.instance.pk else Q()
            in_use = board & (Q(is_active=True) | Q(pk=self.instance.truck_id))
            self.fields["truck"].queryset = Truck.objects.filter(in_use)  # type: ignore[attr-defined]
        for name in {"starts_at", "ends_at"} & set(self.fields):
            for widget, part in zip(self.fields[name].widget.widgets, ("date", "time"), strict=True):
                widget.attrs["aria-label"] = f"{self.fields[name].label}: {part}"
            self.fields[name].help_text = f"In the board's time zone, {timezone.get_current_timezone_name()}."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "notes" in cleaned:
            cleaned["notes"] = cleaned["notes"].replace("\r\n", "\n")  # browsers send these, whatever was stored
        if self.instance.pk and cleaned.get("version") != self.instance.seq:
            current = Event.objects.select_related("truck", "board").get(pk=self.instance.pk)
            self.data = QueryDict.copy(self.data)  # type: ignore[arg-type]  # what a browser sends is a QueryDict
            self.data["version"] = str(current.seq)
            self.add_error(None, self._what_differs(current, cleaned))
        if self.instance.pk and {"starts_at", "ends_at", "reason"} <= set(cleaned) and not cleaned["reason"].strip():
            self._check_free(cleaned["starts_at"], cleaned["ends_at"])
        return cleaned

    def changes(self) -> dict[str, Any]:
        """The columns that plan.edit_event may write, as the form has them."""
        return {name: value for name, value in self.cleaned_data.items() if name in EDITABLE}

    def _check_free(self, start: datetime, end: datetime) -> None:
        if places := elsewhere(self.instance, (self.instance.starts_at, self.instance.ends_at), (start, end)):
            self.add_error("reason", f"{in_words(places)}. Say why they may be on both, and save again.")

    def _what_differs(self, current: Event, cleaned: dict[str, Any]) -> str:
        different = [
            f"{self[name].label} is now “{_as_shown(getattr(current, name))}”"
            for name in self.fields
            if name in EDITABLE and name in cleaned and cleaned[name] != getattr(current, name)
        ]
        facts = "; ".join(different) or "the fields of this form are the same"
        return f"{Stale(current)}, while you were editing: {facts}. Save again to keep what this form says."


class AssignForm(forms.Form):
    """Who gets a place. Says beside each name where else they are then."""

    member = forms.ChoiceField()
    role = forms.ChoiceField(choices=Role.choices)
    reason = forms.CharField(
        required=False, max_length=500, help_text="Only to have somebody on two events at the same time."
    )

    def __init__(self, event: Event, **kwargs: Any) -> None:
        super().__init__(prefix="assign", use_required_attribute=False, **kwargs)
        busy = Event.objects.overlapping(event.starts_at, event.ends_at).exclude(pk=event.pk)
        elsewhere = dict(
            busy.filter(assignments__ended_at=None).values_list("assignments__member", "title").order_by("-starts_at")
        )
        there = event.assignments.present().values("member")
        members = Member.objects.filter(board=event.board_id, is_active=True).exclude(pk__in=there)
        self.fields["member"].choices = [  # type: ignore[attr-defined]
            ("", "Choose…"), *((str(one.pk), _name(one, elsewhere.get(one.pk))) for one in members)
        ]  # fmt: skip


class PutJobForm(forms.Form):
    job = forms.ChoiceField()
    before = forms.ChoiceField(required=False, label="Where")

    def __init__(self, event: Event, **kwargs: Any) -> None:
        super().__init__(prefix="put", use_required_attribute=False, **kwargs)
        outings = event.outings.select_related("job")
        self.fields["job"].choices = [("", "Choose…"), *offered(event)]  # type: ignore[attr-defined]
        self.fields["before"].choices = [  # type: ignore[attr-defined]
            ("", "At the end"), *((one.job.uid, f"Before {one.job.location}") for one in outings)
        ]  # fmt: skip


def _name(member: Member, elsewhere: str | None) -> str:
    roles = " and ".join(role.label.lower() for role in Role if member.may_be(role)) or "no role"
    return f"{member.name} ({roles})" + (f", on “{elsewhere}” then" if elsewhere else "")


def _as_shown(value: Any) -> str:
    if isinstance(value, datetime):
        return moment_in_words(value, timezone.get_current_timezone(), year=True)
    return "–" if value in (None, "") else str(value)
