import html
import re
from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from dispatch.board import card
from dispatch.messages import opt_outs, writing
from dispatch.models import Board, Job, Message, MessageTemplate, OptOut
from tests.factories import make_job, make_user

MESSAGES, OPT_OUTS, WORDS = (f"/admin/dispatch/{model}/" for model in ("message", "optout", "messagetemplate"))
PHONE, EMAIL = "+13035550123", "mia@example.com"


@pytest.fixture(autouse=True)
def no_quiet_hours(board):
    Board.objects.filter(pk=board.pk).update(quiet_from=time(0), quiet_until=time(0))
    board.refresh_from_db()


@pytest.fixture
def office(client, admin):
    """The browser of somebody who may do everything in the admin."""
    client.force_login(admin)
    return client


@pytest.fixture
def ana(client, db):
    """The browser of a dispatcher who may use the admin and change jobs."""
    client.force_login(make_user("ana", "view_job", "change_job", is_staff=True, first_name="Ana", last_name="Ruiz"))
    return client


@pytest.fixture
def watcher(client, db):
    """The browser of staff who may look at jobs and not change them."""
    client.force_login(make_user("watcher", "view_job", is_staff=True))
    return client


def mias_job(board: Board) -> Job:
    facts = {"customer_phone": PHONE, "customer_email": EMAIL, "customer_name": "Mia Chen", "token": "T" * 32}
    return Job.objects.filter(token=facts["token"]).first() or make_job(board, **facts)


def a_message(board: Board, job: Job | None = None, **facts) -> Message:
    job = job or mias_job(board)
    at = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    defaults = {
        "board": job.board, "job": job, "kind": "done", "channel": "sms", "recipient": PHONE,
        "dedupe_key": f"{job.uid}:{Message.objects.count()}", "seq": job.seq,
        "created_at": at, "send_after": at, "expires_at": at + timedelta(hours=48),
    }  # fmt: skip
    return Message.objects.create(**defaults | facts)


def text(answer) -> str:
    """What a person reads on the page, with the line breaks of the markup taken out."""
    body = re.sub(r"<script.*?</script>", "", answer.content.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def found(answer) -> list[Message]:
    return list(answer.context["cl"].result_list)


def act(client, action: str, *rows: Message):
    return client.post(MESSAGES, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def statuses(*rows: Message) -> list[str]:
    return [Message.objects.get(pk=row.pk).status for row in rows]


# --- messages


def listed(client) -> list[list[str]]:
    """The rows of the list as people read them, without the box to tick."""
    body = client.get(MESSAGES).content.decode()
    rows = re.findall(r"<tr><td.*?</tr>", body, re.DOTALL)
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)][1:] for row in rows
    ]


def test_the_list_shows_times_on_the_boards_wall(office, board):
    at = datetime(2026, 11, 24, 16, tzinfo=UTC)
    a_message(board, status="failed", error="The number does not exist.", attempts=3)
    a_message(board, status="queued", send_after=at)
    a_message(board, status="sent", sent_at=at + timedelta(hours=1), attempts=1)

    assert listed(office) == [
        ["Done", PHONE, "1428 Elm St", "Handed over", "Tue, Nov 24, 10:00 AM MST", "1", "-"],
        ["Done", PHONE, "1428 Elm St", "Queued", "Tue, Nov 24, 9:00 AM MST", "0", "-"],
        ["Done", PHONE, "1428 Elm St", "Failed", "Tue, Nov 24, 8:30 AM MST", "3", "The number does not exist."],
    ]


def test_who_may_only_look_reads_the_list(watcher, board):
    a_message(board, status="failed", error="The number does not exist.")

    assert "The number does not exist." in text(watcher.get(MESSAGES))


def test_the_list_costs_the_same_with_many_messages(office, board, django_assert_num_queries):
    counts = []
    for _ in range(2):
        for _ in range(10):
            a_message(board, make_job(board))
        office.get(MESSAGES)
        with django_assert_num_queries(5):
            counts.append(len(found(office.get(MESSAGES))))

    assert counts == [10, 20]


