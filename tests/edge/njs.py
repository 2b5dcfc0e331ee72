"""The edge function in njs, the engine closest to CloudFront's that can be had."""

import json
import shutil
import subprocess
from typing import Any

from edge import engine
from tests.conftest import missing

PRINT = """
var text = JSON.stringify(result);
for (var place = 0; place < text.length; place += 500) { console.log(text.substring(place, place + 500)); }
"""  # njs cuts a line after 2,048 bytes


class Threw(AssertionError):
    """The program threw, or could not be compiled."""


def run(program: str) -> Any:
    """The `result` of a program that has the edge function before it. One that throws is an error, wherever njs says so and
    whatever it exits with."""
    if not shutil.which("njs"):
        missing("njs")
    source = f"{engine.FUNCTION.read_text()}\n{program}\n{PRINT}"
    ran = subprocess.run(["njs", "-"], input=source, capture_output=True, text=True, timeout=60)
    if ran.returncode or ran.stderr or "Thrown:" in ran.stdout:
        raise Threw(ran.stdout + ran.stderr)
    return json.loads(ran.stdout.replace("\n", ""))


def handle(events: list[dict[str, Any]]) -> list[Any]:
    """What the function makes of each event, all in one process; of one that it throws at, the words of the error."""
    return run(
        f"""var events = JSON.parse({json.dumps(json.dumps(events))});
        var result = events.map((event) => {{
          try {{ return handler(event); }} catch (error) {{ return 'threw ' + error; }}
        }});"""
    )
