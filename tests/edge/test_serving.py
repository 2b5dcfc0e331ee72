import pytest

from edge import looking, manifest, releases
from edge.serving import NOSNIFF, function, serving
from tests.edge.stores import MemoryStore

TOKEN = "a-token-of-a-customer-of-ours-12"
CONTENT = {"track.html": b"track", "book.html": b"book", "robots.txt": b"r", "404.html": b"nowhere", "static/a.1.js": b"a"}
PRIVATE = [
    "production/release.json", "production//release.json", "production/../staging/release.json",
    "production/../production/book.html", "production/static/..//release.json",
]  # fmt: skip
"""As a folder would find them: it follows `..`, and takes two strokes for one."""


@pytest.fixture
def store():
    store = MemoryStore()
    store.objects = {f"production/{path}": body for path, body in CONTENT.items()}
    store.objects |= dict.fromkeys(PRIVATE, b"ours")
    return store


@pytest.fixture
def site(store):
    private = ("../jobs/of-the-office.json", "track/../../jobs/of-the-office.json", "jobs/of-the-office.json")
    states = {f"track/{TOKEN}.json": b'{"seq": 7}'} | dict.fromkeys(private, b"ours")

    def state(name):
        if name not in states:
            raise FileNotFoundError(name)
        return states[name]

    with serving(store, state, "production") as server:
        yield server.origin


@pytest.mark.parametrize(
    ("path", "status", "body", "cache"),
    [
        (f"/track/{TOKEN}", 200, b"track", manifest.ASK_AGAIN),
        (f"/track/{TOKEN}?lang=es", 200, b"track", manifest.ASK_AGAIN),
        ("/book", 200, b"book", manifest.ASK_AGAIN),
        ("/static/a.1.js", 200, b"a", manifest.FOREVER),
        (f"/state/track/{TOKEN}.json", 200, b'{"seq": 7}', "public, max-age=2"),
        ("/state/track/of-nobody.json", 404, b"nowhere", "public, max-age=5"),
        ("/track/not%20a%20token", 200, b"nowhere", manifest.ASK_AGAIN),
        ("/no/such/page", 404, b"nowhere", "public, max-age=5"),
        ("/../releases/x/manifest.json", 404, b"nowhere", "public, max-age=5"),
        ("/../staging/release.json", 404, b"nowhere", "public, max-age=5"),
        ("/../production/book.html", 404, b"nowhere", "public, max-age=5"),
        ("/release.json", 404, b"nowhere", "public, max-age=5"),
        ("//release.json", 404, b"nowhere", "public, max-age=5"),
        ("/static/..//release.json", 404, b"nowhere", "public, max-age=5"),
        ("/state/../jobs/of-the-office.json", 404, b"nowhere", "public, max-age=5"),
        ("/state/track/../../jobs/of-the-office.json", 404, b"nowhere", "public, max-age=5"),
        ("/state/jobs/of-the-office.json", 404, b"nowhere", "public, max-age=5"),
    ],
)
def test_it_answers_as_the_edge_does(site, path, status, body, cache):
    answer = looking.fetch(site, path)

    assert (answer.status, answer.body, answer.headers["Cache-Control"]) == (status, body, cache)


@pytest.mark.parametrize(
    ("code", "status", "body"),
    [
        (b"function handler(e) { e.request.uri = '/book.html'; return e.request; }", 200, b"book"),
        (b"function handler(e) { throw 1; }", 503, b"The edge function failed."),
        (b"function handler(e) { while (1); }", 503, b"The edge function failed."),
        (b"nonsense (", 503, b"The edge function failed."),
        (b"function handler(e) { return 7; }", 503, b"The edge function failed."),
    ],
    ids=["another", "throws", "never ends", "cannot be read", "returns no request"],
)
def test_it_runs_the_function_that_it_is_given(store, code, status, body):
    with serving(store, FileNotFoundError, "production", rewrite=function(code)) as server:
        answer = looking.fetch(server.origin, f"/track/{TOKEN}")

    assert (answer.status, answer.body) == (status, body)


# --- looking at it


def problems(site, store, probe=None, **more):
    return looking.problems(manifest.of(CONTENT), site, probe=probe, **more)


def test_a_site_as_it_should_be_has_nothing_wrong(site, store):
    assert problems(site, store, looking.Probe(TOKEN, 7)) == []


def test_a_server_that_is_not_there_is_named_and_its_socket_is_asked(site, store):
    """There is no server behind this site: its own answers for the API's addresses are what is wrong."""
    server = looking.Server(site, lambda: "no socket")

    assert problems(site, store, server=server) == [
        f"{site}/healthz: the server does not answer (404 instead of 200)",
        "no socket",
    ]


def test_headers_that_a_browser_must_get_are_asked_for_word_by_word(site, store):
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "X-Robots-Tag": "noindex",
    }

    assert problems(site, store, headers=wanted) == [
        "track.html: comes without Content-Security-Policy default-src, Content-Security-Policy 'none', X-Robots-Tag"
        " noindex"
    ]
    given = {"Content-Security-Policy": "img-src 'self'; default-src 'none'", "X-Robots-Tag": "noindex, nofollow"}
    with serving(store, FileNotFoundError, "production", headers=NOSNIFF | given) as server:
        assert problems(server.origin, store, headers=wanted) == []


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda objects: objects.update({"production/track.html": b"old"}), "track.html: /track/"),
        (lambda objects: objects.pop("production/book.html"), "book.html: 404"),
        (lambda objects: objects.update({"production/404.html": b"old"}), "404.html: /track/not%20a%20token leads"),
        (lambda objects: objects.pop("production/robots.txt"), "robots.txt: 404"),
        (lambda objects: objects.pop("production/static/a.1.js"), "static/a.1.js: 404"),
        (lambda objects: objects.update({"production/static/a.1.js": b"x"}), "static/a.1.js: it leads to something else"),
    ],
    ids=["an old page", "no page", "an old page for nowhere", "no robots.txt", "no asset", "another asset"],
)
def test_what_is_wrong_is_named(site, store, spoil, found):
    spoil(store.objects)

    assert [problem[: len(found)] for problem in problems(site, store)] == [found]


@pytest.mark.parametrize(
    ("probe", "found"),
    [
        (looking.Probe(TOKEN, 8), "/state/track/….json: has change 7, 8 was copied"),
        (looking.Probe("of-nobody", 1), "/state/track/….json: 404 for a job whose copy is in the bucket"),
    ],
    ids=["late", "missing"],
)
def test_a_copy_that_does_not_come_is_named(site, store, probe, found):
    assert problems(site, store, probe) == [found]


def test_a_site_that_cannot_be_reached_is_one_problem(store, unused_tcp_port):
    origin = f"http://127.0.0.1:{unused_tcp_port}"

    assert [problem[: len(origin) + 19] for problem in problems(origin, store)] == [f"{origin}: cannot be reached"]


def test_nothing_about_a_release_is_trusted_that_was_only_staged(site, store):
    releases.stage(store, CONTENT | {"track.html": b"new"}, lambda *_: None)

    assert looking.problems(manifest.of(CONTENT | {"track.html": b"new"}), site)[0].startswith("track.html: ")
