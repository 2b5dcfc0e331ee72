"""How texts leave: the port that every provider fits, and the one that prints them."""

import sys
from collections.abc import Iterable
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from .failures import Failure, OptedOutAtProvider, Permanent, Transient, Unreachable

__all__ = ["ConsoleSms", "Failure", "OptedOutAtProvider", "Permanent", "Sms", "Transient", "Unreachable", "provider"]


class Sms(Protocol):
    """A provider of texts. One instance serves all threads of a process."""

    def send(self, to: str, text: str, dedupe_key: str) -> str:
        """Hands a text over and returns the provider's name for it, or "". The same text has the same `dedupe_key` when it
        is tried again. Raises Permanent, OptedOutAtProvider, Transient, Unreachable."""

    def opted_out(self) -> Iterable[str]:
        """The numbers that told the provider STOP. Raises the same."""


class ConsoleSms:
    """Prints each text in a line."""

    def send(self, to: str, text: str, dedupe_key: str) -> str:
        sys.stdout.write(f"Text to {to}: {' '.join(text.split())}\n")
        sys.stdout.flush()
        return ""

    def opted_out(self) -> Iterable[str]:
        return ()


def provider() -> Sms:
    """The one that SMS_BACKEND names."""
    return _made(settings.SMS_BACKEND)


@cache
def _made(path: str) -> Sms:
    made: Sms = import_string(path)()
    return made