@pytest.mark.parametrize("term", ["(303) 555-0123", PHONE, "Elm", "{uid}"])
def test_a_message_is_found_by_number_address_and_job(office, board, term):
    message = a_message(board)
    a_message(board, make_job(board, location="9 Other Rd"), recipient="+13035550199")

    assert found(office.get(MESSAGES, {"q": term.format(uid=message.job.uid)})) == [message]


@pytest.mark.parametrize(
    "query", ["status__exact=failed", "kind__exact=link", "channel__exact=email", "board__id__exact={pk}"]
)
def test_filters(office, board, query):
    other = Board.objects.create(slug="other", name="Other", timezone="America/Denver")
    a_message(board)
    wanted = a_message(other, make_job(other), status="failed", kind="link", channel="email")

    assert found(office.get(f"{MESSAGES}?{query.format(pk=other.pk)}")) == [wanted]


def test_a_message_says_what_was_sent(watcher, board):
    message = a_message(board, channel="email", subject="Done: <junk>", body="Hello & bye", status="sent")

    page = text(watcher.get(f"{MESSAGES}{message.pk}/change/"))

    assert "Done: <junk>" in page
    assert "Hello & bye" in page
    assert "would say" not in page


def test_a_message_that_waits_says_what_it_would_say_now(watcher, board, settings):
    settings.PUBLIC_ORIGIN = "https://dispatch.example"

    page = text(watcher.get(f"{MESSAGES}{a_message(board).pk}/change/"))

    words = f"QuickDumpNow Denver: your junk removal is done. Thank you! https://dispatch.example/track/{'T' * 32}"
    assert f"(Not sent. It would say now:) {words}" in page
    assert f"{len(words)} characters, 1 text" in page


def test_words_that_became_unfit_are_named_instead(watcher, board):
    MessageTemplate.objects.create(board=board, kind="done", channel="sms", body="{{ nonsense }}")

    page = text(watcher.get(f"{MESSAGES}{a_message(board).pk}/change/"))

    assert "There is no {{ nonsense }}." in page


@pytest.mark.parametrize("address", ["add/", "{pk}/delete/"])
def test_messages_are_neither_made_nor_deleted_here(office, board, address):
    message = a_message(board)

    assert office.get(f"{MESSAGES}{address.format(pk=message.pk)}").status_code == 403
    assert "delete_selected" not in office.get(MESSAGES).content.decode()


def test_messages_are_not_changed_here(office, board):
    message = a_message(board)

    assert office.post(f"{MESSAGES}{message.pk}/change/", {"recipient": "+13035550199"}).status_code == 403


def test_what_failed_is_sent_again(ana, board):
    rows = [
        a_message(board, status=status, attempts=9, error="No.") for status in ("failed", "suppressed", "cancelled", "sent")
    ]

    answer = act(ana, "send_again", *rows)

    assert statuses(*rows) == ["queued", "queued", "queued", "sent"]
    assert set(said(answer)) == {
        "3 will be sent again, if a worker runs.",
        f"Done to {PHONE} is handed over: there is nothing to send again.",
    }
    row = Message.objects.get(pk=rows[0].pk)
    assert (row.attempts, row.error) == (0, "")
    assert timezone.now() - row.send_after < timedelta(seconds=20)
    assert row.expires_at - row.send_after == timedelta(hours=48)


@pytest.mark.parametrize(("channel", "address"), [("sms", PHONE), ("email", EMAIL)])
def test_nobody_who_opted_out_is_written_to_again(ana, board, channel, address):
    message = a_message(board, status="failed", channel=channel, recipient=address.title())
    OptOut.objects.create(channel=channel, address=address, reason="stop")

    answer = act(ana, "send_again", message)

    assert statuses(message) == ["failed"]
    assert said(answer)[0].endswith(f"The customer does not want {'texts' if channel == 'sms' else 'e-mails'}.")


