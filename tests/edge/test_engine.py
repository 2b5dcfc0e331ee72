from concurrent.futures import ThreadPoolExecutor

import pytest

from edge import engine


@pytest.fixture
def function(tmp_path, monkeypatch):
    """Puts another function in the place of ours, and takes it away again."""

    def use(source: str) -> None:
        path = tmp_path / "function.js"
        path.write_text(source)
        monkeypatch.setattr(engine, "FUNCTION", path)
        forget()

    def forget() -> None:
        engine._source.cache_clear()
        engine._contexts.__dict__.pop("context", None)

    yield use
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize(
    ("query_string", "query"),
    [
        ("", {}),
        ("a=1", {"a": {"value": "1"}}),
        ("a=1&b=2", {"a": {"value": "1"}, "b": {"value": "2"}}),
        ("a=1&a=2", {"a": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]}}),
        ("a=%20+&b=c=d", {"a": {"value": "%20+"}, "b": {"value": "c=d"}}),
        ("flag", {"flag": {"value": ""}}),
        ("&&a=1&", {"a": {"value": "1"}}),
    ],
)
def test_a_query_string_is_parsed_undecoded(query_string, query):
    assert engine.parse_query(query_string) == query


@pytest.mark.parametrize("query_string", ["", "a=1", "a=1&b=2", "a=1&a=2&a=3", "a=%20+&b=c=d", "a="])
def test_a_query_string_survives_the_way_there_and_back(query_string):
    assert engine.format_query(engine.parse_query(query_string)) == query_string


def test_rewrite_gives_address_and_query():
    assert engine.rewrite("/track/Ab3-_xYz01/", "lang=en&token=other000") == ("/track.html", "lang=en&token=Ab3-_xYz01")


def test_ours_goes_last_so_that_a_reader_who_decodes_names_finds_it():
    assert engine.rewrite("/track/Ab3-_xYz01", "token=a&%74oken=b&q=1")[1] == "%74oken=b&q=1&token=Ab3-_xYz01"


def test_rewrite_leaves_other_addresses_alone():
    assert engine.rewrite("/board/main/", "a=1&a=2") == ("/board/main/", "a=1&a=2")


def test_each_thread_has_an_engine_of_its_own():
    tokens = [f"token-of-{number:04}" for number in range(400)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda token: engine.rewrite(f"/track/{token}", ""), tokens))

    assert answers == [("/track.html", f"token={token}") for token in tokens]


def test_a_throw_is_function_failed(function):
    function("function handler(event) { return decodeURIComponent('%E0%A4%A'); }")

    with pytest.raises(engine.FunctionFailed, match="URIError"):
        engine.rewrite("/", "")


def test_memory_is_limited_as_at_cloudfront(function):
    function(
        "function handler(event) { var all = [];"
        "for (var i = 0; i < 200000; i++) { all.push('x'.repeat(20) + i); } return event.request; }"
    )

    with pytest.raises(engine.FunctionFailed):
        engine.rewrite("/", "")


def test_time_is_limited(function, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.05)
    function("function handler(event) { while (true) {} }")

    with pytest.raises(engine.FunctionFailed, match="interrupted"):
        engine.rewrite("/", "")


def test_a_function_that_cannot_be_compiled_fails_every_request(function):
    function("function handler(event) {")

    with pytest.raises(engine.FunctionFailed, match="SyntaxError"):
        engine.rewrite("/", "")
