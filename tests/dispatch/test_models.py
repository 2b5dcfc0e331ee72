from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from dispatch.models import TOKEN, UID, Board, Job, StatusChange, new_token, new_uid, validate_timezone
from tests.factories import make_job


def test_a_new_uid_is_a_ulid():
    uid = new_uid()

    assert len(uid) == 26
    assert set(uid) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert UID.fullmatch(uid)


def test_a_uid_begins_with_the_time_in_milliseconds():
    with time_machine.travel(datetime(2016, 7, 30, 23, 54, 10, 259000, tzinfo=UTC), tick=False):
        uid = new_uid()

    assert uid[:10] == "01ARZ3NDEK"  # the example of the specification


def test_uids_sort_by_time():
    with time_machine.travel(datetime(2026, 5, 4, tzinfo=UTC), tick=False) as clock:
        uids = [new_uid() for _ in range(100) if clock.shift(timedelta(milliseconds=1)) is None]

    assert uids == sorted(uids)
    assert len(set(uids)) == 100


def test_uids_of_the_same_millisecond_differ():
    with time_machine.travel(datetime(2026, 5, 4, tzinfo=UTC), tick=False):
        uids = {new_uid() for _ in range(1000)}

    assert len(uids) == 1000


def test_a_token_has_192_random_bits_and_fits_a_path():
    tokens = {new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {32}
    assert all(TOKEN.fullmatch(token) for token in tokens)


@pytest.mark.parametrize("name", ["America/Denver", "UTC", "Europe/Stockholm"])
def test_a_board_may_be_in_any_iana_time_zone(name):
    assert validate_timezone(name) is None


@pytest.mark.parametrize("name", ["Denver", "MDT+7", "", "../etc/passwd"])
def test_other_time_zones_are_refused(name):
    with pytest.raises(ValidationError) as refused:
        validate_timezone(name)

    assert refused.value.messages == [f"“{name}” is not an IANA time zone such as America/Denver."]


@pytest.mark.parametrize(
    ("timezone", "now", "midnight"),
    [
        ("America/Denver", "2026-05-05T05:59:59+00:00", "2026-05-04T06:00:00+00:00"),
        ("America/Denver", "2026-05-05T06:00:00+00:00", "2026-05-05T06:00:00+00:00"),
        ("America/Denver", "2026-03-08T23:00:00+00:00", "2026-03-08T07:00:00+00:00"),  # clocks went forward at two
        ("America/Denver", "2026-11-01T08:30:00+00:00", "2026-11-01T06:00:00+00:00"),  # the second half past one
        ("America/Havana", "2026-11-01T05:30:00+00:00", "2026-11-01T04:00:00+00:00"),  # midnight comes twice
        ("America/Santiago", "2026-09-06T12:00:00+00:00", "2026-09-06T04:00:00+00:00"),  # there is no midnight
        ("UTC", "2026-05-05T00:00:00+00:00", "2026-05-05T00:00:00+00:00"),
    ],
)
def test_today_began_at_the_boards_midnight(timezone, now, midnight):
    board = Board(timezone=timezone)

    began = board.midnight(datetime.fromisoformat(now))

    assert began.astimezone(UTC).isoformat() == midnight


def test_numbers_are_taken_in_turn_and_several_at_once(board):
    taken = [
        Board.objects.take_numbers(board.pk),
        Board.objects.take_numbers(board.pk, 3),
        Board.objects.take_numbers(board.pk),
    ]

    board.refresh_from_db()
    assert taken == [1, 4, 5]
    assert board.seq == 5


def test_each_board_counts_for_itself(board):
    other = Board.objects.create(slug="boulder", name="Boulder")
    make_job(board)

    job = make_job(other)

    assert job.seq == 1


def test_a_job_is_behind_until_its_copy_has_its_number(job):
    before = list(Job.objects.behind())

    Job.objects.mark_mirrored(job.pk, job.seq)

    assert (before, list(Job.objects.behind())) == ([job], [])


def test_a_mark_that_comes_late_never_lowers_what_is_mirrored(job):
    Job.objects.filter(pk=job.pk).update(seq=8)
    Job.objects.mark_mirrored(job.pk, 7)

    Job.objects.mark_mirrored(job.pk, 6)

    job.refresh_from_db()
    assert job.mirrored_seq == 7


def test_a_mark_above_the_jobs_own_number_says_nothing(job):
    """Its copy was made before the database was put back: the numbers up to it are to be given again."""
    Job.objects.mark_mirrored(job.pk, job.seq + 1)

    job.refresh_from_db()
    assert job.mirrored_seq == 0


def test_querysets_keep_to_their_board(board, job):
    other = Board.objects.create(slug="boulder", name="Boulder")
    elsewhere = make_job(other)

    assert list(Job.objects.on_board("main")) == [job]
    assert list(Job.objects.in_column(other.pk, "requested")) == [elsewhere]
    assert list(Job.objects.changed_since(board.pk, 0)) == [job]
    assert list(Job.objects.changed_since(board.pk, job.seq)) == []


@pytest.mark.parametrize("change", [{"status": "lost"}, {"uid": "taken"}, {"token": "taken-token"}, {"seq": 1}])
def test_the_database_refuses_what_no_job_may_be(board, change):
    make_job(board, uid="taken", token="taken-token")
    job = make_job(board)

    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**change)


