"""What the mirror promises whatever goes wrong. Every test of this folder ends with it."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.faults.office import Office, histories
from tests.s3 import S3


def assert_kept(office: Office, s3: S3) -> None:
    """In the end everything is copied, no object ever went back, and no acknowledged change is lost."""
    office.caught_up()
    assert_never_went_back(s3.written)
    assert_equal_to_the_database(office)
    assert_nothing_lost(office, {uid: document(s3, f"jobs/{uid}.json") for uid in office.tokens})


def assert_never_went_back(written: Iterable[tuple[str, bytes | None]]) -> None:
    """No later write of an object had a lower number, and nothing was deleted."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for key, content in list(written):
        assert content is not None, f"{key} was deleted"
        numbers[key].append(json.loads(content).get("seq", 0))
    assert {key: found for key, found in numbers.items() if found != sorted(found)} == {}


def assert_equal_to_the_database(office: Office) -> None:
    report = office.ask("check")

    assert (report["differences"], report["jobs"]) == ([], len(office.tokens))


def assert_nothing_lost(office: Office, documents: dict[str, dict[str, Any]]) -> None:
    """The histories in the bucket are the acknowledged changes, all of them and in their order."""
    stored = {uid: [(step["status"], step["by"]) for step in found["statusHistory"]] for uid, found in documents.items()}

    assert stored == histories(office.acknowledged)


def document(s3: S3, key: str) -> dict[str, Any]:
    content = s3.get(key)
    assert content is not None, f"there is no {key}"
    return json.loads(content)


def objects(office: Office, uid: str) -> list[str]:
    """The names of a job's objects: the private one and the public one."""
    return [f"jobs/{uid}.json", f"public/track/{office.tokens[uid]}.json"]
