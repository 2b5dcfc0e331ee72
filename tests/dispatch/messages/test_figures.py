from datetime import timedelta

from django.utils import timezone

from dispatch.messages import figures, queueing
from dispatch.models import Message, Worker
from tests.factories import make_job


def message(job, channel="sms", **facts):
    row = queueing.rows(job, "booked", by="Ana", at=timezone.now(), event=f"asked:{Message.objects.count()}")[
        channel == "email"
    ]
    for name, value in facts.items():
        setattr(row, name, value)
    row.save()


def test_nothing_is_nothing(db):
    assert figures.read() == figures.Figures({}, {}, {}, 0.0, 0)


def test_what_waits_what_failed_and_what_was_sent(board):
    job, now = make_job(board, customer_phone="+13035550123", customer_email="mia@example.com"), timezone.now()
    message(job, send_after=now - timedelta(seconds=50))
    message(job, send_after=now + timedelta(hours=1))
    message(job, "email", status="sending", send_after=now + timedelta(seconds=30))
    message(job, "email", status="failed", settled_at=now)
    message(job, status="failed", settled_at=now - timedelta(hours=25))
    message(job, status="delivered", sent_at=now - timedelta(hours=23), settled_at=now)
    message(job, status="sent", sent_at=now - timedelta(hours=25))
    message(job, status="cancelled")
    for name, problem in (("w sends sms", "away"), ("w sends email", ""), ("w", "no bucket")):
        Worker.objects.create(name=name, seen_at=now, problem=problem)

    found = figures.read()

    assert (found.waiting, found.failed, found.sent) == ({"sms": 2, "email": 1}, {"email": 1}, {"sms": 1})
    assert 49 < found.oldest_due_seconds < 60
    assert found.troubled == 1


def test_it_takes_the_same_queries_however_much_there_is(board, django_assert_num_queries):
    with django_assert_num_queries(5):
        figures.read()
