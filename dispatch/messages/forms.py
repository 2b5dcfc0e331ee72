"""Forms of the admin about messages: a company's own words, and addresses that do not want any."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from . import opt_outs, writing
from .ledger import Channel, MessageTemplate, OptOut


class OptOutForm(forms.ModelForm):
    class Meta:
        model = OptOut
        fields: ClassVar = ["channel", "address", "detail"]

    def clean(self) -> dict[str, Any]:
        """The address as it is stored, so that one that has opted out already is found."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("channel") and cleaned.get("address"):
            try:
                cleaned["address"] = opt_outs.normal(cleaned["channel"], cleaned["address"])
            except ValidationError as error:
                self.add_error("address", error)
        return cleaned


class MessageTemplateForm(forms.ModelForm):
    """Only words that can be sent pass."""

    class Meta:
        model = MessageTemplate
        fields: ClassVar = ["board", "kind", "channel", "language", "subject", "body"]
        help_texts: ClassVar = {
            "subject": "Of an e-mail. A text has none.",
            "body": "{{ company }} and so on are filled in: see the list below. What stands in [square brackets] around "
            "one of them is left out when there is nothing to fill in. A text must fit into 160 characters, link and all.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "body" in cleaned:
            cleaned["body"] = cleaned["body"].replace("\r\n", "\n")  # browsers send these
        if cleaned.get("channel") == Channel.SMS:
            cleaned["subject"] = ""
        if all(cleaned.get(field) for field in ("board", "kind", "channel", "language", "body")):
            words = writing.Words(cleaned.get("subject", ""), cleaned["body"])
            writing.check_words(words, *(cleaned[field] for field in ("board", "channel", "language", "kind")))
        return cleaned


class OnlyShown(MessageTemplateForm):
    """For a preview: says what is wrong, and is never valid, so that nothing is kept."""

    def is_valid(self) -> bool:
        super().is_valid()
        return False
