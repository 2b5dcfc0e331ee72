"""A bucket that fails on demand, a product whose mirror it is, and an office where people work."""

from collections.abc import Iterator

import pytest

from tests import servers
from tests.faults.faulty_bucket import FaultyBucket
from tests.faults.office import Office
from tests.s3 import S3, running_s3
from tests.servers import Product


@pytest.fixture
def s3() -> Iterator[S3]:
    """The bucket itself: always there, for looking into it and for writing behind a worker's back."""
    with running_s3() as running:
        yield running


@pytest.fixture
def faulty(s3: S3) -> Iterator[FaultyBucket]:
    """The way to it, which a test may disturb."""
    with FaultyBucket(s3) as proxy:
        yield proxy


@pytest.fixture
def mirrored(faulty: FaultyBucket) -> Iterator[Product]:
    """Migrated, on SQLite, nothing running yet; its workers see the bucket through `faulty`. Leases are short."""
    with servers.product(MIRROR_LEASE_SECONDS="2", **faulty.env) as made:
        yield made
        faulty.gone()  # no worker waits for an answer while it is being stopped


@pytest.fixture
def office(mirrored: Product) -> Iterator[Office]:
    with Office(mirrored) as people:
        yield people
