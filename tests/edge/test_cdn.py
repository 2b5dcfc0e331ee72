"""The port itself: what is put live and what is refused, in a folder."""

import json
import os

import pytest

from edge import cdn
from edge.cases import Case, cases
from edge.cdn import CdnError, FolderCdn, FunctionRefused, FunctionState, RecordingCdn, Trial
from edge.engine import FUNCTION

SAME = b"function handler(event) { return event.request; }"
CASE = Case("everything passes", {"request": {"uri": "/a", "querystring": {}}}, {"uri": "/a", "querystring": {}})
OTHER = Case("b is c", {"request": {"uri": "/b"}}, {"uri": "/c"})


def silent(*_):
    """Nobody watches."""


@pytest.fixture
def folder(tmp_path):
    return FolderCdn(tmp_path / "cdn")


def test_our_function_passes_all_its_cases(folder):
    seen = []

    assert folder.put_function("rewrite", FUNCTION.read_bytes(), cases(), lambda *step: seen.append(step)) is True
    assert seen[0] == ("cases", 1, len(cases()))
    assert seen[-1] == ("cases", len(cases()), len(cases()))


def test_a_function_is_live_after_it_was_put_and_not_put_twice(folder):
    assert folder.function_stage("rewrite") is None
    assert folder.put_function("rewrite", SAME, [CASE], silent) is True
    assert folder.put_function("rewrite", SAME, [OTHER], silent) is False  # not even tried again
    assert folder.live_code("rewrite") == SAME
    assert folder.function_stage("rewrite") == FunctionState(cdn.sha256(SAME)[:16], cdn.sha256(SAME), "LIVE")
    assert folder.function_stage("rewrite", "DEVELOPMENT") is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (SAME, "“b is c”: expected {\"uri\": \"/c\"}, got {\"uri\": \"/b\"}"),
        (b"function handler(event) { throw new Error('no'); }", "“everything passes”: the function failed: Error: no"),
        (b"function handler(event) {}", "“everything passes”: the function failed: it returns no request"),
        (b"function handler(event) { return 'x'; }", "“everything passes”: the function failed: it returns no request"),
        (b"function handler(event) {", "the function cannot be read: SyntaxError"),
        (b"\xff\xfe", "the function cannot be read: 'utf-8'"),
    ],
)  # fmt: skip
def test_a_function_that_does_otherwise_is_refused_and_the_live_one_stays(folder, code, said):
    good = (
        b"function handler(event) { if (event.request.uri === '/b') { event.request.uri = '/c'; } return event.request; }"
    )
    folder.put_function("rewrite", good, [CASE, OTHER], silent)

    with pytest.raises(FunctionRefused) as refused:
        folder.put_function("rewrite", code, [CASE, OTHER], silent)

    assert str(refused.value).startswith(said)
    assert folder.live_code("rewrite") == good


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("for (;;) {}", "interrupted"),
        (
            "for (var all = [], i = 0; i < 200000; i += 1) { all.push([i]); } return event.request;",
            "it takes too much memory",
        ),
    ],
)
def test_a_function_has_the_limits_of_the_edge(folder, body, why):
    with pytest.raises(FunctionRefused, match=f"the function failed: .*{why}"):
        folder.put_function("rewrite", f"function handler(event) {{ {body} }}".encode(), cases(), silent)

    assert folder.live_code("rewrite") is None


def trials(*results):
    left = list(results)
    return lambda event: left.pop(0)


@pytest.mark.parametrize("utilizations", [(49,), (50, 49), (99, 99, 1)])
def test_of_three_utilizations_the_lowest_counts(utilizations):
    cdn.try_all(trials(*[Trial({"uri": "/c"}, one) for one in utilizations]), [OTHER], silent)


def test_a_function_that_is_slow_three_times_is_refused():
    with pytest.raises(FunctionRefused, match="“b is c”: takes 50 % of its time, 49 are allowed"):
        cdn.try_all(trials(*[Trial({"uri": "/c"}, one) for one in (80, 70, 50)]), [OTHER], silent)


def test_what_an_engine_leaves_out_because_it_is_empty_is_no_difference():
    cdn.try_all(trials(Trial({"uri": "/c", "headers": {}, "cookies": {}})), [OTHER], silent)


