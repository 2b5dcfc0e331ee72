"""What may go wrong between a program and its bucket. A fault decides what becomes of one exchange (see exchange.py).

`status(…)`, `unconditional(…)`, `slow_body(…)` and `broken_body(…)` make a fault; the others are faults. None of them lasts
longer than the proxy runs.
"""

import asyncio
from xml.sax.saxutils import escape

from tests.faults.exchange import END_OF_HEAD

CODES = {
    400: "RequestTimeout",
    403: "AccessDenied",
    404: "NoSuchKey",
    409: "ConditionalRequestConflict",
    412: "PreconditionFailed",
    500: "InternalError",
    503: "SlowDown",
}
PIECES = 10


def status(number, code="", *, forward=False):
    """Answers with an error of S3's. With `forward` the request is carried out first, and the answer is a lie."""

    async def fault(exchange):
        if forward:
            await exchange.forward()
        await exchange.answer(error(number, code or CODES[number], exchange.request))

    return fault


async def silence(exchange):
    """Takes the request and never answers."""
    await exchange.client_leaves()


async def reset(exchange):
    """Breaks the connection off (RST) before anything is carried out."""
    exchange.hang_up(rudely=True)


async def lost_reply(exchange):
    """Carries the request out and hangs up without a word."""
    await exchange.forward()
    exchange.hang_up()


async def let_through(exchange):
    """No fault: for the first few requests, before those that the next rule is for."""
    await exchange.answer(await exchange.forward())


def unconditional(condition):
    """A server that does not know a condition (`if-match`, `if-none-match`): it ignores the header and says nothing."""

    async def fault(exchange):
        lines = exchange.head.split("\r\n")
        exchange.head = "\r\n".join(line for line in lines if not line.lower().startswith(f"{condition}:"))
        await let_through(exchange)

    return fault


async def held_request(exchange):
    """Carries the request out once the rule is released, even if the client has left by then."""
    await exchange.released.wait()
    await exchange.answer(await exchange.forward())


async def held_reply(exchange):
    """Carries the request out at once and answers when the rule is released."""
    reply = await exchange.forward()
    await exchange.released.wait()
    await exchange.answer(reply)


def slow_body(seconds=1.0):
    """The whole reply, its body in drips."""

    async def fault(exchange):
        head, body = cut(await exchange.forward())
        await drip(exchange, head, body, seconds)

    return fault


def broken_body(seconds=0.1):
    """Half of the reply's body in drips, and then the connection is closed. A reply without a body is lost."""

    async def fault(exchange):
        head, body = cut(await exchange.forward())
        if body:
            await drip(exchange, head, body[: len(body) // 2], seconds)
        exchange.hang_up()

    return fault


def name_of(fault):
    return fault.__qualname__.partition(".")[0]


def cut(reply):
    head, end, body = reply.partition(END_OF_HEAD)
    return head + end, body


async def drip(exchange, head, content, seconds):
    await exchange.answer(head)
    size = len(content) // PIECES + 1
    for start in range(0, len(content), size):
        await asyncio.sleep(seconds / PIECES)
        await exchange.write(content[start : start + size])


def error(number, code, request):
    """A whole reply, as S3 words it; HEAD has no body."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>A test says so</Message><Key>{escape(request.key)}</Key>"
        "<RequestId>4442587FB7D0A2F9</RequestId></Error>"
    ).encode()
    body = b"" if request.method == "HEAD" else body
    head = f"HTTP/1.1 {number} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}"
    return head.encode() + END_OF_HEAD + body