@pytest.mark.parametrize("owner", ["board", "job"])
def test_a_job_is_never_deleted_with_what_it_belongs_to(board, job, owner):
    with pytest.raises(IntegrityError):
        {"board": board, "job": job}[owner].delete()


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"window_start": datetime(2026, 5, 4, tzinfo=UTC)}, {"window_end": ["A window needs both a start and an end."]}),
        (
            {"window_start": datetime(2026, 5, 4, tzinfo=UTC), "window_end": datetime(2026, 5, 4, tzinfo=UTC)},
            {"window_end": ["The window ends before it starts."]},
        ),
        ({"crew": "Dee"}, {"crew": ["Expected a list of names."]}),
        ({"crew": ["Dee", " "]}, {"crew": ["Expected a list of names."]}),
        ({"crew": None}, {"crew": ["This field cannot be null."]}),
        ({"notes": None}, {"notes": ["This field cannot be null."]}),
        ({"notes": "a\0b"}, {"notes": ["Null characters are not allowed."]}),
        ({"location": ""}, {"location": ["This field cannot be blank."]}),
        ({"price": Decimal("-1")}, {"price": ["Ensure this value is greater than or equal to 0."]}),
        ({"load_eighths": 65}, {"load_eighths": ["Ensure this value is less than or equal to 64."]}),
        ({"uid": "no spaces"}, {"uid": ["Enter a valid value."]}),
        ({"token": "short"}, {"token": ["Enter a valid value."]}),
        ({"service": "moving"}, {"service": ["Value 'moving' is not a valid choice."]}),
    ],
)
def test_a_job_says_what_is_wrong_with_it(fields, problems):
    job = Job(**{"location": "1428 Elm St"} | fields)

    with pytest.raises(ValidationError) as refused:
        job.full_clean(exclude={"board", "seq", "rank"}, validate_unique=False, validate_constraints=False)

    assert refused.value.message_dict == problems


def test_the_tracking_link_has_the_configured_origin(settings):
    settings.PUBLIC_ORIGIN = "https://quickdumpnow.example"

    assert Job(token="abc").tracking_link == "https://quickdumpnow.example/track/abc"


def test_names_for_people():
    assert str(Board(name="QuickDumpNow Denver")) == "QuickDumpNow Denver"
    assert str(Job(uid="1", location="Soderblom Ave")) == "Soderblom Ave (1)"
    assert str(StatusChange(to_status="requested")) == "born → requested"
    assert str(StatusChange(from_status="requested", to_status="scheduled")) == "requested → scheduled"
