"""Hops of a trace: the server behind the API."""

from django.conf import settings

from qdn import socket_probe
from qdn.tracing_hops import Broken, Sought, fetch, parse

SERVER_LOG = "look at the server's log"
SAME_DATABASE = "is the server on the same database? Check DATABASE_URL and API_ORIGIN"


def api(sought: Sought) -> str:
    origin = settings.API_ORIGIN
    path = f"/api/v1/track/{sought.token}"
    answer = fetch(origin, path, "API_ORIGIN and the server", Origin=settings.PUBLIC_ORIGIN)
    if answer.status == 404:
        raise Broken(f"{origin} does not know the link", SAME_DATABASE)
    if answer.status != 200:
        raise Broken(f"{origin}/api/v1/track/… answers {answer.status}", SERVER_LOG)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    if origin != settings.PUBLIC_ORIGIN and allowed != settings.PUBLIC_ORIGIN:
        raise Broken(
            f"browsers on {settings.PUBLIC_ORIGIN} may not read its answer",
            "the server must have the same PUBLIC_ORIGIN, and no proxy may drop Access-Control-Allow-Origin",
        )
    found = parse(answer.body)
    if found is None:
        raise Broken(f"{origin}/api/v1/track/… answers something else than a job", "check API_ORIGIN")
    if sought.job and found["seq"] < sought.job.seq:
        raise Broken(f"the API has change {found['seq']}, the database {sought.job.seq}", SAME_DATABASE)
    return f"answers with change {found['seq']}"


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