def test_whether_somebody_opted_out_is_asked_of_the_address_that_the_job_has_now(ana, board):
    message = a_message(board, status="failed", recipient="+13035550199")
    OptOut.objects.create(channel="sms", address="+13035550199", reason="stop")  # of before the number was corrected

    act(ana, "send_again", message)

    message.refresh_from_db()
    assert (message.status, message.recipient) == ("queued", PHONE)


def test_what_waits_is_taken_back(ana, board):
    waits, goes = a_message(board), a_message(board, status="sending", attempts=1)

    answer = act(ana, "take_back", waits, goes)

    assert statuses(waits, goes) == ["cancelled", "sending"]
    assert Message.objects.get(pk=waits.pk).error == "Ana Ruiz took it back."
    assert set(said(answer)) == {"1 will not be sent.", "1 did not wait any more."}


@pytest.mark.parametrize("action", ["send_again", "take_back"])
def test_who_may_only_look_sends_nothing(watcher, board, action):
    rows = [a_message(board, status="failed"), a_message(board)]

    act(watcher, action, *rows)

    assert statuses(*rows) == ["failed", "queued"]
    assert action not in watcher.get(MESSAGES).content.decode()


@pytest.mark.parametrize("address", [MESSAGES, OPT_OUTS, WORDS])
def test_strangers_are_kept_out(client, board, address):
    client.force_login(make_user("sam", is_staff=True))

    assert client.get(address).status_code == 403


# --- opt-outs


def test_who_asks_us_not_to_write_is_noted(ana, board):
    job = make_job(board, customer_phone=PHONE)

    ana.post(f"{OPT_OUTS}add/", {"channel": "sms", "address": "(303) 555-0123", "detail": "By phone"})

    assert OptOut.objects.values_list("channel", "address", "reason", "detail").get() == ("sms", PHONE, "staff", "By phone")
    assert card(Job.objects.get(pk=job.pk))["optedOut"] == ["sms"]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("banana", "“banana” is not a phone number."),
        ("303 555 0123", "Opt-out with this Channel and Address already exists."),
    ],
)
def test_what_cannot_be_noted_is_explained(ana, board, address, problem):
    opt_outs.add("sms", PHONE, "stop")

    answer = ana.post(f"{OPT_OUTS}add/", {"channel": "sms", "address": address})

    assert problem in text(answer)
    assert OptOut.objects.count() == 1


def test_deleting_one_takes_the_mark_away(ana, board):
    job = make_job(board, customer_phone=PHONE)
    opt_out = opt_outs.add("sms", PHONE, "stop")

    ana.post(f"{OPT_OUTS}{opt_out.pk}/delete/", {"post": "yes"})

    assert not OptOut.objects.exists()
    assert Job.objects.get(pk=job.pk).opted_out == []


