from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dispatch.models import Message
from tests.factories import make_job

BEFORE, AFTER = "0008_idempotent_answers", "0011_every_message_has_a_board"
NOON = datetime(2026, 5, 4, 18, tzinfo=UTC)


def migrate(name: str):
    """Returns the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate([("dispatch", name)])
    return executor.loader.project_state([("dispatch", name)]).apps


@pytest.fixture
def earlier(transactional_db):
    """Models of the time when every message was about a job."""
    yield migrate(BEFORE)
    migrate(AFTER)


@pytest.fixture
def board(transactional_db, board):
    return board


def a_message(model, job, key="1", **fields):
    moments = dict.fromkeys(("created_at", "send_after", "expires_at"), NOON)
    return model.objects.create(job_id=job.pk, kind="link", channel="sms", dedupe_key=key, seq=1, **moments | fields)


def test_messages_that_are_there_get_the_board_of_their_job_and_lose_nothing(board, earlier):
    job = make_job(board)
    a_message(earlier.get_model("dispatch", "Message"), job, body="Hello", status="sent")

    migrate(AFTER)

    message = Message.objects.get()
    assert (message.board, message.job, message.about, message.topic) == (board, job, "", "")
    assert (message.body, message.status, message.send_after) == ("Hello", "sent", NOON)


def test_there_is_a_way_back_on_which_only_what_is_about_no_job_is_lost(board, earlier):
    migrate(AFTER)
    a_message(Message, make_job(board), board=board)
    Message.objects.create(
        board=board, about="member:1", kind="crew_sign_in", channel="sms", dedupe_key="2", seq=0,
        created_at=NOON, send_after=NOON, expires_at=NOON,
    )  # fmt: skip

    old = migrate(BEFORE).get_model("dispatch", "Message")

    assert list(old.objects.values_list("dedupe_key", flat=True)) == ["1"]
