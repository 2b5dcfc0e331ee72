"""What the tests of providers at AWS share."""

import pytest

from dispatch.messages import aws


@pytest.fixture
def clients(monkeypatch):
    """A new set for each test."""
    made = {}
    monkeypatch.setattr(aws, "_clients", made)
    yield made
    for client in made.values():
        client.close()
