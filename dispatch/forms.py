"""Forms about jobs. They read and check what people type; `dispatch.flow` does what they say."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils import timezone

from .flow import EDITABLE, last_change_in_words
from .models import Job
from .phones import to_e164
from .words import moment_in_words


class NamesField(forms.CharField):
    """Names with commas between them, as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [name.strip() for name in (value or "").split(",") if name.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(self.prepare_value(initial)) != self.to_python(data)


class PhoneField(forms.CharField):
    """A phone number as people write it, as E.164."""

    def to_python(self, value: Any) -> str:
        return to_e164(value or "")


class JobForm(forms.ModelForm):
    """Knows which version of the job it shows. When that is no longer the current one it says what is different now, and
    saving again means it."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the change number that the form shows
    crew = NamesField(required=False, help_text="First and last names, with commas between them.")
    customer_phone = PhoneField(required=False)

    class Meta:
        model = Job
        fields: ClassVar = [
            "board", "service", "location", "access_notes", "customer_name", "customer_phone", "customer_email",
            "customer_language", "customer_notify", "window_start", "window_end", "preferred_day", "price", "load_eighths",
            "crew", "notes",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "version" in self.fields:
            self.fields["version"].initial = self.instance.seq
        for name in {"window_start", "window_end"} & set(self.fields):
            self.fields[name].help_text = f"In the board's time zone, {timezone.get_current_timezone_name()}."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in {"access_notes", "notes"} & set(cleaned):
            cleaned[name] = cleaned[name].replace("\r\n", "\n")  # browsers send these, whatever was stored
        if self.instance.pk and cleaned.get("version") != self.instance.seq:
            current = Job.objects.get(pk=self.instance.pk)
            self.data = QueryDict.copy(self.data)  # type: ignore[arg-type]  # what a browser sends is a QueryDict
            self.data["version"] = str(current.seq)
            self.add_error(None, self._what_differs(current, cleaned))
        return cleaned

    def changes(self) -> dict[str, Any]:
        """The columns that flow.edit may write, as the form has them."""
        return {name: value for name, value in self.cleaned_data.items() if name in EDITABLE}

    def _what_differs(self, current: Job, cleaned: dict[str, Any]) -> str:
        different = [
            f"{self[name].label} is now “{self._as_shown(name, getattr(current, name))}”"
            for name in self.fields
            if name in EDITABLE and name in cleaned and cleaned[name] != getattr(current, name)
        ]
        facts = "; ".join(different) or "the fields of this form are the same"
        return f"{last_change_in_words(current)}, while you were editing: {facts}. Save again to keep what this form says."

    def _as_shown(self, name: str, value: Any) -> str:
        if isinstance(value, datetime):
            return moment_in_words(value, timezone.get_current_timezone(), year=True)
        if name == "service":
            return Job.Service(value).label
        return "–" if value in (None, "", []) else str(self.fields[name].prepare_value(value))
