"""Reads what a person pasted to have it traced: a customer's link, its token, a job's id, or the address of the booking
page."""

from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from dispatch.models import TOKEN, UID
from edge import engine
from qdn.tracing_hops import Visit, of_booking

AROUND = "<>()[]{}\"'`“”‘’«»‹›„.,;:!?*|\\"
"""What mails, chats and sentences put around a link. None of it can be its first or last character."""
USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Asked:
    """`name` is a token, or the id of a job; `booking` is set instead for the booking page. `insecure_origin` is set when
    the link begins with http: and customers' links with https:, `foreign` says what is wrong when its host is not ours."""

    name: str = ""
    said: str = ""
    insecure_origin: str = ""
    booking: Visit | None = None
    foreign: str = ""

    @property
    def is_understood(self) -> bool:
        return bool(self.name or self.booking)


class NoLink(ValueError):
    """Nothing that could be traced. The message shows nothing of it: there may be a token in it."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.remedy = remedy


def read(what: str, public_origin: str) -> Asked:
    """Raises NoLink."""
    text = "".join(what.split()).strip(AROUND)  # a mail may have broken it into two lines
    if text == "book":
        text = "/book"
    if "/" not in text:
        if UID.fullmatch(text) or TOKEN.fullmatch(text):
            return Asked(text, "may be a token or a job's id")
        raise NoLink("this is neither a link, nor a token, nor a job's id", "copy the link from the job on the board")
    if "://" not in text:
        text = f"{public_origin}{text}" if text.startswith("/") else f"{urlsplit(public_origin).scheme}://{text}"
    parts = _parts(text)
    return _under(_origin(parts), public_origin, _of_path(parts.path, public_origin))


def _of_path(path: str, public_origin: str) -> Asked:
    kind, _, token = path.strip("/").partition("/")
    if kind == "book":
        return Asked(said="has the shape of the booking page's address", booking=_booking(f"/{path.strip('/')}"))
    if kind == "track" and TOKEN.fullmatch(token):
        return Asked(token, "has the shape of a tracking link")
    raise NoLink(
        f"this is no tracking link: expected {public_origin}/track/<token>, or {public_origin}/book",
        "ask the customer for the whole link, or look the job up and copy its link",
    )


def _booking(path: str) -> Visit:
    """Which steps there are, the function of this tree knows."""
    uri, query = engine.rewrite(path, "")
    name, _, step = query.partition("=")
    if (uri, name) != ("/book.html", "step"):
        raise NoLink("booking has no such step", "give the link without what stands behind /book")
    return of_booking(path, step)


def _under(origin: str, public_origin: str, asked: Asked) -> Asked:
    if origin == public_origin:
        return asked
    if public_origin.startswith("https:") and origin == public_origin.replace("https:", "http:", 1):
        return replace(asked, said=f"{asked.said}, with http: instead of https:", insecure_origin=origin)
    return replace(asked, foreign=f"the link leads to {origin}, which is not ours: PUBLIC_ORIGIN is {public_origin}")


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
