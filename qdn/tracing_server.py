"""Hops of a trace: the server behind the API."""

import json

from django.conf import settings

from edge import looking
from qdn import socket_probe
from qdn.tracing_hops import Broken, Sought, fetch, parse

SERVER_LOG = "look at the server's log"
SAME_ORIGIN = "the server must have the same PUBLIC_ORIGIN, and no proxy may drop Access-Control-Allow-Origin"
SAME_DATABASE = "is the server on the same database? Check DATABASE_URL and API_ORIGIN"


def api(sought: Sought) -> str:
    origin = settings.API_ORIGIN
    answer = _ask(f"/api/v1/track/{sought.token}")
    if answer.status == 404:
        raise Broken(f"{origin} does not know the link", SAME_DATABASE)
    _may_be_read(answer, "/api/v1/track/…")
    found = parse(answer.body)
    if found is None:
        raise Broken(f"{origin}/api/v1/track/… answers something else than a job", "check API_ORIGIN")
    if sought.job and found["seq"] < sought.job.seq:
        raise Broken(f"the API has change {found['seq']}, the database {sought.job.seq}", SAME_DATABASE)
    return f"answers with change {found['seq']}"


def booking() -> str:
    """What the booking page asks for first, and what a browser asks before it sends one. Nothing is booked."""
    origin, path = settings.API_ORIGIN, "/api/v1/bookings/form"
    answer = _ask(path)
    if answer.status == 404:
        raise Broken(f"{origin}{path} answers 404: there is no board to book on", SAME_DATABASE)
    _may_be_read(answer, path)
    if not _is_form(answer.body):
        raise Broken(f"{origin}{path} answers something else than a form", "check API_ORIGIN")
    if origin != settings.PUBLIC_ORIGIN:
        try:
            problem = looking.may_send(origin, settings.PUBLIC_ORIGIN, "PUBLIC_ORIGIN")
        except looking.Unreachable as error:
            problem = str(error)
        if problem:
            raise Broken(problem, SAME_ORIGIN)
    return "bookings can be sent"


def _ask(path: str) -> looking.Answer:
    return fetch(settings.API_ORIGIN, path, "API_ORIGIN and the server", Origin=settings.PUBLIC_ORIGIN)


def _may_be_read(answer: looking.Answer, path: str) -> None:
    if answer.status != 200:
        raise Broken(f"{settings.API_ORIGIN}{path} answers {answer.status}", SERVER_LOG)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    if settings.API_ORIGIN != settings.PUBLIC_ORIGIN and allowed != settings.PUBLIC_ORIGIN:
        raise Broken(f"browsers on {settings.PUBLIC_ORIGIN} may not read its answer", SAME_ORIGIN)


def _is_form(body: bytes) -> bool:
    try:
        return bool(json.loads(body)["rendered"])
    except (ValueError, KeyError, TypeError):
        return False


def socket(sought: Sought, seconds: float) -> str:
    hello = {"type": "hello", "token": sought.token}
    try:
        answer = socket_probe.ask(settings.API_ORIGIN, hello, settings.PUBLIC_ORIGIN, seconds)
    except socket_probe.NoSocket as error:
        remedy = "let the proxy pass websockets on; pages ask every few seconds meanwhile"
        raise Broken(f"no websocket: {error}", remedy) from None
    match answer:
        case {"type": "state"}:
            return "sends the job"
        case 4004:
            raise Broken("the socket does not know the link", SAME_DATABASE)
        case 4010:
            raise Broken("the socket says that the link has ended", "the job is over: the customer books a new one")
        case 4029:
            raise Broken("too many sockets are open from here or for this link", "close some; pages ask meanwhile")
    raise Broken(f"the socket answers {answer if isinstance(answer, int) else 'something else'}", SERVER_LOG)
