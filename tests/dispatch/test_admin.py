import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin import ModelAdmin, site
from django.urls import reverse
from django.utils import timezone

from dispatch import flow
from dispatch.models import Board, Job, StatusChange, Upload, Worker
from dispatch.statuses import STATUS_FLOW
from tests.factories import make_job, make_user

JOBS = "/admin/dispatch/job/"
BOARD_ZONE = {
    "window_start_0": "2026-05-04",
    "window_start_1": "09:30",
    "window_end_0": "2026-05-04",
    "window_end_1": "11:30",
}


@pytest.fixture
def office(client, admin):
    """The browser of somebody who may do everything in the admin."""
    client.force_login(admin)
    return client


@pytest.fixture
def watcher(client, db):
    """The browser of staff who may look and not change."""
    user = make_user("watcher", "view_job", "view_statuschange", "view_board", is_staff=True)
    client.force_login(user)
    return client


def page(job: Job) -> str:
    return f"{JOBS}{job.pk}/change/"


def typed(**fields: object) -> dict[str, object]:
    """What the browser sends for a job, with the inline history that nobody may change."""
    management = {"history-TOTAL_FORMS": 0, "history-INITIAL_FORMS": 0}
    customer = {"customer_language": "en", "customer_notify": "on"}
    return management | customer | {"service": "junk_removal", "location": "1428 Elm St", "notes": ""} | fields


def fail(job: Job, **facts) -> Upload:
    """What the ledger says of a job that was tried three times."""
    start = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)
    facts = {"attempts": 3, "error": "the disk is full", "failing_since": start, "not_before": start} | facts
    return Upload.objects.create(job=job, **facts)


