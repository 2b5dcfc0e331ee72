import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from crew import plan, telling
from crew.devices import SignInLink
from crew.models import Event, Member
from dispatch.messages import figures, opt_outs
from dispatch.models import Message, MessageTemplate, OptOut
from tests.crew.factories import make_event, make_member
from tests.factories import make_job, make_user

MESSAGES, WORDS = "/admin/dispatch/message/", "/admin/dispatch/messagetemplate/"
PHONE, EMAIL = "+13035550142", "dee@example.com"
TUESDAY = {"starts_at": datetime(2038, 11, 23, 15, tzinfo=UTC), "ends_at": datetime(2038, 11, 23, 23, tzinfo=UTC)}


@pytest.fixture
def office(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture
def dee(board):
    return make_member(board, phone=PHONE)


@pytest.fixture
def told(board, dee) -> Message:
    """That Dee is on an event."""
    plan.assign(make_event(board, **TUESDAY), dee, "first_mate", by="Ana")
    return Message.objects.get()


def text(answer) -> str:
    body = re.sub(r"<script.*?</script>", "", answer.content.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def act(client, action: str, message: Message) -> list[str]:
    answer = client.post(MESSAGES, {"action": action, "_selected_action": [message.pk]}, follow=True)
    return [str(one) for one in answer.context["messages"]]


# --- in the ledger


@pytest.mark.parametrize("about", ["", "event:1/member:2"])
def test_a_message_is_about_a_job_or_something_else(told, board, about):
    job = make_job(board) if about else None

    with pytest.raises(IntegrityError, match="message_is_about_one_thing"):
        Message.objects.filter(pk=told.pk).update(about=about, job=job)


def test_messages_to_crews_count_in_the_figures(told):
    assert figures.read().waiting == {"email": 1}


def test_who_said_stop_is_told_by_e_mail_at_once(board):
    dee = make_member(board, email="", phone=PHONE)
    plan.assign(make_event(board, **TUESDAY), dee, "first_mate", by="Ana")
    Member.objects.update(email=EMAIL)

    opt_outs.add("sms", PHONE, "stop")

    rows = Message.objects.order_by("pk").values_list("channel", "recipient", "status", "error")
    assert list(rows) == [
        ("sms", PHONE, "suppressed", "They do not want texts."), ("email", EMAIL, "queued", ""),
    ]  # fmt: skip


# --- in the admin


def test_the_list_says_to_whom_and_about_which_event(office, told, board, django_assert_num_queries):
    with django_assert_num_queries(5):
        page = text(office.get(MESSAGES))

    assert "Crew: assigned dee@example.com Dee Ramos: Tuesday, north, 2038-11-23 Queued" in page
    for number in range(3):
        plan.assign(make_event(board, **TUESDAY), make_member(board, f"Al{'abc'[number]} Ray"), "first_mate", by="Ana")
    with django_assert_num_queries(5):
        office.get(MESSAGES)


@pytest.mark.parametrize("term", ["Ramos", "north", PHONE, "dee@example.com"])
def test_it_is_found_by_name_event_and_address(office, told, term):
    Message.objects.update(recipient=PHONE if term == PHONE else EMAIL)

    assert list(office.get(MESSAGES, {"q": term}).context["cl"].result_list) == [told]


def test_its_page_shows_what_it_would_say_now(office, told):
    answer = office.get(f"{MESSAGES}{told.pk}/change/")

    page, event = text(answer), Event.objects.get()
    link = f'<a href="/admin/crew/event/{event.pk}/change/">Dee Ramos: Tuesday, north, 2038-11-23</a>'
    assert link in answer.content.decode()
    assert "(Not sent. It would say now:) Hello Dee, You have a place: What: Tuesday, north" in page


def test_the_page_of_a_link_to_sign_in_shows_no_secret_and_makes_none(office, dee):
    telling.sign_in_link(dee, by=dee.name)

    page = text(office.get(f"{MESSAGES}{Message.objects.get().pk}/change/"))

    assert "It works once, for 15 minutes: … If you" in page
    assert SignInLink.objects.count() == 0


def test_what_is_about_somebody_who_is_gone_says_so(office, told):
    Message.objects.update(about="member:nobody", status="failed")

    assert "Dee Ramos: Tuesday, north, 2038-11-23: Who or what this was about does not exist any more." in text(
        office.get(f"{MESSAGES}{told.pk}/change/")
    )
    assert act(office, "send_again", told) == [f"{told}: Who or what this was about does not exist any more."]


def test_what_failed_is_sent_again_to_the_present_address(office, told):
    Message.objects.update(status="failed", attempts=8)
    Member.objects.update(email="ramos@example.com")

    assert act(office, "send_again", told) == ["1 will be sent again, if a worker runs."]
    told.refresh_from_db()
    assert (told.status, told.recipient, told.attempts) == ("queued", "ramos@example.com", 0)
    assert told.send_after - timezone.now() < timedelta(seconds=1)


def test_nobody_who_opted_out_is_written_to_again(office, told):
    Message.objects.update(status="failed")
    OptOut.objects.create(channel="email", address=EMAIL)

    assert act(office, "send_again", told) == [f"{told}: They do not want e-mails."]


def test_a_dispatcher_takes_one_back(client, told):
    client.force_login(make_user("ana", "view_job", "change_job", is_staff=True, first_name="Ana"))

    assert act(client, "take_back", told) == ["1 will not be sent."]


# --- in the company's own words


def typed(board, **fields) -> dict:
    words = {"kind": "crew_assigned", "channel": "sms", "language": "en", "subject": "", "body": "{{ event }} {{ link }}"}
    return {"board": board.pk} | words | fields


def test_own_words_are_sent(office, board, told):
    office.post(f"{WORDS}add/", typed(board, channel="email", subject="Go, {{ name }}", body="{{ event }}, {{ link }}"))

    assert "It would say now:) Tuesday, north, http" in text(office.get(f"{MESSAGES}{told.pk}/change/"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"body": "Hi {{ customer }}"}, "There is no {{ customer }}. There are: {{ company }}, {{ name }}, {{ event }},"),
        ({"body": "x" * 180}, "20 characters too many for one text, when names and times are long."),
        ({"kind": "crew_sign_in", "body": "x" * 80 + "{{ link }}"}, "too many for one text"),
        ({"kind": "done", "body": "{{ event }}"}, "There is no {{ event }}."),
    ],
)
def test_words_that_cannot_be_sent_are_refused_with_the_reason(office, board, settings, fields, problem):
    settings.API_ORIGIN = "https://dispatch.example"

    assert problem in text(office.post(f"{WORDS}add/", typed(board, **fields)))
    assert not MessageTemplate.objects.exists()


def test_a_preview_shows_them_filled_in_beside_ours(office, board, settings):
    settings.API_ORIGIN = "https://dispatch.example"

    answer = office.post(f"{WORDS}add/", typed(board, _preview="Preview"))

    page = text(answer)
    assert "With made-up names and times, for QuickDumpNow Denver: 45 characters, 1 text" in page
    assert answer.context["preview"]["written"].text == "Tuesday, north https://dispatch.example/crew/"
    assert "you are on {{ event }}" in answer.context["preview"]["ours"].body
    assert "{{ truck }} : the truck; may be empty" in page


def test_it_starts_from_ours(office, board):
    page = office.get(f"{WORDS}add/", {"kind": "crew_plan", "channel": "sms", "language": "es"})

    assert page.context["adminform"].form.initial["body"].startswith("{{ company }}: su plan: {{ event }}")
