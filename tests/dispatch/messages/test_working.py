import logging
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from dispatch import links
from dispatch.messages import queueing, reminders, sending, sms, working
from dispatch.messages.failures import Transient, Unreachable
from dispatch.mirror import working as mirror_working
from dispatch.models import Message, OptOut, Worker
from tests.factories import make_job
from tests.waiting import wait_for

PHONE, EMAIL = "+13035550123", "mia@example.com"


class Phone:
    def __init__(self):
        self.taken, self.away, self.asked, self.list = [], None, 0, []

    def send(self, to, text, dedupe_key):
        self.asked += 1
        if self.away:
            raise self.away
        self.taken.append(dedupe_key)
        return f"id-{len(self.taken)}"

    def opted_out(self):
        return iter(self.list)


@pytest.fixture
def phone(monkeypatch):
    made = Phone()
    monkeypatch.setattr(sms, "provider", lambda: made)
    return made


@pytest.fixture
def quick(monkeypatch):
    """Pauses cut short."""
    monkeypatch.setattr(working, "INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(working, "CHORES_SECONDS", 0.05)
    monkeypatch.setattr(working, "pause_after", lambda failures: 0.02)
    monkeypatch.setattr(sending, "SOON_SECONDS", 0.0)
    monkeypatch.setattr(mirror_working, "INTERVAL_SECONDS", 0.01)


@pytest.fixture
def board(board):
    board.quiet_until = board.quiet_from
    board.save()
    return board


def queued(board, number=1, **fields):
    job = make_job(board, **{"customer_phone": PHONE} | fields)
    for _ in range(number):
        queueing.queue(job, "link", by="Ana", at=timezone.now(), event=f"asked:{Message.objects.count()}")


@pytest.mark.django_db(transaction=True)
class TestRun:
    @pytest.fixture
    def worker(self, phone, quick):
        stop = threading.Event()
        thread = threading.Thread(target=working.run, args=(stop,))
        thread.stop = stop
        yield thread
        stop.set()
        thread.join(60)
        assert not thread.is_alive()

    def test_it_sends_what_is_due_until_it_is_stopped(self, board, worker, phone, mailoutbox):
        worker.start()
        queued(board, 3)
        queued(board, customer_phone="", customer_email=EMAIL)

        wait_for(lambda: Message.objects.filter(status="sent").count() == 4, "all are sent")
        wait_for(lambda: Worker.objects.sending().count() == 2, "it shows itself")
        assert Worker.objects.at_work().count() == 0  # of those that copy jobs
        worker.stop.set()
        worker.join(60)

        assert (len(set(phone.taken)), len(mailoutbox), Worker.objects.count()) == (3, 1, 0)

    @pytest.mark.parametrize("away", [Unreachable("cannot reach SNS"), Transient("the connection broke off")])
    def test_it_says_once_that_the_provider_is_away_and_once_that_it_is_back(self, board, worker, phone, caplog, away):
        caplog.set_level(logging.INFO, "dispatch.messages")
        phone.away = away
        queued(board, 12)
        worker.start()

        wait_for(lambda: phone.asked >= 12, "many tries")
        problem = wait_for(lambda: Worker.objects.exclude(problem="").first(), "it shows the problem")
        said_while_away = list(caplog.messages)
        phone.away = None
        Message.objects.filter(status="queued").update(send_after=timezone.now())
        wait_for(lambda: Message.objects.filter(status="sent").exists(), "it sends again")
        wait_for(lambda: "again after" in caplog.messages[-1], "it says so")
        wait_for(lambda: not Worker.objects.exclude(problem="").exists(), "the alarm is over")

        assert said_while_away == [f"messages: cannot send by sms, trying again: {away}"]
        assert (problem.name.endswith(" sends sms"), problem.problem) == (True, str(away))
        assert len(caplog.messages) == 2

    def test_an_outage_of_one_channel_does_not_stop_the_other(self, board, worker, phone, mailoutbox):
        phone.away = Unreachable("cannot reach SNS")
        queued(board, 3)
        queued(board, 3, customer_phone="", customer_email=EMAIL)
        worker.start()

        wait_for(lambda: len(mailoutbox) == 3, "the e-mails are sent")

        assert phone.taken == []

    def test_it_survives_a_lost_database(self, board, worker, phone, monkeypatch, caplog):
        batch, lost = sending.Sender.batch, [OperationalError("server closed the connection")] * 2

        def batch_or_fail(self):
            if lost:
                raise lost.pop()
            return batch(self)

        monkeypatch.setattr(sending.Sender, "batch", batch_or_fail)
        queued(board)
        worker.start()

        wait_for(lambda: phone.taken, "it is sent")

        assert "server closed the connection" in caplog.messages[0]
        assert "Traceback" not in caplog.text

    def test_a_mistake_of_ours_ends_no_worker(self, board, worker, phone, monkeypatch, caplog):
        batch, mistakes = sending.Sender.batch, [KeyError("oops")] * 2

        def batch_or_fail(self):
            if mistakes:
                raise mistakes.pop()
            return batch(self)

        monkeypatch.setattr(sending.Sender, "batch", batch_or_fail)
        queued(board)
        worker.start()

        wait_for(lambda: phone.taken, "it is sent")

        assert "messages: a mistake of ours" in caplog.messages

    def test_switched_off_nothing_is_touched(self, board, worker, phone, settings):
        settings.MESSAGES = False
        queued(board)
        worker.start()
        wait_for(lambda: Worker.objects.sending().count() == 2, "it lives")

        before = Message.objects.values().get()
        wait_for(lambda: Worker.objects.sending().filter(problem="").count() == 2, "it went round")

        assert (Message.objects.values().get(), phone.asked) == (before, 0)

    def test_it_does_the_chores_too(self, board, worker, phone, monkeypatch):
        monkeypatch.setattr(working, "OPT_OUTS_SECONDS", 0)
        done = []
        monkeypatch.setattr(links, "close_ended", lambda: done.append("links"))
        monkeypatch.setattr(reminders, "queue", lambda: done.append("reminders"))
        phone.list = [PHONE]
        worker.start()

        wait_for(lambda: {"links", "reminders"} <= set(done), "links and reminders")
        wait_for(lambda: OptOut.objects.filter(address=PHONE).exists(), "opt-outs")

    def test_it_stops_at_once_while_it_waits(self, board, worker, phone, monkeypatch):
        monkeypatch.setattr(working, "pause_after", lambda failures: 60)
        phone.away = Unreachable("cannot reach SNS")
        queued(board)
        worker.start()
        wait_for(lambda: Worker.objects.exclude(problem="").exists(), "it waits")

        worker.stop.set()
        worker.join(30)

        assert not worker.is_alive()


@pytest.mark.django_db(transaction=True)
class TestLine:
    """Turn by turn."""

    def line(self):
        return working.Line("sms", "w1", threading.Event())

    def test_a_full_batch_is_followed_by_the_next_without_a_pause(self, board, phone, monkeypatch):
        monkeypatch.setattr(sending, "BATCH", 2)
        monkeypatch.setattr(working, "BATCH", 2)
        queued(board, 3)
        line = self.line()

        assert [line.turn(), line.turn()] == [0, working.INTERVAL_SECONDS]

    def test_the_pause_grows_while_nothing_goes_out(self, board, phone, monkeypatch):
        monkeypatch.setattr(working, "pause_after", lambda failures: failures)
        monkeypatch.setattr(sending, "SOON_SECONDS", 0.0)
        phone.away = Unreachable("cannot reach SNS")
        queued(board)
        line = self.line()
        Message.objects.update(send_after=timezone.now() - timedelta(minutes=1))

        pauses = []
        for _ in range(3):
            pauses.append(line.turn())
            Message.objects.update(send_after=timezone.now() - timedelta(minutes=1))

        assert pauses == [1, 2, 3]

    def test_it_does_not_where_a_provider_just_wants_us_to_slow_down(self, board, phone, monkeypatch, caplog):
        caplog.set_level(logging.INFO, "dispatch.messages")
        monkeypatch.setattr(working, "pause_after", lambda failures: failures)
        monkeypatch.setattr(sending, "AT_ONCE", 1)
        answers = [None, *[Unreachable("slow down")] * 3] * 3

        def send(to, text, dedupe_key):
            if answer := answers.pop(0):
                raise answer
            return ""

        phone.send = send
        queued(board, 20)
        line = self.line()
        Message.objects.update(send_after=timezone.now() - timedelta(minutes=1))

        assert [line.turn(), line.turn(), line.turn()] == [1, 1, 1]
        assert caplog.messages == ["messages: cannot send by sms, trying again: slow down"]

    def test_silence_is_no_proof_that_the_provider_is_back(self, board, phone):
        phone.away = Unreachable("cannot reach SNS")
        queued(board)
        line = self.line()
        line.turn()
        Message.objects.update(status="cancelled")

        line.turn()

        assert Worker.objects.get().problem == "cannot reach SNS"


class TestChores:
    def test_a_chore_that_fails_says_so_once_and_holds_up_no_other(self, caplog):
        caplog.set_level(logging.INFO, "dispatch.messages")
        chores, broken = working.Chores(), [OSError("no route to host")] * 2

        def chore():
            if broken:
                raise broken.pop()

        for _ in range(4):
            chores.do("ask who opted out", chore)

        assert caplog.messages == [
            "messages: cannot ask who opted out, trying again: OSError: no route to host",
            "messages: can ask who opted out again",
        ]

    def test_every_minute_there_are_these(self, monkeypatch):
        chores, stop, done = working.Chores(), threading.Event(), []
        monkeypatch.setattr(working, "CHORES_SECONDS", 0.001)
        monkeypatch.setattr(working.Chores, "do", lambda self, what, chore: (done.append(what), stop.set()))

        chores.run(stop)

        assert done == [
            "close links that have ended", "forget old answers", "queue reminders", "queue the crews' plans of tomorrow",
        ]  # fmt: skip

    def test_who_opted_out_at_the_provider_opted_out_here(self, board, phone):
        job = make_job(board, customer_phone=PHONE)
        phone.list = [PHONE, "not a number"]

        working.ask_who_opted_out()
        working.ask_who_opted_out()

        job.refresh_from_db()
        assert list(OptOut.objects.values_list("channel", "address", "reason")) == [("sms", PHONE, "stop")]
        assert job.opted_out == ["sms"]


@pytest.mark.django_db(transaction=True)
def test_the_command_copies_and_sends_and_ends_both_when_one_is_over(board, phone, quick, monkeypatch):
    ended = []
    monkeypatch.setattr(mirror_working, "run", lambda stop: wait_for(lambda: phone.taken, "the other part sends"))
    run = working.run
    monkeypatch.setattr(working, "run", lambda stop: (run(stop), ended.append(stop.is_set())))
    queued(board)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signal.signal", lambda *_: None)
        call_command("worker")

    assert ended == [True]
