"""What a customer writes to book a pickup, for the page and for the API: one set of rules, in the visitor's language."""

import re
import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dispatch.models import Board, Job
from dispatch.phones import is_of, to_e164

from . import booking

UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Address books put these around what is copied from them. Left in, they could turn a line around on the board."""


class TextField(forms.CharField):
    """Text as it is kept: one way of writing each letter, line ends as \\n, nothing invisible."""

    def to_python(self, value: Any) -> str:
        text = unicodedata.normalize("NFC", INVISIBLE.sub("", str(value or "")).replace("\r\n", "\n")).strip()
        if UNREADABLE.search(text):
            raise ValidationError(gettext("There is a character in it that we cannot read. Please type it again."))
        return text


class LineField(TextField):
    """One line, with single spaces."""

    def to_python(self, value: Any) -> str:
        return re.sub(r"\s+", " ", super().to_python(value))


class AddressField(TextField):
    """An address of several lines, in one."""

    def to_python(self, value: Any) -> str:
        return re.sub(r"\s+", " ", re.sub(r"[\s,]*\n[\s,]*", ", ", super().to_python(value)))


class PhoneField(LineField):
    """A telephone number as people write it, as E.164, of one of our countries: strangers make us write to it, and there
    are some where a text costs a fortune and pays who asked for it."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        try:
            number = to_e164(text)
        except ValidationError:
            number = None
        if number is None or (number and not is_of(number, settings.BOOKING_COUNTRIES)):
            raise ValidationError(gettext("Please write the phone number with its area code."))
        return number


class EmailField(forms.EmailField):
    def to_python(self, value: Any) -> str:
        return LineField.to_python(LineField(), value).lower()


class ChoiceField(forms.ChoiceField):
    """Nothing chosen is what was chosen for the customer."""

    def clean(self, value: Any) -> str:
        return str(super().clean(value or self.initial))


class BookingForm(forms.Form):
    """`facts()` is what `booking.request_pickup` takes. `key` and `rendered` come back as they went out."""

    location = AddressField(
        label=_("Address of the pickup"),
        max_length=200,
        error_messages={"required": _("Please write the address.")},
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "street-address"}),
    )
    service = ChoiceField(
        label=_("What do you need?"),
        choices=[
            (Job.Service.JUNK_REMOVAL.value, _("Junk removal")),
            (Job.Service.DUMPSTER_DELIVERY.value, _("Dumpster delivery")),
            (Job.Service.DUMPSTER_PICKUP.value, _("Dumpster pickup")),
        ],
        initial=Job.Service.JUNK_REMOVAL.value,
        required=False,
        widget=forms.RadioSelect,
    )
    what = TextField(
        label=_("What shall we take, and how much is it?"),
        help_text=_("Such as: a sofa, a fridge and ten bags, about half a garage."),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    preferred_day = forms.DateField(
        label=_("Which day would suit you?"),
        input_formats=["%Y-%m-%d"],
        required=False,
        error_messages={"invalid": _("Please write the day as year-month-day, such as 2026-11-28.")},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    part_of_day = ChoiceField(
        label=_("Time of day"),
        choices=[("any", _("Any time")), ("morning", _("Morning")), ("afternoon", _("Afternoon"))],
        initial="any",
        required=False,
        widget=forms.RadioSelect,
    )
    access_notes = TextField(
        label=_("How do we get in?"),
        help_text=_("Gate code, where to park, where the pile is. Only we see this."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    name = LineField(
        label=_("Your name"),
        max_length=100,
        error_messages={"required": _("Please write your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = PhoneField(
        label=_("Mobile phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel"}),
    )
    email = EmailField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"inputmode": "email", "autocomplete": "email"}),
    )
    consent = forms.BooleanField(required=False)
    # Out of people's sight: only a program fills it in.
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": -1}))
    key = forms.CharField(required=False, widget=forms.HiddenInput)
    rendered = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, board: Board, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.board = board
        self.first_day, self.last_day = booking.days(board)
        self.fields["consent"].label = booking.consent_text(board)
        self.fields["preferred_day"].widget.attrs |= {"min": str(self.first_day), "max": str(self.last_day)}

    def clean_preferred_day(self) -> Any:
        day = self.cleaned_data["preferred_day"]
        if day and not self.first_day <= day <= self.last_day:
            raise ValidationError(gettext("Please choose a day from today on, at most 90 days ahead."))
        return day

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            message = gettext("We could not take this booking here.")
            self.add_error(None, f"{message} {booking.or_call(self.board)}")
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not {"phone", "email"} & set(self.errors) and not cleaned["phone"] and not cleaned["email"]:
            self.add_error("phone", gettext("Please give us a phone number or an e-mail address, so that we can answer."))
        if not cleaned.get("consent"):
            self.add_error("consent", gettext("Please tick this, so that we may answer."))
        return cleaned

    def facts(self) -> booking.BookingFacts:
        """Of a form that is valid."""
        aside = {"consent", "website", "key", "rendered"}
        return booking.BookingFacts(**{name: value for name, value in self.cleaned_data.items() if name not in aside})
