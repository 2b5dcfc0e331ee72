"""Reads what a person pasted to have it traced: a customer's link, its token, or a job's id."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from dispatch.models import TOKEN, UID

AROUND = "<>()[]{}\"'`“”‘’«»‹›„.,;:!?*|\\"
"""What mails, chats and sentences put around a link. None of it can be its first or last character."""
USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Asked:
    """`name` is a token, or the id of a job. `insecure_origin` is set when the link begins with http: and customers' links
    with https:."""

    name: str = ""
    said: str = ""
    insecure_origin: str = ""


class NoLink(ValueError):
    """Nothing that could be traced. The message shows nothing of it: there may be a token in it."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.remedy = remedy


def read(what: str, public_origin: str) -> Asked:
    """Raises NoLink."""
    text = "".join(what.split()).strip(AROUND)  # a mail may have broken it into two lines
    if "/" not in text:
        if UID.fullmatch(text) or TOKEN.fullmatch(text):
            return Asked(text, "may be a token or a job's id")
        raise NoLink("this is neither a link, nor a token, nor a job's id", "copy the link from the job on the board")
    if "://" not in text:
        text = f"{public_origin}{text}" if text.startswith("/") else f"{urlsplit(public_origin).scheme}://{text}"
    return _of_link(_parts(text), public_origin)


def _of_link(parts: SplitResult, public_origin: str) -> Asked:
    kind, _, token = parts.path.strip("/").partition("/")
    if kind != "track" or not TOKEN.fullmatch(token):
        raise NoLink(
            f"this is no tracking link: expected {public_origin}/track/<token>",
            "ask the customer for the whole link, or look the job up and copy its link",
        )
    origin = _origin(parts)
    if origin == public_origin:
        return Asked(token, "has the shape of a tracking link")
    if public_origin.startswith("https:") and origin == public_origin.replace("https:", "http:", 1):
        return Asked(token, "has the shape of a tracking link, with http: instead of https:", origin)
    raise NoLink(
        f"the link leads to {origin}, customers' links to {public_origin}",
        "set PUBLIC_ORIGIN to where customers go, and send the link again",
    )


def _parts(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise NoLink("this is no address that can be read", "copy the link from the job on the board") from None
    return parts


def _origin(parts: SplitResult) -> str:
    """As settings have it: in small letters, without the usual port and whatever stands before an @."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = "" if parts.port in {None, USUAL_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
