import asyncio

from dispatch import mailbox
from tests.waiting import until


class Wire:
    """The far end of a socket. While `stuck` it takes nothing."""

    def __init__(self):
        self.taken, self.closed = [], []
        self.flows = asyncio.Event()
        self.flows.set()

    async def send(self, text):
        await self.flows.wait()
        self.taken.append(text)

    async def close(self, code):
        self.closed.append(code)


async def test_texts_arrive_in_the_order_in_which_they_were_put():
    wire = Wire()
    box = mailbox.Mailbox(wire.send, wire.close)

    for number in range(100):
        box.put(str(number))
    await until(lambda: len(wire.taken) == 100, "all are taken")
    box.stop()

    assert (wire.taken, wire.closed) == ([str(number) for number in range(100)], [])


async def test_putting_never_waits_for_the_socket():
    wire = Wire()
    wire.flows.clear()
    box = mailbox.Mailbox(wire.send, wire.close)

    for number in range(mailbox.SIZE):
        box.put(str(number))
    wire.flows.set()
    await until(lambda: len(wire.taken) == mailbox.SIZE, "all are taken")
    box.stop()

    assert wire.closed == []


async def test_a_socket_that_takes_nothing_is_hung_up_on_once():
    wire = Wire()
    wire.flows.clear()
    box = mailbox.Mailbox(wire.send, wire.close)

    for number in range(mailbox.SIZE + 50):
        box.put(str(number))
    await until(lambda: wire.closed, "the socket is closed")
    wire.flows.set()
    box.put("too late")
    await asyncio.wait([box._task], timeout=20)

    assert (wire.taken, wire.closed) == ([], [4008])


async def test_a_slow_socket_costs_a_fast_one_nothing():
    slow, fast = Wire(), Wire()
    slow.flows.clear()
    boxes = [mailbox.Mailbox(wire.send, wire.close) for wire in (slow, fast)]

    for number in range(1, 3 * mailbox.SIZE + 1):
        for box in boxes:
            box.put(str(number))
        if number % 64 == 0:
            await until(lambda expected=number: len(fast.taken) == expected, "the fast one has it")
    for box in boxes:
        box.stop()

    assert (slow.closed, fast.closed, len(fast.taken)) == ([4008], [], 3 * mailbox.SIZE)


async def test_a_stopped_mailbox_sends_nothing_more():
    wire = Wire()
    box = mailbox.Mailbox(wire.send, wire.close)

    box.put("unsent")
    box.stop()
    await asyncio.wait([box._task], timeout=20)

    assert (wire.taken, wire.closed, box._task.cancelled()) == ([], [], True)


# --- acknowledging


async def feed(box, wire, numbers):
    """Hands frames over to a server that takes everything at once."""
    for number in numbers:
        box.put(str(number), seq=number)
        if number % 64 == 0:
            await until(lambda expected=number: len(wire.taken) >= expected or wire.closed, "the server has taken it")


async def test_who_acknowledges_and_then_stalls_is_hung_up_on():
    wire = Wire()
    box = mailbox.Mailbox(wire.send, wire.close)
    box.put("1", seq=1)
    box.acknowledge(1)

    await feed(box, wire, range(2, 2 + mailbox.SIZE))
    assert wire.closed == []
    box.put("one too many", seq=1000)
    await until(lambda: wire.closed, "it is hung up on")

    assert wire.closed == [4008]


async def test_who_never_acknowledges_is_left_to_the_server():
    wire = Wire()
    box = mailbox.Mailbox(wire.send, wire.close)

    await feed(box, wire, range(1, 3 * mailbox.SIZE + 1))
    box.stop()

    assert (wire.closed, len(wire.taken)) == ([], 3 * mailbox.SIZE)


async def test_who_acknowledges_now_and_then_keeps_going():
    wire = Wire()
    box = mailbox.Mailbox(wire.send, wire.close)

    for number in range(1, 10 * mailbox.SIZE + 1):
        await feed(box, wire, [number])
        if number % 100 == 0:
            box.acknowledge(number)
    box.stop()

    assert wire.closed == []


async def test_acknowledging_what_was_never_sent_counts_for_nothing():
    wire = Wire()
    box = mailbox.Mailbox(wire.send, wire.close)
    box.acknowledge(10**9)

    await feed(box, wire, range(1, mailbox.SIZE + 2))
    await until(lambda: wire.closed, "it is hung up on")

    assert wire.closed == [4008]
