"""The form of a member. What people type is put right; what would leave an event without them is refused."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from dispatch.forms import PhoneField

from .models import Event, Member


class MemberForm(forms.ModelForm):
    phone = PhoneField(required=False, help_text="Where the plan goes by text. With its area code.")

    class Meta:
        model = Member
        fields: ClassVar = [
            "board", "name", "phone", "email", "language", "can_captain", "can_first_mate", "is_active", "user",
        ]  # fmt: skip

    def clean_phone(self) -> str:
        return self._once("phone", self.cleaned_data["phone"], "This number")

    def clean_email(self) -> str:
        return self._once("email", self.cleaned_data["email"].strip().lower(), "This address")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        old_board = self.initial.get("board")
        if self.instance.pk and "board" in cleaned and cleaned["board"].pk != old_board and (on := coming(self.instance)):
            raise ValidationError(
                {"board": f"{self.instance.first_name} has a place in {in_words(on)}. Release them first."}
            )
        return cleaned

    def _once(self, field: str, value: str, what: str) -> str:
        others = Member.objects.exclude(pk=self.instance.pk)
        if value and (other := others.filter(**{field: value}).first()):
            setattr(self.instance, field, value)  # or the model would say that there is none, too
            raise ValidationError(f"{what} is {other.name}’s already.")
        return value


def coming(member: Member) -> list[Event]:
    """The events that they have a place in and that are not over."""
    mine = Event.objects.filter(assignments__member=member, assignments__ended_at=None, cancelled_at=None)
    return list(mine.filter(ends_at__gt=timezone.now()).order_by("starts_at"))


def counted(events: list[Event]) -> str:
    """«their 3 places»"""
    return f"their {len(events)} places" if len(events) > 1 else "their place"


def in_words(events: list[Event]) -> str:
    """«“North” and 2 more»."""
    more = f" and {len(events) - 1} more" if len(events) > 1 else ""
    return f"“{events[0].title}”{more}"
