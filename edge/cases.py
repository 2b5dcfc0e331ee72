"""The cases of the edge function. Every engine must agree on them: njs and QuickJS here, and CloudFront's own
(`test_function`) before the function goes live.

    [{"name": "…", "event": {"version", "context", "viewer", "request"}, "expected": {the request that comes back}}]
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "functions" / "cases.json"


@dataclass(frozen=True)
class Case:
    """A viewer-request event as CloudFront makes it, and the request that the function must return for it."""

    name: str
    event: dict[str, Any]
    expected: dict[str, Any]


def cases() -> list[Case]:
    return [Case(**case) for case in json.loads(FILE.read_text())]