def test_deleting_several_takes_the_marks_away(ana, board):
    job = make_job(board, customer_phone=PHONE, customer_email=EMAIL)
    rows = [opt_outs.add("sms", PHONE, "stop"), opt_outs.add("email", EMAIL, "bounce")]

    ana.post(OPT_OUTS, {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"})

    assert not OptOut.objects.exists()
    assert Job.objects.get(pk=job.pk).opted_out == []


def test_an_opt_out_is_looked_at_and_not_changed(ana, board):
    opt_out = opt_outs.add("sms", PHONE, "stop", "STOP please")

    assert "Said STOP" in text(ana.get(f"{OPT_OUTS}{opt_out.pk}/change/"))
    assert ana.post(f"{OPT_OUTS}{opt_out.pk}/change/", {"address": "+13035550199"}).status_code == 403


def test_who_may_not_change_jobs_sees_no_opt_outs(watcher):
    assert watcher.get(OPT_OUTS).status_code == 403
    assert watcher.get(f"{OPT_OUTS}add/").status_code == 403


# --- the company's own words


def typed(board: Board, **fields) -> dict[str, object]:
    words = {"body": "{{ company }}: all done, {{ customer }}! {{ link }}", "subject": ""}
    return {"board": board.pk, "kind": "done", "channel": "sms", "language": "en"} | words | fields


def test_own_words_are_kept(office, board):
    office.post(f"{WORDS}add/", typed(board, subject="none", body="{{ company }}:\r\ndone. {{ link }}"))

    row = MessageTemplate.objects.get()
    assert (row.subject, row.body) == ("", "{{ company }}:\ndone. {{ link }}")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"body": "Hi {{ nme }}"}, "There is no {{ nme }}. There are: {{ company }}, {{ customer }},"),
        ({"body": "{% load x %}"}, "A brace too many or too few."),
        ({"body": "Done 🚛🎉"}, "Texts cannot show: 🚛 🎉. Please leave that out."),
        ({"body": "x" * 170}, "10 characters too many for one text, when names and times are long. Please shorten it."),
        ({"channel": "email"}, "An e-mail needs a subject."),
        ({"channel": "email", "subject": "{{ no }}"}, "There is no {{ no }}."),
        ({"body": ""}, "This field is required."),
    ],
)
def test_words_that_cannot_be_sent_are_refused_with_the_reason(office, board, fields, problem):
    answer = office.post(f"{WORDS}add/", typed(board, **fields))

    assert problem in text(answer)
    assert not MessageTemplate.objects.exists()


def test_a_preview_shows_the_words_filled_in_and_keeps_nothing(office, board, settings):
    settings.PUBLIC_ORIGIN = "https://dispatch.example"

    answer = office.post(f"{WORDS}add/", typed(board, _preview="Preview"))

    words = f"QuickDumpNow Denver: all done, Mia! https://dispatch.example/track/{'A' * 32}"
    assert words in text(answer)
    assert f"{len(words)} characters, 1 text" in text(answer)
    assert said(answer) == ["This is a preview. Nothing is saved yet."]
    assert answer.context["errors"] == []
    assert "all done, {{ customer }}!" in text(answer)  # what was typed is still there
    assert not MessageTemplate.objects.exists()


def test_a_preview_of_a_change_keeps_nothing(office, board):
    row = MessageTemplate.objects.create(board=board, kind="done", channel="email", subject="Old", body="Old")

    answer = office.post(
        f"{WORDS}{row.pk}/change/",
        typed(board, channel="email", subject="New for {{ customer }}", body="New\n\n{{ link }}", _preview="Preview"),
    )

    assert "Subject: New for Mia" in text(answer)
    assert "You get this e-mail because this address was given for a job with QuickDumpNow Denver." in text(answer)
    row.refresh_from_db()
    assert (row.subject, row.body) == ("Old", "Old")


def test_a_preview_of_words_that_are_too_long_shows_them_with_the_reason(office, board):
    answer = office.post(f"{WORDS}add/", typed(board, body="x" * 170, _preview="Preview"))

    assert "10 characters too many" in text(answer)
    assert "170 characters, 2 texts" in text(answer)


def test_a_preview_of_words_that_cannot_be_filled_in_says_why(office, board):
    answer = office.post(f"{WORDS}add/", typed(board, body="{{ nme }}", _preview="Preview"))

    assert "There is no {{ nme }}." in text(answer)
    assert "There is nothing to show until the words above are as they should be." in text(answer)


def test_what_is_typed_does_not_become_part_of_the_page(office, board):
    answer = office.post(f"{WORDS}add/", typed(board, body="</textarea><b>x</b>", _preview="Preview"))

    assert "<b>x</b>" not in answer.content.decode()


def test_the_page_of_own_words_shows_ours_beside_them(office, board):
    row = MessageTemplate.objects.create(board=board, kind="done", channel="sms", body="Over, {{ customer }}.")

    page = text(office.get(f"{WORDS}{row.pk}/change/"))

    assert "Over, Mia." in page
    assert writing.built_in("done", "sms", "en").body in page
    assert "{{ reason }} : why the job was cancelled, as your people wrote it; may be empty" in page


