"""Releases in the store: `releases/<id>/…`, written once and never changed. The manifest comes last: a release that has one
is whole.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from . import looking, manifest
from .cases import Case
from .cdn import ANY_REQUEST
from .engine import viewer_request
from .manifest import CASES, ID, BadRelease, Manifest
from .store import Conflict, EdgeError, Store

FOLDER = "releases/{id}/"
MANIFEST = "manifest.json"
PRUNED = "pruned.json"
"""It stands in a release that is being deleted, until nothing else does."""
AT_A_TIME = 16

Progress = Callable[[str, int, int], None]
"""(what, done, total)"""


class NoSuchRelease(EdgeError):
    def __init__(self, id: str) -> None:
        super().__init__(f"there is no release {id}: `manage.py edge list` shows those that there are")


def stage(store: Store, content: Mapping[str, bytes], progress: Progress) -> Manifest:
    """Writes what is not there yet or not there any more, so it can be run again after it was killed. Raises BadRelease.

    Somebody may be deleting it meanwhile, because it was half staged. So it is told that it is wanted, and gone through
    until nothing is lacking: `pruning` puts back what it takes away after that."""
    wanted = manifest.of(content)
    while _put(store, wanted, content, progress) | _want(store, wanted.id):
        progress = lambda what, done, total: None  # noqa: E731  # once is enough to be told
    return wanted


def _put(store: Store, wanted: Manifest, content: Mapping[str, bytes], progress: Progress) -> bool:
    """Whether anything was lacking. The manifest comes last."""
    folder, lacking = FOLDER.format(id=wanted.id), []

    def put(path: str) -> None:
        if create(store, folder + path, content[path], path):
            lacking.append(path)

    each(put, list(wanted.files), "staged", progress)
    return create(store, folder + MANIFEST, wanted.as_bytes(), MANIFEST) or bool(lacking)


def _want(store: Store, id: str) -> bool:
    """Whether somebody was deleting it, or had begun to."""
    mark = FOLDER.format(id=id) + PRUNED
    if store.etag(mark) is None:
        return False
    store.delete(mark)
    return True


def read(store: Store, id: str) -> Manifest:
    """Raises NoSuchRelease and BadRelease."""
    name = FOLDER.format(id=id) + MANIFEST
    if not ID.fullmatch(id):
        raise NoSuchRelease(id)
    try:
        found = manifest.parse(name, store.read(name)[0])
    except FileNotFoundError:
        raise NoSuchRelease(id) from None
    if found.id != id:
        raise BadRelease(f"{name} is that of release {found.id}")
    return found


def check(store: Store, release: Manifest, progress: Progress) -> None:
    """Reads every file of a release. Raises BadRelease, which names the first that is missing or was changed."""
    each(lambda path: content_of(store, release, path), list(release.files), "checked", progress)


def content_of(store: Store, release: Manifest, path: str) -> bytes:
    """Raises BadRelease."""
    name = FOLDER.format(id=release.id) + path
    try:
        content, _ = store.read(name)
    except FileNotFoundError:
        raise BadRelease(f"{name} is missing: stage the release again") from None
    if hashlib.sha256(content).hexdigest() != release.files[path].sha256:
        raise BadRelease(f"{name} was changed: it is not what was staged")
    return content


def cases_of(store: Store, release: Manifest) -> list[Case]:
    """What its function has to do, as it was when it was staged. Of a release without cases no more is known than that
    customers' links lead somewhere. Raises BadRelease."""
    if CASES not in release.files:
        return [Case(link, viewer_request(link), ANY_REQUEST) for link in looking.LINKS.values()]
    try:
        return [Case(**case) for case in json.loads(content_of(store, release, CASES))]
    except (ValueError, TypeError):
        raise BadRelease(f"{FOLDER.format(id=release.id)}{CASES} is damaged: it cannot be read as cases") from None


def staged(store: Store) -> Iterator[str]:
    """The ids of whole releases."""
    yield from (id for id, path in _files(store) if path == MANIFEST)


def listed(store: Store) -> Iterator[tuple[str, Manifest | BadRelease]]:
    """Every release with what it consists of, or with what is wrong with its manifest: a damaged one hides no other. There
    may be hundreds, so a few are read at a time."""
    ids, found = list(staged(store)), dict[str, Manifest | BadRelease]()

    def look(id: str) -> None:
        try:
            found[id] = read(store, id)
        except BadRelease as error:
            found[id] = error
        except NoSuchRelease:
            pass  # it was deleted meanwhile

    each(look, ids, "listed", lambda what, done, total: None)
    yield from ((id, found[id]) for id in ids if id in found)


def begun(store: Store) -> Iterator[str]:
    """The ids of all of which there is anything: whole ones, half staged ones, half deleted ones."""
    yield from dict.fromkeys(id for id, _ in _files(store))


def _files(store: Store) -> Iterator[tuple[str, str]]:
    """Ids and paths."""
    for name in store.names("releases/"):
        _, id, *path = name.split("/", 2)
        if path and ID.fullmatch(id):
            yield id, path[0]


def create(store: Store, name: str, content: bytes, path: str) -> bool:
    """Writes an object unless it is there already; returns whether it was lacking. Raises BadRelease when another one is
    there."""
    types = {"content_type": manifest.content_type(path), "cache_control": manifest.cache_control(path)}
    lacking = False
    while True:
        try:
            if store.read(name)[0] == content:
                return lacking
            raise BadRelease(f"{name} was changed: it is not what was staged")
        except FileNotFoundError:
            lacking = True
        with suppress(Conflict):
            store.write(name, content, if_match=None, **types)
            return True


def each(step: Callable[[str], object], paths: list[str], what: str, progress: Progress) -> None:
    """Does it for all of them, a few at a time, and raises what the first one raised that failed."""
    with ThreadPoolExecutor(AT_A_TIME, "release") as pool:
        for done, _ in enumerate(pool.map(step, paths), 1):
            progress(what, done, len(paths))
