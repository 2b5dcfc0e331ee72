from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine

from dispatch import flow
from dispatch.messages import reminders, sms
from dispatch.messages.sending import Sender
from dispatch.models import Board, Job, Message, OptOut
from tests.factories import make_job

PHONE, EMAIL = "+13035550123", "mia@example.com"
EVENING = datetime(2026, 5, 4, 23, 30, tzinfo=UTC)  # 17:30 in Denver on Monday
TUESDAY = datetime(2026, 5, 5, 15, tzinfo=UTC)  # 9:00 there


def scheduled(board, begins=TUESDAY, **fields) -> Job:
    window = {"window_start": begins, "window_end": begins + timedelta(hours=2)}
    return make_job(board, **{"status": "scheduled", "customer_phone": PHONE} | window | fields)


def keys() -> list[str]:
    return sorted(Message.objects.values_list("dedupe_key", flat=True))


def test_who_has_a_window_tomorrow_gets_one_row(board):
    job = scheduled(board)

    assert reminders.queue(EVENING) == 1

    [message] = Message.objects.all()
    assert message.dedupe_key == f"{job.uid}:reminder:2026-05-05:sms"
    assert (message.kind, message.recipient, message.status) == ("reminder", PHONE, "queued")
    assert (message.send_after, message.expires_at) == (EVENING, datetime(2026, 5, 5, 6, tzinfo=UTC))


def test_any_number_of_workers_may_do_it_any_number_of_times(board):
    job = scheduled(board)

    assert [reminders.queue(EVENING + timedelta(minutes=minute)) for minute in range(3)] == [1, 0, 0]
    assert keys() == [f"{job.uid}:reminder:2026-05-05:sms"]


@pytest.mark.parametrize(
    ("begins", "reminded"),
    [
        (datetime(2026, 5, 5, 5, 59, tzinfo=UTC), 0),  # 23:59 today
        (datetime(2026, 5, 5, 6, tzinfo=UTC), 1),
        (datetime(2026, 5, 6, 5, 59, tzinfo=UTC), 1),
        (datetime(2026, 5, 6, 6, tzinfo=UTC), 0),
    ],
)
def test_tomorrow_is_a_day_of_the_board(board, begins, reminded):
    scheduled(board, begins)

    assert reminders.queue(EVENING) == reminded


@pytest.mark.parametrize(("local", "reminded"), [(time(16, 59), 0), (time(17), 1), (time(23, 59), 1)])
def test_from_five_in_the_evening_on(board, local, reminded):
    scheduled(board)

    assert reminders.queue(datetime.combine(date(2026, 5, 4), local, tzinfo=board.zone)) == reminded


@pytest.mark.parametrize(
    ("status", "reminded"),
    [("requested", 0), ("scheduled", 1), ("ready_for_pickup", 1), ("en_route", 0), ("completed", 0), ("cancelled", 0)],
)
def test_only_what_is_going_to_happen(board, status, reminded):
    scheduled(board, status=status)

    assert reminders.queue(EVENING) == reminded


@pytest.mark.parametrize("fields", [{"customer_notify": False}, {"customer_phone": "", "customer_email": ""}])
def test_nobody_who_is_not_to_be_told(board, fields):
    scheduled(board, **fields)

    assert (reminders.queue(EVENING), keys()) == (0, [])


def test_a_board_that_is_switched_off_reminds_nobody(board):
    scheduled(board)
    Board.objects.update(messages_on=False)

    assert (reminders.queue(EVENING), keys()) == (0, [])


def test_who_opted_out_of_texts_is_asked_no_second_time(board):
    OptOut.objects.create(channel="sms", address=PHONE)
    scheduled(board)

    assert [reminders.queue(EVENING), reminders.queue(EVENING)] == [1, 0]
    assert [message.status for message in Message.objects.all()] == ["suppressed"]


