"""Deletes releases that are nowhere and that nobody will go back to. Assets of production stay: a page that is open on some
phone still names them.
"""

from . import pointer, releases
from .releases import FOLDER, MANIFEST, PRUNED
from .store import EdgeError, Store

PLACES = (pointer.PRODUCTION, pointer.STAGING)


def prune(store: Store, keep: int) -> list[str]:
    """Keeps what is in production or staging or on the way there, and of each the `keep` releases that were there last, the
    one that is there now among them. Goes on with what was interrupted. Returns the ids that it deleted. Raises
    EdgeError."""
    if keep < 1:
        raise EdgeError("keep at least one release to go back to")
    known = dict.fromkeys([*releases.staged(store), *releases.half_pruned(store)])
    needed = _needed(store, keep)
    return [id for id in known if id not in needed and _delete(store, id, keep)]


def _needed(store: Store, keep: int) -> set[str | None]:
    needed: set[str | None] = set()
    for place in PLACES:
        now = pointer.read(store, place)
        latest = dict.fromkeys([now.release, *(entry.to for entry in reversed(now.history))])
        needed |= {now.to, *list(latest)[:keep]}
    return needed


def _delete(store: Store, id: str, keep: int) -> bool:
    """Without its manifest it is no release. Whoever declared it to be on its way before that is let have it: a promotion
    reads the manifest again after it has declared itself, so one of both sees the other."""
    folder = FOLDER.format(id=id)
    kept = None
    if store.etag(folder + PRUNED) is None:
        releases.create(store, folder + PRUNED, b"{}", PRUNED)
    if store.etag(folder + MANIFEST) is not None:
        kept = store.read(folder + MANIFEST)[0]
        store.delete(folder + MANIFEST)
    if id in _needed(store, keep):
        if kept:
            releases.create(store, folder + MANIFEST, kept, MANIFEST)
        store.delete(folder + PRUNED)
        return False
    for name in [name for name in store.names(folder) if name != folder + PRUNED]:
        store.delete(name)
    store.delete(folder + PRUNED)
    return True
