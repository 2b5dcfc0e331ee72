"""Deletes releases that are nowhere and that nobody will go back to, and what there is of those that were never whole.
Assets of production stay: a page that is open on some phone still names them.
"""

import json
import secrets

from . import manifest, pointer, releases
from .releases import FOLDER, MANIFEST, PRUNED
from .store import Conflict, EdgeError, Store

PLACES = (pointer.PRODUCTION, pointer.STAGING)


def prune(store: Store, keep: int) -> list[str]:
    """Keeps what is in production or staging or on the way there, and of each the `keep` releases that were there last, the
    one that is there now among them. Goes on with what was interrupted. Returns the ids that it deleted. Raises
    EdgeError."""
    if keep < 1:
        raise EdgeError("keep at least one release to go back to")
    begun = list(releases.begun(store))
    needed = _needed(store, keep)
    return [id for id in begun if id not in needed and _delete(store, id, keep)]


def _needed(store: Store, keep: int) -> set[str | None]:
    needed: set[str | None] = set()
    for place in PLACES:
        now = pointer.read(store, place)
        latest = dict.fromkeys([now.release, *(entry.to for entry in reversed(now.history))])
        needed |= {now.to, *list(latest)[:keep]}
    return needed


def _delete(store: Store, id: str, keep: int) -> bool:
    """Without its manifest it is no release. Whoever declared it to be on its way before that is let have it: a promotion
    reads the manifest again after it has declared itself, so one of both sees the other.

    Whoever stages it takes the mark away, and then looks for what is lacking. So what was deleted before that is seen to be
    lacking, and what is deleted after that is put back here: it ends as a whole release, or as none."""
    folder = FOLDER.format(id=id)
    if (mark := _mark(store, folder + PRUNED)) is None:
        return False
    kept = _take_away(store, folder + MANIFEST)
    if id in _needed(store, keep) or store.etag(folder + PRUNED) != mark:
        _put_back(store, folder, MANIFEST, kept)
        store.delete(folder + PRUNED)
        return False
    while paths := [name.removeprefix(folder) for name in store.names(folder) if name != folder + PRUNED]:
        for path in paths:
            content = _take_away(store, folder + path)
            if store.etag(folder + PRUNED) != mark:
                _put_back(store, folder, path, content)
                return False
    store.delete(folder + PRUNED)
    return True


def _mark(store: Store, name: str) -> str | None:
    """Its etag, nobody else's; None when somebody else begins to delete it in this moment."""
    content = json.dumps({"by": secrets.token_hex(8)}).encode()
    types = {"content_type": "application/json", "cache_control": "no-store"}
    try:
        return store.write(name, content, if_match=store.etag(name), **types)
    except Conflict:
        return None


def _take_away(store: Store, name: str) -> bytes | None:
    """What it was. What is not there is left alone: it may be written in this moment."""
    try:
        content, _ = store.read(name)
    except FileNotFoundError:
        return None
    store.delete(name)
    return content


def _put_back(store: Store, folder: str, path: str, content: bytes | None) -> None:
    """A stray file is not missed."""
    if content is not None and (path == MANIFEST or manifest.is_path(path)):
        releases.create(store, folder + path, content, path)