def text(answer) -> str:
    """What a person reads on the page, with the line breaks of the markup taken out."""
    body = re.sub(r"<script.*?</script>", "", answer.content.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def history(job: Job) -> list[tuple[str, str, str, str, str]]:
    return [(row.from_status, row.to_status, row.by, row.channel, row.reason) for row in job.history.all()]


def messages(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def found(answer) -> list[str]:
    return [job.location for job in answer.context["cl"].result_list]


# --- the list


def test_the_list_shows_jobs_latest_change_first(office, board):
    first, second = make_job(board, location="1 First St"), make_job(board, location="2 Second St", crew=["Dee Park", "Al"])
    flow.move(first, "scheduled", expect=first.seq, by="Bo", channel="board")

    answer = office.get(JOBS)

    assert (answer.status_code, found(answer)) == (200, ["1 First St", "2 Second St"])
    assert "Dee Park, Al" in text(answer)
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert second.status == "requested"


def test_the_list_costs_the_same_with_many_jobs(office, board, django_assert_num_queries):
    counts = []
    for _ in range(2):
        for _ in range(10):
            make_job(board)
        office.get(JOBS)
        with django_assert_num_queries(5):
            counts.append(office.get(JOBS).status_code)

    assert counts == [200, 200]


@pytest.mark.parametrize(
    "term", ["Elm", "mia chen", "(303) 555-0123", "555-0123", "+1 303.555.0123", "mia@example", "{uid}", "{token}"]
)
def test_search_finds_a_job_by_what_people_know_of_it(office, board, term):
    other = make_job(board, location="9 Other Rd", customer_name="Al Ray", customer_phone="+13035550199")
    # Nobody who looks for a street means a job that has it in its id or token.
    Job.objects.filter(pk=other.pk).update(token=f"xElm0{other.token[5:]}", uid=f"{other.uid[:-3]}Elm")
    job = make_job(board, customer_name="Mia Chen", customer_phone="+13035550123", customer_email="mia@example.com")

    answer = office.get(JOBS, {"q": term.format(uid=job.uid, token=job.token)})

    assert found(answer) == ["1428 Elm St"]


@pytest.mark.parametrize(
    ("query", "locations"),
    [
        ("status=scheduled", ["2 Second St"]),
        ("status=cancelled", []),
        ("service__exact=dumpster_pickup", ["1 First St"]),
        ("board__id__exact={board}", ["2 Second St", "1 First St"]),
        ("status=nowhere", []),
        ("copy=behind", ["1 First St"]),
        ("copy=failing", ["2 Second St"]),
        ("copy=current", []),
        ("copy=nowhere", ["2 Second St", "1 First St"]),
    ],
)
def test_filters(office, board, query, locations):
    make_job(board, location="1 First St", service="dumpster_pickup")
    fail(make_job(board, location="2 Second St", status="scheduled"))

    assert found(office.get(f"{JOBS}?{query.format(board=board.pk)}")) == locations


def test_the_copy_filter_asks_what_is_true_now(office, board):
    """A row of the ledger that is left over says nothing about a job that was copied since."""
    job, other = make_job(board, location="1 First St"), make_job(board, location="2 Second St")
    fail(job)
    Job.objects.mark_mirrored(job.pk, job.seq)
    Upload.objects.create(job=other, claim="w1 0a", not_before=timezone.now())

    shown = {copy: found(office.get(f"{JOBS}?copy={copy}")) for copy in ("current", "behind", "failing")}

    assert shown == {"current": ["1 First St"], "behind": ["2 Second St"], "failing": []}


def test_the_status_filter_speaks_the_words_of_the_board(office, job):
    assert all(status.label in text(office.get(JOBS)) for status in STATUS_FLOW.values())


# --- a new job


def test_the_page_for_a_new_job(office, board):
    answer = office.get(f"{JOBS}add/")

    assert answer.status_code == 200
    assert "In the board's time zone, America/Denver." in text(answer)
    assert "Tracking link" not in text(answer)


def test_adding_opens_a_job_with_its_history(office, board, admin):
    answer = office.post(
        f"{JOBS}add/",
        typed(board=board.pk, customer_phone="(303) 555-0123", crew="Dee Park, Al", price="600", **BOARD_ZONE),
    )
    job = Job.objects.get()

    assert (answer.status_code, answer["Location"]) == (302, JOBS)
    assert history(job) == [("", "requested", "root", "admin", "")]
    assert (job.customer_phone, job.crew, job.price, job.seq) == ("+13035550123", ["Dee Park", "Al"], 600, 1)
    assert (job.window_start, job.window_end) == (
        datetime(2026, 5, 4, 15, 30, tzinfo=UTC),
        datetime(2026, 5, 4, 17, 30, tzinfo=UTC),
    )


def test_times_of_a_new_job_are_read_in_the_zone_of_the_board_that_was_chosen(office, board):
    berlin = Board.objects.create(slug="berlin", name="Berlin", timezone="Europe/Berlin")
    office.post(f"{JOBS}add/", typed(board=berlin.pk, **BOARD_ZONE))

    assert Job.objects.get().window_start == datetime(2026, 5, 4, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize("board_id", ["", "x", "999", "²"])
def test_a_board_that_is_not_there_is_a_mistake_in_the_form(office, board, board_id):
    answer = office.post(f"{JOBS}add/", typed(board=board_id))

    assert (answer.status_code, set(answer.context["adminform"].form.errors), Job.objects.count()) == (200, {"board"}, 0)


# --- a job


def test_the_page_of_a_job_shows_its_record_in_the_boards_zone(office, board):
    start, end = datetime(2026, 5, 4, 15, 30, tzinfo=UTC), datetime(2026, 5, 4, 17, 30, tzinfo=UTC)
    job = make_job(board, window_start=start, window_end=end, created_at=start)
    answer = office.get(page(job))

    assert answer.status_code == 200
    assert "Mon, May 4, 2026, 9:30 AM MDT" in text(answer)
    assert f'href="{job.tracking_link}"' in answer.content.decode()
    assert 'value="09:30:00"' in answer.content.decode()
    assert "In the board's time zone, America/Denver." in text(answer)
    assert "behind: has change 0 of 1" in text(answer)


@pytest.mark.parametrize(("claim", "when"), [("", "Mon, May 4, 9:30 AM MDT"), ("w1 0a", "now")])
def test_the_page_of_a_job_says_why_it_cannot_be_copied_and_when_it_is_tried_again(office, job, claim, when):
    fail(job, claim=claim)

    assert f"failing: has change 0 of 1. the disk is full. Next try: {when}" in text(office.get(page(job)))


def test_the_page_of_a_job_that_is_copied_says_so(office, job):
    fail(job)
    Job.objects.mark_mirrored(job.pk, job.seq)

    assert "Copy in object storage: up to date" in text(office.get(page(job)))


def test_the_window_of_the_list_is_in_the_boards_zone(office, board):
    start, end = datetime(2026, 5, 4, 15, 30, tzinfo=UTC), datetime(2026, 5, 4, 17, 30, tzinfo=UTC)
    make_job(board, window_start=start, window_end=end)

    assert "Monday, May 4, 9:30 AM – 11:30 AM MDT" in text(office.get(JOBS))


def test_the_history_is_there_to_be_read(office, job):
    flow.move(job, "cancelled", expect=job.seq, by="Bo", channel="board", reason="Moved away")
    answer = office.get(page(job))

    (inline,) = answer.context["inline_admin_formsets"]
    shown = [row.original.to_status for row in inline if row.original]
    permissions = (inline.has_add_permission, inline.has_change_permission, inline.has_delete_permission)
    assert (shown, permissions) == (["requested", "cancelled"], (False, False, False))
    assert "Moved away" in text(answer)


def test_history_cannot_be_written_through_the_page(office, job):
    row = job.history.get()
    forged = {
        "history-TOTAL_FORMS": 2, "history-INITIAL_FORMS": 1, "history-0-id": row.pk, "history-0-job": job.pk,
        "history-0-by": "Nobody", "history-1-to_status": "completed", "history-1-job": job.pk, "history-0-DELETE": "on",
    }  # fmt: skip
    office.post(page(job), typed(version=job.seq) | forged)

    assert history(job) == [("", "requested", "Ana", "board", "")]


def test_editing_takes_a_new_number(office, job, admin):
    answer = office.post(page(job), typed(version=job.seq, notes="Dog", customer_phone="(303) 555-0123"))

    job.refresh_from_db()
    assert answer.status_code == 302
    assert (job.seq, job.notes, job.customer_phone, job.updated_by) == (2, "Dog", "+13035550123", "root")
    assert Board.objects.get().seq == 2


def test_saving_without_a_change_takes_none(office, job):
    office.post(page(job), typed(version=job.seq))

    assert (Job.objects.get().seq, Board.objects.get().seq) == (1, 1)


def test_a_job_stays_on_its_board(office, job):
    other = Board.objects.create(slug="other", name="Other")
    office.post(page(job), typed(version=job.seq, board=other.pk, notes="Dog"))

    assert (Job.objects.get().board.slug, Job.objects.get().notes) == ("main", "Dog")


def test_status_cannot_be_typed(office, job):
    office.post(page(job), typed(version=job.seq, status="completed", status_shown="completed", rank="7", token="x" * 20))

    job.refresh_from_db()
    assert (job.status, job.seq) == ("requested", 1)


@pytest.mark.parametrize("number", ["999", "x", "_5F", "99999999999999999999999"])
def test_a_job_that_is_not_there_leads_back(office, board, number):
    answer = office.get(f"{JOBS}{number}/change/")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


# --- two editors


def test_the_second_editor_gets_the_form_back_and_overwrites_nothing(office, job):
    theirs = flow.edit(job, {"notes": "Theirs", "price": 600}, expect=job.seq, by="Bo")
    answer = office.post(page(job), typed(version=job.seq, notes="Mine"))

    form = answer.context["adminform"].form
    assert answer.status_code == 200
    assert (form["notes"].value(), form["version"].value()) == ("Mine", str(theirs.seq))
    assert "while you were editing: Notes is now “Theirs”; Price is now “600.00”. Save again" in text(answer)
    assert (Job.objects.get().notes, Job.objects.get().seq) == ("Theirs", theirs.seq)


def test_saving_again_wins_on_purpose(office, job):
    flow.edit(job, {"notes": "Theirs"}, expect=job.seq, by="Bo")
    again = office.post(page(job), typed(version=job.seq, notes="Mine")).context["adminform"].form["version"].value()
    answer = office.post(page(job), typed(version=again, notes="Mine"))

    assert (answer.status_code, Job.objects.get().notes, Job.objects.get().seq) == (302, "Mine", 3)


def test_a_third_editor_in_between_is_seen_too(office, job):
    second = flow.edit(job, {"notes": "Second"}, expect=job.seq, by="Bo")
    again = office.post(page(job), typed(version=job.seq, notes="Mine")).context["adminform"].form["version"].value()
    flow.edit(second, {"notes": "Third"}, expect=second.seq, by="Cy")
    answer = office.post(page(job), typed(version=again, notes="Mine"))

    assert (answer.status_code, Job.objects.get().notes) == (200, "Third")


def test_who_loses_between_check_and_save_gets_the_form_too(office, job, monkeypatch):
    """The other edit commits while this request is between its check and its UPDATE."""
    edit, show, lost = flow.edit, ModelAdmin.changeform_view, []

    def lose(current, changes, *, expect, by):
        lost.append(current)
        raise flow.Conflict(current)

    def show_what_was_committed(*args, **kwargs):
        if lost:
            edit(job, {"notes": "Theirs"}, expect=job.seq, by="Bo")
        return show(*args, **kwargs)

    monkeypatch.setattr(flow, "edit", lose)
    monkeypatch.setattr(ModelAdmin, "changeform_view", show_what_was_committed)
    answer = office.post(page(job), typed(version=job.seq, notes="Mine"))

    form = answer.context["adminform"].form
    assert (answer.status_code, len(lost), Job.objects.get().notes) == (200, 1, "Theirs")
    assert (form["notes"].value(), form["version"].value()) == ("Mine", "2")
    assert "while you were editing: Notes is now “Theirs”" in text(answer)


# --- moving many


def act(office, action: str, *jobs: Job, **fields: str):
    return office.post(JOBS, {"action": action, "_selected_action": [job.pk for job in jobs], **fields}, follow=True)


def test_jobs_are_moved_from_the_list(office, board):
    one, two = make_job(board), make_job(board, status="scheduled")
    answer = act(office, "move_to_ready_for_pickup", one, two)

    assert messages(answer) == ["2 moved to Ready for pickup."]
    assert history(one)[-1] == ("requested", "ready_for_pickup", "root", "admin", "")
    assert history(two)[-1] == ("scheduled", "ready_for_pickup", "root", "admin", "")


def test_refused_moves_say_why_and_the_others_go(office, board):
    one, two = make_job(board, location="1 First St"), make_job(board, location="2 Second St", status="in_progress")
    answer = act(office, "move_to_completed", one, two)

    assert messages(answer) == [
        "1 First St: A job that is Requested cannot go to Completed, only to: Scheduled, Ready for pickup, Cancelled.",
        "1 moved to Completed.",
    ]
    assert list(Job.objects.order_by("location").values_list("status", flat=True)) == ["requested", "completed"]


def test_cancelling_needs_the_reason_beside_the_action(office, job):
    refused = act(office, "move_to_cancelled", job)
    done = act(office, "move_to_cancelled", job, reason="Moved away")

    assert messages(refused) == ["1428 Elm St: Moving a job to Cancelled needs a reason."]
    assert messages(done) == ["1 moved to Cancelled."]
    assert history(job)[-1] == ("requested", "cancelled", "root", "admin", "Moved away")


def test_there_is_one_move_for_each_status_and_no_other(office, job):
    choices = office.get(JOBS).context["action_form"].fields["action"].choices

    assert [choice for choice in choices if choice[0].startswith("move")] == [
        (f"move_to_{status.slug}", f"Move to {status.label}") for status in STATUS_FLOW.values()
    ]


# --- what nobody and what not everybody may


@pytest.mark.parametrize("model", [Board, Job], ids=["board", "job"])
def test_nothing_is_deleted(office, job, model):
    row = model.objects.get()
    answer = office.post(reverse(f"admin:dispatch_{model._meta.model_name}_delete", args=[row.pk]), {"post": "yes"})
    act(office, "delete_selected", job)

    assert (answer.status_code, Job.objects.count(), Board.objects.count()) == (403, 1, 1)
    assert "deletelink" not in office.get(page(job)).content.decode()


def test_history_has_no_pages_of_its_own(office):
    assert StatusChange not in site._registry


@pytest.mark.parametrize("url", [JOBS, "{job}", "/admin/dispatch/board/", "/admin/"])
def test_staff_who_may_look_can_look(watcher, job, url):
    answer = watcher.get(url.format(job=page(job)))

    assert answer.status_code == 200
    assert 'name="_save"' not in answer.content.decode()


def test_staff_who_may_look_cannot_change(watcher, job):
    answers = [
        watcher.post(page(job), typed(version=job.seq, notes="Mine")).status_code,
        watcher.post(f"{JOBS}add/", typed(board=job.board_id)).status_code,
        act(watcher, "move_to_scheduled", job).status_code,
    ]

    assert answers == [403, 403, 200]
    assert list(Job.objects.values_list("status", "notes", "seq")) == [("requested", "", 1)]


def test_staff_who_may_look_see_the_history(watcher, job):
    flow.move(job, "cancelled", expect=job.seq, by="Bo", channel="board", reason="Moved away")

    assert "Moved away" in text(watcher.get(page(job)))


@pytest.mark.parametrize("url", [JOBS, "{job}", "/admin/dispatch/board/"])
def test_strangers_are_asked_to_sign_in(client, stranger, job, url):
    client.force_login(stranger)
    answer = client.get(url.format(job=page(job)))

    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")


# --- boards


BOARDS = "/admin/dispatch/board/"
QUIET = {"messages_on": "on", "quiet_from": "21:00", "quiet_until": "07:00"}
FACTS = {"name": "QuickDumpNow Denver", "timezone": "America/Denver", "phone": "+13035550100"} | QUIET


def numbers() -> dict[str, int]:
    return {board.slug: board.seq for board in Board.objects.all()} | {job.location: job.seq for job in Job.objects.all()}


def test_a_new_name_of_a_board_is_a_change_of_all_its_jobs(office, board):
    make_job(board, location="1 First St")
    make_job(board, location="2 Second St")
    make_job(Board.objects.create(slug="other", name="Other"), location="3 Elsewhere")

    answer = office.post(f"{BOARDS}{board.pk}/change/", FACTS | {"name": "New name"})

    board.refresh_from_db()
    assert (answer.status_code, board.name, board.phone) == (302, "New name", "+13035550100")
    assert numbers() == {"main": 4, "1 First St": 3, "2 Second St": 4, "other": 1, "3 Elsewhere": 1}


def test_saving_a_board_without_a_change_takes_no_number(office, job):
    office.post(f"{BOARDS}{job.board_id}/change/", FACTS)

    assert numbers() == {"main": 1, "1428 Elm St": 1}


def test_only_what_the_form_changed_is_written(office, board, monkeypatch):
    """Somebody opens a job, and a colleague saves another phone, between the reading and the writing of the board."""
    clean = Board.full_clean

    def meanwhile(self, *args, **kwargs):
        make_job(Board.objects.get(pk=self.pk))
        Board.objects.filter(pk=self.pk).update(phone="+13035550199")
        return clean(self, *args, **kwargs)

    monkeypatch.setattr(Board, "full_clean", meanwhile)
    answer = office.post(f"{BOARDS}{board.pk}/change/", FACTS | {"name": "New name"})

    board.refresh_from_db()
    assert (answer.status_code, board.name, board.phone) == (302, "New name", "+13035550199")
    assert numbers() == {"main": 2, "1428 Elm St": 2}


def test_the_slug_of_a_board_is_chosen_once(office, board):
    made = office.post(f"{BOARDS}add/", FACTS | {"slug": "boulder", "name": "Boulder"})
    office.post(f"{BOARDS}{board.pk}/change/", FACTS | {"slug": "elsewhere", "name": "New name"})

    assert made.status_code == 302
    assert list(Board.objects.order_by("pk").values_list("slug", "name", "seq")) == [
        ("main", "New name", 1),
        ("boulder", "Boulder", 0),
    ]
    assert 'name="slug"' not in office.get(f"{BOARDS}{board.pk}/change/").content.decode()


def test_a_board_needs_a_time_zone_that_exists(office, board):
    answer = office.post(
        f"/admin/dispatch/board/{board.pk}/change/",
        {"name": "N", "slug": "main", "timezone": "Mars/Base", "phone": ""} | QUIET,
    )

    assert set(answer.context["adminform"].form.errors) == {"timezone"}


# --- copies in object storage

UPLOADS, WORKERS = "/admin/dispatch/upload/", "/admin/dispatch/worker/"


def retry(client, upload: Upload):
    return client.post(UPLOADS, {"action": "retry", "_selected_action": [upload.pk]}, follow=True)


def test_uploads_that_wait_say_why_and_when(office, job):
    fail(job)

    shown = text(office.get(UPLOADS))

    assert f"1428 Elm St ({job.uid}) 3 Mon, May 4, 9:30 AM MDT Mon, May 4, 9:30 AM MDT the disk is full" in shown


def test_the_list_of_uploads_costs_the_same_with_many(office, board, django_assert_num_queries):
    for count in (1, 10):
        for _ in range(count):
            fail(make_job(board))
        with django_assert_num_queries(4):  # session, user, how many, the page
            office.get(UPLOADS)


def test_an_upload_has_a_page_to_read(office, job):
    answer = office.get(f"{UPLOADS}{fail(job).pk}/change/")

    assert ("the disk is full" in text(answer), 'name="_save"' in answer.content.decode()) == (True, False)


def test_an_upload_is_tried_again_now(office, board):
    later = timezone.now() + timedelta(hours=1)
    asked, not_asked, tried = (fail(make_job(board), not_before=later, claim=claim) for claim in ("", "", "w1 0a"))

    answer = retry(office, asked)
    retry(office, tried)

    assert messages(answer) == ["1 will be tried within a second, if a worker runs."]
    assert list(Job.objects.waiting()) == [asked.job]
    assert list(Upload.objects.filter(not_before=later).values_list("pk", flat=True)) == [not_asked.pk, tried.pk]


def test_staff_who_may_not_change_jobs_cannot_ask_for_another_try(watcher, job):
    upload = fail(job, not_before=timezone.now() + timedelta(hours=1))

    retry(watcher, upload)

    assert "the disk is full" in text(watcher.get(UPLOADS))
    assert list(Job.objects.waiting()) == []


def test_staff_who_may_change_jobs_need_no_other_permission(client, job):
    client.force_login(make_user("clerk", "view_job", "change_job", is_staff=True))
    retry(client, fail(job, not_before=timezone.now() + timedelta(hours=1)))

    assert list(Job.objects.waiting()) == [job]


@pytest.mark.parametrize("url", [UPLOADS, WORKERS])
def test_staff_who_may_not_see_jobs_see_no_copies(client, job, url):
    client.force_login(make_user("clerk", "view_board", is_staff=True))
    fail(job)

    assert client.get(url).status_code == 403


def test_workers_say_what_keeps_them_from_working(office, db):
    at = datetime(2026, 5, 4, 15, 30, tzinfo=UTC)
    Worker.objects.create(name="w1", seen_at=at, problem="cannot reach the storage", problem_since=at)

    assert "w1 Mon, May 4, 3:30 PM UTC cannot reach the storage Mon, May 4, 3:30 PM UTC" in text(office.get(WORKERS))


@pytest.mark.parametrize("model", [Upload, Worker])
@pytest.mark.parametrize("page_", ["add/", "{pk}/change/", "{pk}/delete/"])
def test_what_workers_write_nobody_else_writes(office, job, model, page_):
    rows = {Upload: fail(job), Worker: Worker.objects.create(name="w1", seen_at=timezone.now())}
    url = f"/admin/dispatch/{model._meta.model_name}/{page_}".format(pk=rows[model].pk)

    assert office.post(url, {"name": "x", "problem": "x", "error": "x", "post": "yes"}).status_code == 403
    assert (Upload.objects.get().error, Worker.objects.get().name) == ("the disk is full", "w1")
