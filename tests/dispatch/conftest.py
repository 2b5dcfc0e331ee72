"""What the tests of the mirror stand on. A test module that looks at the storage's work has a `storage` of its own."""

import pytest

from dispatch.mirror.repository import JobRepository
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage


@pytest.fixture
def storage():
    return CompareAndSwapInMemoryStorage()


@pytest.fixture
def repository(storage):
    return JobRepository(storage)
