"""What a jobs.json says about a customer's wishes, in documents of ours. A file from elsewhere may mean something else by
these keys: what does not look like ours is kept beside.
"""

from collections.abc import Mapping
from typing import Any

from .mirror.document import IMPORTED, LATER
from .mirror.reading import COLUMNS, EARLIER, ours

TAKEN_OVER = ("preferredDay", "asks")
"""The others belong to the system that wrote the file: its pictures, its list of who wants no messages, its links."""


def read(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns of Job, and what is none of ours as `Job.extra` keeps it."""
    values = {key: record[key] if record.get(key) is not None else EARLIER[key] for key in LATER}
    foreign = {IMPORTED.format(key=key): value for key, value in values.items() if not ours(key, value)}
    columns = {}
    for key in TAKEN_OVER:
        column, take = COLUMNS[key]
        columns[column] = take(values[key] if ours(key, values[key]) else EARLIER[key])
    return columns, foreign
