"""The edge function, case by case and for any address, in njs (the gate) and in the embedded engine."""

import random
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import engine
from edge.cases import cases
from tests.edge import njs

CASES = {case.name: case for case in cases()}
PAGES = {"/track.html": "token", "/book.html": "step"}
STEPS = {"where", "what", "photos", "when", "contact", "check", "done"}
LONGEST = 8192  # characters of address and query, at CloudFront

words = st.sampled_from(
    ["", "track", "book", "when", "where", "Ab3-_xYz01", "..", ".", "%2F", "%E0%A4%A", "%00", "__proto__", "constructor"]
)
segments = (
    words | st.text(st.characters(codec="utf-8", exclude_characters="?#"), max_size=12) | st.text("/aZ0-_", max_size=70)
)
uris = st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(parts)) | st.builds(
    "/{}/{}{}".format, st.sampled_from(["track", "book"]), segments, st.sampled_from(["", "/", "//", "?", "%2F", "\n"])
)
long_uris = st.builds(
    lambda start, piece: (start + piece * LONGEST)[:8000], uris, st.sampled_from(["a", "/", "%2F", "/a", "é"])
)
queries = st.lists(
    st.tuples(
        st.sampled_from(["token", "step", "q", "__proto__", "constructor", "multiValue", "value", "%74oken", "7", ""]),
        st.text("abc%2F=é+", max_size=6),
    ),
    max_size=5,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))


@cache
def answers_of_njs() -> dict[str, Any]:
    return dict(zip(CASES, njs.handle([case.event for case in CASES.values()]), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_case_under_njs(name):
    assert answers_of_njs()[name] == CASES[name].expected


@pytest.mark.parametrize("name", CASES)
def test_case_under_the_embedded_engine(name):
    assert engine.handle(CASES[name].event) == CASES[name].expected


@pytest.mark.parametrize("name", CASES)
def test_case_is_an_event_that_cloudfront_takes(name):
    event, expected = CASES[name].event, CASES[name].expected
    entries = [*event["request"]["querystring"].values(), *event["request"]["headers"].values()]

    assert (event["version"], event["context"]["eventType"]) == ("1.0", "viewer-request")
    assert {*event} == {"version", "context", "viewer", "request"}
    assert [*event["request"]] == [*expected] == ["method", "uri", "querystring", "headers", "cookies"]
    assert event["request"]["uri"].isascii()
    assert len(event["request"]["uri"]) < LONGEST
    assert [entry for entry in entries if entry["value"] != entry.get("multiValue", [entry])[0]["value"]] == []


def test_cases_have_names_of_their_own():
    assert len(CASES) == len(cases())


def test_an_event_without_a_query_is_no_error():
    event = engine.viewer_request("/track/Ab3-_xYz01")
    del event["request"]["querystring"]

    for answer in (engine.handle(event), njs.handle([event])[0]):
        assert (answer["uri"], answer["querystring"]) == ("/track.html", {"token": {"value": "Ab3-_xYz01"}})


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/track/Ab3-_xYz01\n", "/404.html"),
        ("/track/Ab3-_xYz01/\n", "/404.html"),
        ("/book/when\n", "/404.html"),
        ("/track\n", "/track\n"),
    ],
)
def test_a_last_line_break_belongs_to_an_address(uri, expected):  # njs lets $ match before it
    events = [engine.viewer_request(uri)]

    assert [engine.handle(events[0])["uri"], njs.handle(events)[0]["uri"]] == [expected, expected]


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
    with pytest.raises(njs.Threw, match="SyntaxError"):
        njs.run(f"{refused}\nvar result = 1;")


def test_a_throw_under_njs_is_seen():  # it is what decoding would do to a visitor
    with pytest.raises(njs.Threw, match="URIError"):
        njs.run("var result = decodeURIComponent('%E0%A4%A');")


def test_a_throw_at_one_event_under_njs_is_seen():
    assert njs.handle([{"request": {"uri": "/", "querystring": {}}}, {}])[1].startswith("threw TypeError")


@given(uris | long_uris, queries, st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]))
def test_any_request_stays_a_request_and_only_two_paths_are_touched(uri, query, method):
    event = engine.viewer_request(uri, query, method)
    before = deepcopy(event["request"])

    after = engine.handle(event)

    value = asked_value(uri)
    if not uri.startswith(("/track/", "/book/")) and uri not in {"/track", "/book"}:
        assert after == before
    elif value is None:
        assert after == before | {"uri": "/404.html"}
    else:
        parameter = PAGES[after["uri"]]
        others = {name: entry for name, entry in before["querystring"].items() if name != parameter}
        assert after == before | {"uri": after["uri"], "querystring": others | {parameter: {"value": value}}}
        assert after["uri"].startswith(f"/{uri.split('/')[1]}.")


def asked_value(uri: str) -> str | None:
    """The token or step that a link names, spelled out once more without a regular expression; None for garbage."""
    _, page, *rest = uri.split("/")
    if len(rest) == 2 and rest[0] and not rest[1]:
        rest.pop()
    value = rest[0] if len(rest) == 1 else ("" if not rest else "/")
    if page == "book":
        return value or "where" if value in STEPS | {""} else None
    allowed = value.isascii() and value.replace("-", "a").replace("_", "a").isalnum()
    return value if allowed and 8 <= len(value) <= 64 else None


@given(uris, queries)
def test_rewriting_twice_is_rewriting_once(uri, query):
    once = engine.rewrite(uri, query)

    assert engine.rewrite(*once) == once


@given(st.integers(0, 2**32))  # only a seed: long lists are slow to draw
@settings(max_examples=12, deadline=None)  # an njs process each
def test_both_engines_agree(seed):
    chance = random.Random(seed)
    events = [engine.viewer_request(made_up_uri(chance), made_up_query(chance)) for _ in range(100)]

    assert njs.handle(events) == [engine.handle(event) for event in events]


def made_up_uri(chance: random.Random) -> str:
    return chance.choice(["/", "/track", "/track/", "/book/", "/book/when", "//"]) + "".join(
        chance.choices("aZ09-_/%.é\n", k=chance.choice([0, 1, 7, 8, 30, 64, 65, 3000]))
    )


def made_up_query(chance: random.Random) -> str:
    names = chance.choices(["token", "step", "q", "constructor", "%74oken", ""], k=chance.randrange(5))
    return "&".join(f"{name}={chance.choice(['', '1', '%', 'a=b', 'é'])}" for name in names)
