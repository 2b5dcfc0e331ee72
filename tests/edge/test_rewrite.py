"""The edge function, case by case, in njs (the closest engine to CloudFront's that can be had) and in the embedded one."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import engine
from tests.conftest import missing

CASES = json.loads((Path(__file__).parent / "cases.json").read_text())
BY_NAME = {case["name"]: case for case in CASES}
PAGES = {"/track.html": "token", "/book.html": "step"}

segments = st.sampled_from(
    ["", "track", "book", "when", "Ab3-_xYz01", "..", "%2F", "%E0%A4%A", "__proto__", "é"]
) | st.text(st.characters(codec="utf-8", exclude_characters="?#"), max_size=12)
uris = st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(parts))
queries = st.lists(
    st.tuples(
        st.sampled_from(["token", "step", "q", "__proto__", "constructor", "multiValue", "%74oken"]),
        st.text("abc%2F=é", max_size=6),
    ),
    max_size=5,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))


PRINT = """
var text = JSON.stringify(result);
for (var place = 0; place < text.length; place += 500) { console.log(text.substring(place, place + 500)); }
"""  # njs cuts a line after 2,048 bytes


def njs(program: str) -> Any:
    """The `result` of a program. One that throws is an error, wherever njs says so and whatever it exits with."""
    if not shutil.which("njs"):
        missing("njs")
    ran = subprocess.run(["njs", "-c", program + PRINT], capture_output=True, text=True, timeout=20)
    if ran.returncode or ran.stderr or "Thrown:" in ran.stdout:
        raise AssertionError(ran.stdout + ran.stderr)
    return json.loads(ran.stdout.replace("\n", ""))


@cache
def answers_of_njs() -> dict[str, Any]:
    """All cases in one process; a case that throws says so."""
    events = json.dumps({case["name"]: case["event"] for case in CASES})
    return njs(
        f"""{engine.FUNCTION.read_text()}
        var events = JSON.parse({json.dumps(events)}), result = {{}};
        Object.keys(events).forEach((name) => {{
          try {{ result[name] = handler(events[name]); }} catch (error) {{ result[name] = 'threw ' + error; }}
        }});"""
    )


@pytest.mark.parametrize("name", BY_NAME)
def test_case_under_njs(name):
    assert answers_of_njs()[name] == BY_NAME[name]["expected"]


@pytest.mark.parametrize("name", BY_NAME)
def test_case_under_the_embedded_engine(name):
    assert engine.handle(BY_NAME[name]["event"]) == BY_NAME[name]["expected"]


def test_the_function_is_a_fifth_of_what_cloudfront_allows():
    assert len(engine.FUNCTION.read_bytes()) <= 2048


@pytest.mark.parametrize(
    "refused",
    [
        "var {uri} = {uri: 1};",
        "var a = [...[1]];",
        "function f(a = 1) {}",
        "for (var a of [1]) {}",
        "class A {}",
        "var a = {}?.b;",
    ],
)
def test_njs_refuses_what_cloudfront_refuses(refused):
    with pytest.raises(AssertionError, match="SyntaxError"):
        njs(f"{engine.FUNCTION.read_text()}\n{refused}\nvar result = 1;")


def test_a_throw_under_njs_is_seen():  # it is what decoding would do to a visitor
    with pytest.raises(AssertionError, match="URIError"):
        njs("var result = decodeURIComponent('%E0%A4%A');")


@given(uris, queries)
def test_any_request_stays_a_request_and_only_two_paths_are_touched(uri, query):
    rewritten, new_query = engine.rewrite(uri, query)
    others = [pair for pair in engine.parse_query(query).items() if pair[0] != PAGES.get(rewritten)]

    if rewritten == uri:
        assert engine.parse_query(new_query) == engine.parse_query(query)
        assert uri not in {"/track", "/book"}
        assert not uri.startswith(("/track/", "/book/")) or "\n" in uri or "\r" in uri or "\u2028" in uri or "\u2029" in uri
    elif rewritten == "/404.html":
        assert uri.split("/")[1] in {"track", "book"}
        assert engine.parse_query(new_query) == engine.parse_query(query)
    else:
        value = engine.parse_query(new_query)[PAGES[rewritten]]
        assert value == {"value": uri.strip("/").partition("/")[2] or "where"}
        assert [pair for pair in engine.parse_query(new_query).items() if pair[0] != PAGES[rewritten]] == others


@given(uris, queries)
def test_rewriting_twice_is_rewriting_once(uri, query):
    once = engine.rewrite(uri, query)

    assert engine.rewrite(*once) == once