def test_a_window_that_is_moved_to_another_day_has_another_reminder(board):
    job = scheduled(board)
    reminders.queue(EVENING)
    begins = TUESDAY + timedelta(days=1)
    flow.edit(job, {"window_start": begins, "window_end": begins + timedelta(hours=2)}, expect=job.seq, by="Ana")

    assert reminders.queue(EVENING) == 0
    reminders.queue(EVENING + timedelta(days=1))

    assert keys() == [f"{job.uid}:reminder:2026-05-05:sms", f"{job.uid}:reminder:2026-05-06:sms"]


def test_each_board_has_its_own_evening(board):
    tokyo = Board.objects.create(slug="tokyo", name="Tokyo", timezone="Asia/Tokyo")
    here, there = scheduled(board), scheduled(tokyo, datetime(2026, 5, 6, 0, tzinfo=UTC))

    reminders.queue(EVENING)  # 8:30 on the 5th in Tokyo
    assert keys() == [f"{here.uid}:reminder:2026-05-05:sms"]
    reminders.queue(EVENING + timedelta(hours=9))

    assert f"{there.uid}:reminder:2026-05-06:sms" in keys()


@pytest.mark.parametrize("jobs", [1, 12])
def test_it_takes_the_same_queries_however_many_there_are(board, jobs, django_assert_num_queries):
    for number in range(3):
        other = Board.objects.create(slug=f"b{number}", name="Other", timezone="America/Denver")
        for _ in range(jobs):
            scheduled(other)

    with django_assert_num_queries(3):  # boards, jobs, rows
        reminders.queue(EVENING)
    assert Message.objects.count() == 3 * jobs


class TestSending:
    @pytest.fixture
    def taken(self, monkeypatch):
        taken = []

        class Phone:
            def send(self, to, text, dedupe_key):
                taken.append(to)
                return ""

        monkeypatch.setattr(sms, "provider", Phone)
        return taken

    def send(self, now):
        Message.objects.update(send_after=datetime(2001, 1, 1, tzinfo=UTC))
        with time_machine.travel(now, tick=False):
            Sender("sms", "w1").batch()
        return list(Message.objects.filter(channel="sms").values_list("status", flat=True))

    def test_it_goes_out_the_same_evening(self, board, taken):
        scheduled(board)
        reminders.queue(EVENING)

        assert (self.send(EVENING), taken) == (["sent"], [PHONE])

    @pytest.mark.parametrize("change", ["moved away", "taken out", "under way", "the day has come"])
    def test_it_does_not_when_it_is_not_true_any_more(self, board, taken, change):
        job, now = scheduled(board), EVENING
        reminders.queue(EVENING)
        later = TUESDAY + timedelta(days=3)
        if change == "moved away":
            flow.edit(job, {"window_start": later, "window_end": later + timedelta(hours=1)}, expect=job.seq, by="Ana")
        if change == "taken out":
            flow.edit(job, {"window_start": None, "window_end": None}, expect=job.seq, by="Ana")
        if change == "under way":
            flow.move(job, "en_route", expect=job.seq, by="Ana", channel="board")
            Message.objects.update(status="queued")  # written down while the job moved
        if change == "the day has come":
            now = TUESDAY
            Message.objects.update(expires_at=TUESDAY + timedelta(days=1))

        assert (self.send(now), taken) == (["suppressed"], [])

    def test_a_window_that_was_moved_away_and_back_is_true_again(self, board, taken):
        job = scheduled(board)
        reminders.queue(EVENING)
        for begins in (TUESDAY + timedelta(days=3), TUESDAY):
            window = {"window_start": begins, "window_end": begins + timedelta(hours=1)}
            job = flow.edit(job, window, expect=job.seq, by="Ana")

        assert (self.send(EVENING), taken) == (["sent"], [PHONE])

    def test_in_the_quiet_hours_it_goes_by_e_mail(self, board, taken, mailoutbox):
        scheduled(board, customer_email=EMAIL)
        night = datetime(2026, 5, 5, 4, tzinfo=UTC)  # 22:00
        reminders.queue(night)

        assert (self.send(night), taken) == (["suppressed"], [])
        assert [row.status for row in Message.objects.filter(channel="email")] == ["queued"]