def test_a_query_that_differs_is_a_difference():
    with pytest.raises(FunctionRefused):
        cdn.try_all(trials(Trial({"uri": "/c", "querystring": {"token": {"value": "x"}}})), [OTHER], silent)


def test_the_same_reference_is_the_same_invalidation(folder):
    first = folder.invalidate("E1", ["/track.html", "/book.html"], "r1")

    assert folder.invalidate("E1", ["/book.html", "/track.html", "/track.html"], "r1") == first
    assert folder.invalidations() == {"E1": {"r1": ["/book.html", "/track.html"]}}


def test_each_distribution_has_references_of_its_own(folder):
    for distribution, path in (("E1", "/track.html"), ("E2", "/book.html")):
        folder.wait(distribution, folder.invalidate(distribution, [path], "r1"), silent)

    assert folder.invalidations() == {"E1": {"r1": ["/track.html"]}, "E2": {"r1": ["/book.html"]}}


def test_what_was_written_before_is_no_obstacle(folder):
    before = {"r1": {"distribution": "E1", "paths": ["/track.html"]}}
    (folder.folder / "invalidations.json").write_text(json.dumps(before))

    folder.wait("E1", folder.invalidate("E1", ["/book.html"], "r1"), silent)

    assert folder.invalidations() == before | {"E1": {"r1": ["/book.html"]}}


@pytest.mark.processes
def test_of_many_processes_at_once_none_loses_what_another_wrote(tmp_path):
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            try:
                for each in range(50):
                    FolderCdn(tmp_path).invalidate(f"E{number}", ["/track.html"], f"r{each}")
                    FolderCdn(tmp_path).put_function("rewrite", SAME + b"//%d %d" % (number, each), [], silent)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)

    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    references = {f"r{each}": ["/track.html"] for each in range(50)}
    assert FolderCdn(tmp_path).invalidations() == {f"E{number}": references for number in range(4)}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "invalidations.json", "rewrite.js"]


def test_a_reference_is_not_used_for_something_else(folder):
    folder.invalidate("E1", ["/track.html"], "r1")

    with pytest.raises(CdnError, match="the reference r1 belongs to another invalidation"):
        folder.invalidate("E1", ["/book.html"], "r1")


@pytest.mark.parametrize("path", ["track.html", "/*/track.html", ""])
def test_an_address_that_would_invalidate_nothing_is_refused(folder, path):
    with pytest.raises(CdnError, match="cannot be invalidated"):
        folder.invalidate("E1", ["/ok.html", path], "r1")


def test_nothing_cannot_be_invalidated(folder):
    with pytest.raises(CdnError, match="there is nothing to invalidate"):
        folder.invalidate("E1", [], "r1")


def test_nobody_waits_for_what_was_never_asked(folder):
    folder.invalidate("E1", ["/track.html"], "r1")

    with pytest.raises(CdnError, match="there is no invalidation r1 of E2"):
        folder.wait("E2", "r1", silent)


def test_a_folder_outlives_who_wrote_it(tmp_path):
    FolderCdn(tmp_path).put_function("rewrite", SAME, [CASE], silent)
    FolderCdn(tmp_path).invalidate("E1", ["/track.html"], "r1")

    assert FolderCdn(tmp_path).live_code("rewrite") == SAME
    assert json.loads((tmp_path / "invalidations.json").read_text())["E1"]["r1"] == ["/track.html"]


def test_a_recording_remembers_what_it_was_asked_in_order(tmp_path):
    recording, seen = RecordingCdn(tmp_path), []

    assert recording.put_function("qdn-rewrite", SAME, [CASE], silent) is True
    recording.wait("E1", recording.invalidate("E1", ["/track.html"], "r1"), lambda *step: seen.append(step))

    assert recording.calls == [
        ("put_function", "qdn-rewrite", SAME), ("invalidate", "E1", ["/track.html"], "r1"), ("wait", "E1", "r1")
    ]  # fmt: skip
    assert seen == [("forgotten", 1, 1)]


def test_a_recording_refuses_what_it_is_told_to(tmp_path):
    recording = RecordingCdn(tmp_path)
    recording.refuses["invalidate"] = CdnError("busy")

    with pytest.raises(CdnError, match="busy"):
        recording.invalidate("E1", ["/track.html"], "r1")
    assert recording.invalidations() == {}
