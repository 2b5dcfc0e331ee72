import io
import json
from decimal import Decimal
from itertools import islice

import pytest

from dispatch.jobs_stream import DEEPEST, BadFile, records


def read_all(content: str | bytes) -> list:
    return list(records(io.BytesIO(content.encode() if isinstance(content, str) else content)))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"jobs": {"1": {"a": 1}, "2": {"b": [true, null, "x", {"c": 1.50}]}}}',
         [("1", {"a": 1}), ("2", {"b": [True, None, "x", {"c": Decimal("1.50")}]})]),
        ('{"jobs": [{"a": 1}, [], "x"]}', [("#1", {"a": 1}), ("#2", []), ("#3", "x")]),
        ('{"version": {"jobs": [1]}, "jobs": {"1": {}}, "more": [[{}]]}', [("1", {})]),
        ('{"jobs": {}}', []),
        ('{"jobs": []}', []),
        ('{"jobs": {"1": {}, "1": {}}}', [("1", {}), ("1", {})]),
        ('{"jobs": {"jobs": {"jobs": {}}}}', [("jobs", {"jobs": {}})]),
    ],
)  # fmt: skip
def test_records_come_with_their_keys(content, found):
    assert read_all(content) == found


@pytest.mark.parametrize(
    "content", ["{}", "[]", "7", '"jobs"', '{"jobs": null}', '{"jobs": 7}', '[{"jobs": {}}]', '{"a": {"jobs": {}}}']
)
def test_json_without_jobs_is_not_a_jobs_file(content):
    with pytest.raises(BadFile) as bad:
        read_all(content)

    assert str(bad.value) == 'there is no "jobs" in it; expected {"jobs": {"<id>": {…}}}'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is not whole JSON: parse error: premature EOF"),
        ('{"jobs": {"1": {"a": 1}', "it is not whole JSON: parse error: premature EOF"),
        ("[1", "it is not whole JSON: parse error: premature EOF"),
        ("PK\x03\x04", "it is not whole JSON: lexical error: invalid char in json text"),
        ('{"jobs": {}} x', "it is not whole JSON: parse error: trailing garbage"),
        (b'{"jobs": {"1": "\xe9"}}', "it is not whole JSON: lexical error: invalid bytes in UTF8 string"),
        ('{"jobs": {"1": NaN}}', "it is not whole JSON: lexical error: invalid char in json text"),
        ('{"jobs": {"1": 1e99999999999999999999}}', "there is a number in it that is out of all bounds"),
        ('{"jobs": {"1": ' + "9" * 5000 + "}}", "there is a number in it with 1,000 digits or more"),
        ('{"jobs": {"1": ' + " " * 65530 + "9" * 5000 + "}}", "there is a number in it with 1,000 digits or more"),
        ('{"jobs": {"1": ' + "[" * 100_000, "it is nested more than 50 levels deep"),
        ('{"other": ' + "[" * 100_000, "it is nested more than 50 levels deep"),
    ],
)
def test_what_cannot_be_read_is_one_line(content, reason):
    with pytest.raises(BadFile) as bad:
        read_all(content)

    assert str(bad.value).startswith(reason)
    assert "\n" not in str(bad.value)


def test_a_record_may_be_nested_as_deep_as_anybody_needs():
    nested = json.loads("[" * DEEPEST + "]" * DEEPEST)

    assert read_all(json.dumps({"jobs": {"1": nested}})) == [("1", nested)]


def test_reading_begins_at_the_start_of_the_file_again():
    file = io.BytesIO(b'{"jobs": {"1": {}}}')
    first = list(records(file))

    assert list(records(file)) == first == [("1", {})]


def test_the_first_records_come_before_the_file_is_read_to_its_end():
    file = io.BytesIO(json.dumps({"jobs": {str(number): {"notes": "n" * 1000} for number in range(1000)}}).encode())

    first = list(islice(records(file), 1))

    assert first == [("0", {"notes": "n" * 1000})]
    assert file.tell() < 200_000
