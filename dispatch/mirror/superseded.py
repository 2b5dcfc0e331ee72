"""Documents that are about to be overwritten although they may know something: they are kept, for a person to look at."""

import hashlib

from .repository import Document, serialise
from .storages import CompareAndSwap, Conflict

FORMAT = "superseded/{uid}/{epoch}-{seq}.json"


def keep(storage: CompareAndSwap, uid: str, document: Document) -> bool:
    """Writes it, beside what is kept already under the same number: a database can be put back more than once. Says
    whether it was not there yet."""
    name, content = FORMAT.format(uid=uid, epoch=document.get("epoch"), seq=document["seq"]), serialise(document)
    digest = hashlib.sha256(content).hexdigest()[:12]
    for free in (name, f"{name.removesuffix('.json')}-{digest}.json"):
        try:
            storage.write(free, content, if_match=None)
        except Conflict:
            if storage.read(free)[0] == content:
                return False
        else:
            return True
    return False
