import re

import pytest

from edge import manifest
from edge.cases import FILE
from edge.store import Conflict
from qdn import site

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def built(board):
    return site.build()


def test_a_site_has_its_pages_their_assets_and_the_edge_function(built):
    release = manifest.of(built)

    assert {"track.html", "book.html", "404.html"} <= set(release.pages)
    assert "function handler(event)" in built["function.js"].decode()
    assert built["cases.json"] == FILE.read_bytes()
    assert {"function.js", "cases.json"} & {*release.pages, *release.assets} == set()
    assert all(re.search(r"\.[0-9a-f]{12}\.\w+$", path) for path in release.assets)


def test_every_asset_that_is_named_is_there(built):
    named = {name for page in ("track.html", "book.html", "404.html") for name in names(built[page])}
    imported = {
        f"static/tracking/{name}"
        for path, body in built.items()
        if path.endswith(".js") and path != "function.js"
        for name in re.findall(r'from "\./([^"]+)"', body.decode())
    }

    assert named
    assert imported
    assert (named | imported) - set(built) == set()


def test_the_same_templates_make_the_same_release(built, board):
    assert manifest.of(site.build()).id == manifest.of(built).id


def names(page: bytes) -> set[str]:
    return {name.lstrip("/") for name in re.findall(r'(?:src|href)="(/static/[^"#]+)', page.decode())}


def test_the_store_compares_and_swaps(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "site": {
            "BACKEND": "dispatch.mirror.storages.CompareAndSwapFileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
    store, types = site.SiteStore(), {"content_type": "text/html", "cache_control": "no-store"}

    etag = store.write("production/a.html", b"one", if_match=None, **types)

    assert store.read("production/a.html") == (b"one", etag)
    for wrong in (None, "another"):
        with pytest.raises(Conflict):
            store.write("production/a.html", b"two", if_match=wrong, **types)
    assert list(store.names("production/")) == ["production/a.html"]
    with pytest.raises(FileNotFoundError):
        store.read("../secret_key")
    store.delete("production/a.html")
    assert store.etag("production/a.html") is None
