"""A holder whose process has ended, and places that are left to it: what a kill leaves behind."""

import json
import os

from edge import holders


def ended() -> str:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, holders.new().encode())
        os._exit(0)
    os.waitpid(child, 0)
    holder = os.read(ours, 200).decode()
    os.close(ours)
    os.close(theirs)
    return holder


def leave(store, place: str, holder: str) -> None:
    """Whoever was at it there, it was `holder`."""
    name = f"{place}/release.json"
    content, etag = store.read(name)
    facts = json.dumps(json.loads(content) | {"holder": holder}).encode()
    store.write(name, facts, if_match=etag, content_type="application/json", cache_control="no-store")
