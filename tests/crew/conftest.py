"""What tests of the crews stand on."""

import pytest

from dispatch.messages import sms


@pytest.fixture
def texts(monkeypatch):
    """What the provider of texts took: (number, text)."""
    taken = []

    class Phone:
        def send(self, to, text, dedupe_key):
            taken.append((to, text))
            return ""

    monkeypatch.setattr(sms, "provider", Phone)
    return taken