def test_people_can_start_from_our_words(office, board):
    page = office.get(f"{WORDS}add/")
    assert 'href="?kind=on_the_way&amp;channel=email&amp;language=es"' in page.content.decode()

    form = office.get(f"{WORDS}add/?kind=on_the_way&channel=email&language=es").context["adminform"].form

    ours = writing.built_in("on_the_way", "email", "es")
    assert (form.initial["subject"], form.initial["body"], form.initial["board"]) == (ours.subject, ours.body, board.pk)


@pytest.mark.parametrize(
    "query", ["kind=../../x&channel=sms&language=en", "kind=done&channel=fax&language=en", "kind=done"]
)
def test_what_is_not_ours_to_start_from_is_an_empty_form(office, board, query):
    answer = office.get(f"{WORDS}add/?{query}")

    assert answer.status_code == 200
    assert answer.context["adminform"].form.initial == {"board": board.pk}


# --- jobs and boards


def test_the_page_of_a_job_leads_to_its_messages(office, board):
    message = a_message(board)

    page = office.get(f"/admin/dispatch/job/{message.job.pk}/change/").content.decode()

    assert f'<a href="/admin/dispatch/message/?q={message.job.uid}">1 message</a>' in page


@pytest.mark.parametrize(("ticked", "told"), [({"notify": "on"}, ["ready"]), ({}, [])])
def test_a_move_in_the_admin_tells_customers_when_asked(office, board, ticked, told):
    job = make_job(board, customer_phone=PHONE)

    office.post("/admin/dispatch/job/", {"action": "move_to_ready_for_pickup", "_selected_action": [job.pk], **ticked})

    assert Job.objects.get(pk=job.pk).status == "ready_for_pickup"
    assert [row.kind for row in Message.objects.all()] == told


def test_wishes_of_the_customer_are_edited_in_the_admin(office, board):
    job = make_job(board, customer_phone=PHONE)
    facts = {"service": "junk_removal", "location": "1428 Elm St", "version": job.seq, "customer_language": "es"}
    management = {"history-TOTAL_FORMS": 0, "history-INITIAL_FORMS": 0}

    office.post(f"/admin/dispatch/job/{job.pk}/change/", facts | management | {"preferred_day": "2026-11-28"})

    job = Job.objects.get(pk=job.pk)
    assert (job.customer_language, job.customer_notify, str(job.preferred_day)) == ("es", False, "2026-11-28")


def test_messages_of_a_board_are_switched_off_in_the_admin_and_no_job_changes(office, board):
    job = make_job(board)
    facts = {
        "name": board.name,
        "timezone": board.timezone,
        "phone": board.phone,
        "quiet_from": "20:00",
        "quiet_until": "8:00",
    }

    office.post(f"/admin/dispatch/board/{board.pk}/change/", facts)

    board.refresh_from_db()
    assert (board.messages_on, board.quiet_from, board.quiet_until) == (False, time(20), time(8))
    assert Job.objects.get(pk=job.pk).seq == job.seq


def test_the_switch_of_messages_says_whose_it_stops_and_what_becomes_of_them(office, board):
    page = office.get(f"/admin/dispatch/board/{board.pk}/change/").text

    assert (
        "Off: no texts and e-mails to customers and crews, except the links that crews sign in with. "
        "What waits goes out when this is on again, unless it would come too late."
    ) in page


def test_a_new_name_changes_jobs_whatever_else_is_saved_with_it(office, board):
    job = make_job(board)
    facts = {"timezone": board.timezone, "phone": board.phone, "quiet_from": "20:00", "quiet_until": "8:00"}

    office.post(f"/admin/dispatch/board/{board.pk}/change/", facts | {"name": "New", "messages_on": "on"})

    board.refresh_from_db()
    assert (board.name, board.messages_on, board.quiet_from) == ("New", True, time(20))
    assert Job.objects.get(pk=job.pk).seq > job.seq
