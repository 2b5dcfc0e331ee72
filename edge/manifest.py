"""What a release consists of. Its id follows from its content: the same files are the same release, whoever stages them.

    {"id", "files": {path: {"sha256", "size"}}}

Paths are those of the site: `track.html`, `static/tracking/track.0f3a….js`. `function.js` is the edge function, which is
released with the pages that it leads to and is no page itself; `cases.json` is what that function has to do.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from .store import EdgeError

ID = re.compile(r"[0-9a-f]{16}")
PATH = re.compile(r"(?!.*(?:^|/)\.)[A-Za-z0-9_.@/-]{1,200}")
OURS = {"release.json", "manifest.json", "pruned.json"}
"""What stands beside the files of a place or a release, so that none of them may be called so."""
FUNCTION, CASES = "function.js", "cases.json"
TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json", ".txt": "text/plain; charset=utf-8",
    ".ico": "image/x-icon", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2",
}  # fmt: skip
FOREVER, ASK_AGAIN = "public, max-age=31536000, immutable", "public, max-age=0, s-maxage=31536000, must-revalidate"


class BadRelease(EdgeError):
    """The files cannot be a release, or what is stored is not the release that it says."""


@dataclass(frozen=True, slots=True)
class File:
    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    id: str
    files: Mapping[str, File]

    @property
    def pages(self) -> list[str]:
        """What is overwritten by a promotion and invalidated after it."""
        return [path for path in self.files if not is_asset(path) and path not in {FUNCTION, CASES}]

    @property
    def assets(self) -> list[str]:
        return [path for path in self.files if is_asset(path)]

    def as_bytes(self) -> bytes:
        files = {path: {"sha256": file.sha256, "size": file.size} for path, file in sorted(self.files.items())}
        return json.dumps({"id": self.id, "files": files}, indent=1).encode()


def is_asset(path: str) -> bool:
    """Its name has a hash of its content, so it never changes and is never invalidated."""
    return path.startswith("static/")


def is_path(path: str) -> bool:
    return bool(PATH.fullmatch(path)) and PurePosixPath(path).suffix in TYPES and path not in OURS


def content_type(path: str) -> str:
    return TYPES[PurePosixPath(path).suffix]


def cache_control(path: str) -> str:
    """A page may be kept by the edge until it is invalidated; a browser asks again each time."""
    return FOREVER if is_asset(path) else ASK_AGAIN


def of(content: Mapping[str, bytes]) -> Manifest:
    """Raises BadRelease."""
    if bad := [path for path in content if not is_path(path)]:
        raise BadRelease(f"{bad[0]!r} cannot be a file of the site: expected one of {', '.join(TYPES)}")
    if "404.html" not in content:
        raise BadRelease("404.html is missing: every site needs a page for links that lead nowhere")
    files = {path: File(hashlib.sha256(body).hexdigest(), len(body)) for path, body in sorted(content.items())}
    return Manifest(_id(files), files)


def parse(name: str, content: bytes) -> Manifest:
    """Reads a stored manifest. Raises BadRelease when it is damaged or was changed."""
    try:
        document = json.loads(content)
        files = {str(path): File(str(one["sha256"]), int(one["size"])) for path, one in document["files"].items()}
        told = str(document["id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRelease(f"{name} is damaged: it cannot be read as a manifest") from None
    if not all(map(is_path, files)):
        raise BadRelease(f"{name} is damaged: it names files that no site has")
    if _id(files) != told:
        raise BadRelease(f"{name} was changed: its content is release {_id(files)}, not {told}")
    return Manifest(told, files)


def _id(files: Mapping[str, File]) -> str:
    lines = "".join(f"{path} {file.sha256} {file.size}\n" for path, file in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]
