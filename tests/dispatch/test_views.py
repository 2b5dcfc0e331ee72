import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from dispatch import board as boards
from dispatch.asks import ASKS
from tests.factories import make_job, make_user


def state_of(response) -> dict:
    """The JSON that the page carries for its script."""
    return json.loads(re.search(r'<script id="state" type="application/json">(.*?)</script>', response.text, re.S).group(1))


def test_home_is_the_main_board(client):
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/board/main/")


def test_the_board_asks_a_visitor_to_sign_in(client, board):
    response = client.get("/board/main/")

    assert (response.status_code, response["Location"]) == (302, "/login/?next=/board/main/")


def test_the_board_is_not_for_those_without_the_permission(client, board, stranger):
    client.force_login(stranger)

    assert client.get("/board/main/").status_code == 403


def test_the_page_carries_the_same_state_as_the_api(ana, board):
    make_job(board, status="en_route", location="</script><script>alert(1)</script>")

    response = ana.get("/board/main/")

    assert state_of(response) == ana.get("/api/v1/boards/main").json()
    assert response.text.count("<script") == 3  # its module, its data and its words


def test_the_page_has_the_words_for_what_customers_ask_and_are_told(ana, board):
    text = ana.get("/board/main/").text
    words = json.loads(re.search(r'<script id="kinds" type="application/json">(.*?)</script>', text, re.S).group(1))

    assert list(words["asks"]) == ["reschedule", "cancel", "note", "rating", "no_access"]
    assert words["asks"]["cancel"] == {"label": "Wants to cancel", "icon": "cross", "color": "red"}
    assert words["asks"]["no_access"] == {
        "label": "Crew had no access", "icon": "warning", "color": "red", "byCrew": True,
    }  # fmt: skip
    assert words["messages"]["on_the_way"] == "On the way"
    assert words["channels"] == {"sms": "Text", "email": "E-mail"}
    assert words["photos"] == {"before": "Before", "after": "After", "ticket": "Dump ticket", "access": "No access"}


def test_every_icon_that_the_page_names_is_drawn(ana, board):
    text = ana.get("/board/main/").text
    drawn = re.findall(r'<symbol id="(\w+)"', Path(finders.find("dispatch/icons.svg")).read_text())

    named = set(re.findall(r"icons\.svg#(\w+)", text)) | {ask.icon for ask in ASKS.values()}

    assert named - set(drawn) == set()


def test_columns_stand_in_the_order_of_the_flow_with_their_counts(ana, board):
    make_job(board, status="scheduled")

    shown = re.findall(r'<span class="count" data-count="(\w+)">(\d+)</span>', ana.get("/board/main/").text)

    counts = {
        "requested": 0,
        "scheduled": 1,
        "ready_for_pickup": 0,
        "en_route": 0,
        "in_progress": 0,
        "completed": 0,
        "cancelled": 0,
    }
    assert [(status, int(count)) for status, count in shown] == list(counts.items())


def test_who_may_only_look_gets_no_way_to_move(client, board):
    client.force_login(make_user("vera", "view_job"))

    text = client.get("/board/main/").text

    assert ("board-page movable" in text, 'data-action="move"' in text) == (False, False)


def test_an_unknown_board_is_a_404(ana, board):
    assert ana.get("/board/nowhere/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_page_only_shows(ana, board, method):
    assert getattr(ana, method)("/board/main/").status_code == 405


def test_the_page_costs_the_same_number_of_queries_for_any_number_of_jobs(ana, board, django_assert_num_queries):
    with django_assert_num_queries(10):
        ana.get("/board/main/")
    for _ in range(30):
        make_job(board)

    with django_assert_num_queries(10):
        assert len(state_of(ana.get("/board/main/"))["jobs"]) == 30


def test_the_page_is_never_cached(ana, board):
    assert "no-store" in ana.get("/board/main/")["Cache-Control"]


def test_the_state_is_the_one_of_the_board(ana, board, job):
    assert state_of(ana.get("/board/main/"))["jobs"] == [boards.card(job)]


def test_the_day_lists_its_jobs_in_order_in_the_boards_zone(ana, board):
    def at(hour, day=4):
        return datetime(2026, 5, day, hour, tzinfo=UTC)

    make_job(board, location="Afternoon", window_start=at(20), window_end=at(22), customer_phone="+13035550177")
    make_job(board, location="Morning", window_start=at(14), window_end=at(16), access_notes="Gate code 4471")
    make_job(board, location="Late evening", window_start=at(4, day=5), window_end=at(5, day=5))
    make_job(board, location="Next day", window_start=at(7, day=5), window_end=at(9, day=5))
    make_job(board, location="No window")

    text = ana.get("/board/main/2026-05-04/").text

    assert re.findall(r"<strong>(.*?)</strong>", text) == ["Morning", "Afternoon", "Late evening"]
    assert ("8:00 AM – 10:00 AM" in text, "(303) 555-0177" in text, "Gate code 4471" in text) == (True, True, True)
    assert "Monday, May 4, 2026" in text


def test_a_cancelled_job_is_not_on_the_list_of_its_day(ana, board):
    start = datetime(2026, 5, 4, 14, tzinfo=UTC)
    make_job(board, status="cancelled", window_start=start, window_end=start + timedelta(hours=2))

    assert "Nothing is planned for this day." in ana.get("/board/main/2026-05-04/").text


@pytest.mark.parametrize("day", ["2026-02-30", "2026-5-4", "today", "0000-00-00"])
def test_a_day_that_does_not_exist_is_a_404(ana, board, day):
    assert ana.get(f"/board/main/{day}/").status_code == 404


def test_the_day_is_for_those_who_may_see_jobs(client, board, stranger):
    assert client.get("/board/main/2026-05-04/")["Location"] == "/login/?next=/board/main/2026-05-04/"
    client.force_login(stranger)
    assert client.get("/board/main/2026-05-04/").status_code == 403


def test_only_who_may_add_jobs_is_offered_a_new_one(client, board):
    client.force_login(make_user("carl", "view_job", "change_job"))

    assert 'data-action="new"' not in client.get("/board/main/").text
