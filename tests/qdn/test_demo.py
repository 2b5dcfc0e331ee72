"""`manage.py demo` as a person uses it: first start, second start, Ctrl-C, and a port that is taken."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from crew import rules, showing
from crew.models import Assignment, Event, Member, Truck
from dispatch import photos
from dispatch.models import Board, Job, Message
from dispatch.statuses import STATUS_FLOW
from qdn import demo_data
from tests.postgres import free_port
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent


def test_the_demo_has_sixty_jobs_over_three_days_in_every_status(db):
    done = []

    demo_data.load(done.append)

    board = Board.objects.get(slug="main")
    days = {
        (job.window_start.astimezone(board.zone).date() - board.midnight().date()).days
        for job in Job.objects.exclude(window_start=None)
    }
    assert (Job.objects.count(), done) == (60, list(range(1, 61)))
    assert set(Counter(Job.objects.values_list("status", flat=True))) == set(STATUS_FLOW)
    assert days <= {-1, 0, 1}
    assert days >= {0, 1}


def test_the_histories_of_the_demo_run_forward_and_along_the_flow(db):
    demo_data.load(lambda done: None)

    for job in Job.objects.prefetch_related("history"):
        steps = list(job.history.all())
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert all(after.to_status in STATUS_FLOW[after.from_status].may_go_to for after in steps[1:])
        assert (steps[0].from_status, steps[-1].to_status) == ("", job.status)


def test_finished_jobs_of_the_demo_have_pictures_of_before_and_after(db):
    demo_data.load(lambda done: None)

    with_photos = [job for job in Job.objects.all() if job.photos]
    kinds = [[photo["kind"] for photo in job.photos] for job in with_photos]
    served = [photos.serve(job, photo["id"], "thumb").content[:2] for job in with_photos for photo in job.photos]
    assert {job.status for job in with_photos} == {"completed"}
    assert (kinds, served) == ([["before", "after"]] * 3, [b"\xff\xd8"] * 6)


def test_the_crews_of_the_demo_have_work_today_and_tomorrow_and_places_to_claim(db):
    demo_data.load(lambda done: None)

    board = Board.objects.get(slug="main")
    events = showing.upcoming(board)
    by_day = Counter((event.starts_at.astimezone(board.zone).date() - board.midnight().date()).days for event in events)
    with_jobs = [event for event in events[:6] if event.outings.exists()]
    asked = Assignment.objects.present().exclude(release_asked_at=None)
    assert (Member.objects.count(), Truck.objects.count(), dict(by_day)) == (8, 3, {0: 3, 1: 3, 2: 2, 3: 1, 4: 1, 6: 1})
    assert len(with_jobs) == 6
    assert Counter(showing.status(event) for event in events) == {"open": 7, "full": 4}
    assert [(one.member.name, one.event.title) for one in asked] == [("Pete Yazzie", "South side")]
    assert [rules.warnings(event) for event in events] == [[]] * len(events)
    assert Member.objects.get(user__username="ben").name == "Ben Okafor"


@pytest.mark.parametrize("hour", [0, 6, 12, 23])
def test_todays_outings_are_under_way_whenever_the_demo_is_started(db, hour):
    now = Board.objects.get(slug="main").midnight() + timedelta(hours=hour, minutes=5)
    with time_machine.travel(now, tick=False):
        demo_data.load(lambda done: None)

        board = Board.objects.get(slug="main")
        under_way = Event.objects.filter(starts_at__lte=now, ends_at__gt=now)
        assert under_way.count() == 3
        assert {event.starts_at.astimezone(board.zone).date() for event in under_way} == {board.midnight(now).date()}


def test_the_demo_writes_to_nobody(db):
    demo_data.load(lambda done: None)

    assert list(Message.objects.filter(status=Message.Status.QUEUED)) == []


def test_a_database_in_use_is_not_new(db, job):
    assert demo_data.is_new() is False


def start(tmp_path, port) -> subprocess.Popen:
    environment = {key: value for key, value in os.environ.items() if key not in {"DJANGO_SETTINGS_MODULE", "DATABASE_URL"}}
    return subprocess.Popen(
        [sys.executable, "-u", "manage.py", "demo"], cwd=ROOT,
        env=environment | {"PORT": str(port), "VAR_DIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def read_until(process, text) -> str:
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            break
    return "".join(lines)


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_starts_twice_and_stops_cleanly(tmp_path, number):
    for first in (True, False):
        port = free_port()
        process = start(tmp_path, port)
        said = read_until(process, "Ctrl-C stops it")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            ready = answer.read()
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)

        assert ready == b"ready\n"
        assert ("Demo data: 60 jobs" in said) is first
        assert f"http://127.0.0.1:{port}/board/main/" in said
        assert f"http://127.0.0.1:{port}/track/" in said
        assert (
            f"Dee Walker's phone, signed in once within 15 minutes:\n              http://127.0.0.1:{port}/crew/sign-in/"
            in said
        )
        assert "ana, ben (dispatchers) or admin; the password is quickdump" in said
        assert (process.returncode, rest.split()) == (0, ["Stopped."])


@pytest.mark.processes
def test_copies_of_an_earlier_database_are_put_aside_and_the_new_one_is_copied(tmp_path):
    (tmp_path / "state" / "boards").mkdir(parents=True)
    (tmp_path / "state" / "boards" / "main.json").write_text('{"slug": "main", "seq": 9, "epoch": "another life"}')
    process = start(tmp_path, free_port())
    try:
        said = read_until(process, "Ctrl-C stops it")
        wait_for(lambda: len(list((tmp_path / "state").glob("jobs/*.json"))) == demo_data.JOBS, "they are copied", 60)
    finally:
        process.terminate()
        process.communicate(timeout=30)

    [aside] = tmp_path.glob("state-*")
    assert [path.name for path in aside.glob("boards/*")] == ["main.json"]
    assert f"The copies of an earlier database are in {aside} now." in said


@pytest.mark.processes
def test_a_taken_port_is_named_with_a_way_out(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said, _ = (process := start(tmp_path, port)).communicate(timeout=30)

    assert said == f"CommandError: port {port}: Address already in use. Choose another: PORT={port + 1} make run\n"
    assert process.returncode == 1
