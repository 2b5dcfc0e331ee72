import re
from datetime import date, datetime
from email.message import EmailMessage
from itertools import product

import pytest
from django.core.exceptions import ValidationError

from dispatch import flow
from dispatch.messages import gsm7, queueing, values, writing
from dispatch.messages.kinds import KINDS, OF_JOBS
from dispatch.messages.ledger import Channel, Message, MessageTemplate
from dispatch.messages.placeholders import PLACEHOLDERS, fill
from dispatch.models import Board, Job
from tests.factories import make_job

pytestmark = pytest.mark.one_database

ORIGIN = "https://dispatch.example"
LONG_ORIGIN = "https://dispatch.longcompanyname.example"
LONG_COMPANY = "Rocky Mountain Junk Hauling and Dumpster Rental of Denver Co"
THURSDAY = {"window_start": (2026, 11, 26, 8), "window_end": (2026, 11, 26, 10)}
OVER_NIGHT = {"window_start": (2026, 9, 30, 20, 30), "window_end": (2026, 10, 1, 6, 30)}


@pytest.fixture(autouse=True)
def origin(settings):
    settings.PUBLIC_ORIGIN = ORIGIN


def at(board: Board, window: dict) -> dict:
    """The window in the board's time."""
    return {name: datetime(*moment, tzinfo=board.zone) for name, moment in window.items()}


def a_job(board: Board, window: dict | None = None, **fields) -> Job:
    """Of Mia Chen, with a token that can be spelled out here."""
    facts = {"customer_name": "Mia Chen", "customer_phone": "+13035550123", "customer_email": "mia@example.com"}
    facts |= {"location": "1428 Elm St, Denver", "token": "T" * 32}
    return make_job(board, **facts | at(board, window or {}) | fields)


def a_message(job: Job, kind: str, channel: str = "sms", language: str = "en") -> Message:
    job.customer_language = language
    rows = queueing.queue(job, kind, by="Ana", at=job.created_at, event=f"{kind}:{channel}:{language}", even_if_off=True)
    return next((row for row in rows if row.channel == channel), None) or by(channel, rows[0])


def by(channel: str, message: Message) -> Message:
    """The same, though this kind is not sent that way by itself."""
    message.channel = channel
    return message


def written(job: Job, kind: str, channel: str = "sms", language: str = "en") -> writing.Written:
    return writing.render(a_message(job, kind, channel, language))


def text(job: Job, kind: str, language: str = "en") -> str:
    return written(job, kind, "sms", language).text


DENVER = "QuickDumpNow Denver"
LINK = f"{ORIGIN}/track/{'T' * 32}"


# --- every message there is


@pytest.mark.parametrize(("kind", "language"), list(product(OF_JOBS, writing.LANGUAGES)))
def test_the_longest_text_is_one_text_with_its_whole_link(board, settings, kind, language):
    settings.PUBLIC_ORIGIN = LONG_ORIGIN
    Board.objects.filter(pk=board.pk).update(name=LONG_COMPANY)
    longest = {"location": "1" * 200, "service": "dumpster_delivery", "crew": ["Christopher Montgomery", "Alejandra Ruiz"]}
    job = a_job(board, OVER_NIGHT, customer_name="M" * 100, **longest)

    said = text(job, kind, language)

    assert set(said) <= gsm7.ALPHABET | gsm7.EXTENSION
    assert gsm7.septets(said) <= 160
    assert said.startswith("Rocky")
    assert re.findall(r"https?://\S+", said) == [f"{LONG_ORIGIN}/track/{'T' * 32}"]
    assert values.SERVICES[language]["dumpster_delivery"] in said


@pytest.mark.parametrize(("kind", "language"), list(product(OF_JOBS, writing.LANGUAGES)))
def test_every_mail_says_who_what_and_where_with_the_link_twice(board, kind, language):
    mail = written(a_job(board, THURSDAY, crew=["Dee Park"]), kind, "email", language)

    what = values.SERVICES[language]["junk_removal"]
    assert what in mail.subject
    assert "\n" not in mail.subject
    assert all(fact in mail.text for fact in ("QuickDumpNow Denver", what, "(303) 555-0100", LINK, "Mia"))
    # Of a booking nobody has looked at a stranger may have written the address, and whose mailbox it is, too.
    assert ("1428 Elm St, Denver" in mail.text) == (kind != "booked")
    assert f'<html lang="{language}">' in mail.html
    assert re.findall(r'href="([^"]*)"', mail.html) == [LINK, LINK]
    assert "{" not in mail.text + mail.subject
    assert "[" not in mail.text + mail.subject
    assert "\n\n\n" not in mail.text


def test_nothing_in_a_mail_comes_from_elsewhere(board):
    html = written(a_job(board, THURSDAY), "booked", "email").html

    assert set(re.findall(r"https?://[^/\"<]+", html)) == {ORIGIN}
    assert re.findall(r"<(?:img|link|script|style|table|iframe)\b", html) == []


def test_there_is_a_file_for_every_message_and_no_other(settings):
    for folder, extra in (("sms", set()), ("mail", {"_footer.txt", "_crew_footer.txt"})):
        for language in writing.LANGUAGES:
            files = {path.name for path in (settings.BASE_DIR / "templates" / folder / language).iterdir()}
            assert files - extra == {f"{kind}.txt" for kind in KINDS}


# --- exact words


@pytest.mark.parametrize(
    ("kind", "language", "said"),
    [
        ("booked", "en", f"{DENVER}: junk removal requested, Thu Nov 26, 8-10 AM MST. {LINK} Reply STOP to opt out"),
        ("scheduled", "en", f"{DENVER}: junk removal scheduled, Thu Nov 26, 8-10 AM MST. {LINK}"),
        ("on_the_way", "en", f"{DENVER}: your crew (Dee, Al) is on the way, junk removal. {LINK}"),
        ("done", "en", f"{DENVER}: your junk removal is done. Thank you! {LINK}"),
        ("cancelled", "en", f"{DENVER}: your junk removal is cancelled. A mistake? Call (303) 555-0100. {LINK}"),
        ("scheduled", "es", f"{DENVER}: cita para retiro de basura, jue 26 nov, 8-10 AM MST. {LINK}"),
        ("done", "es", f"{DENVER}: terminamos su retiro de basura. ¡Gracias! {LINK}"),
        ("link", "es", f"{DENVER}: retiro de basura, jue 26 nov, 8-10 AM MST. Siga aqui: {LINK} Baja: responda STOP"),
    ],
)  # fmt: skip
def test_texts_say_who_what_and_when(board, kind, language, said):
    assert text(a_job(board, THURSDAY, crew=["Dee Park", "Al Ray"]), kind, language) == said


def test_a_mail_word_for_word(board):
    mail = written(a_job(board, THURSDAY), "scheduled", "email")

    assert mail.subject == "Scheduled: junk removal, Thursday, November 26, 8:00 AM – 10:00 AM MST"
    assert (
        mail.text
        == f"""Hello Mia,

Your job is on our schedule.

What: junk removal
When: Thursday, November 26, 8:00 AM – 10:00 AM MST
Where: 1428 Elm St, Denver

This page shows how things stand, and lets you ask for another time:

{LINK}

Is something wrong? Call us: (303) 555-0100.

{"-- "}
QuickDumpNow Denver, (303) 555-0100

You get this e-mail because this address was given for a job with QuickDumpNow Denver. If you would rather not get them, \
call (303) 555-0100.
"""
    )


def test_what_is_not_known_is_left_out(board):
    Board.objects.filter(pk=board.pk).update(phone="")
    job = a_job(Board.objects.get(pk=board.pk), customer_name="")

    assert text(job, "on_the_way") == f"{DENVER}: your crew is on the way, junk removal. {LINK}"
    assert text(job, "cancelled") == f"{DENVER}: your junk removal is cancelled. {LINK}"
    mail = written(job, "on_the_way", "email")
    assert mail.text.startswith("Hello,\n\nThe crew is on the way to you.")
    assert "Crew:" not in mail.text
    assert "Call us" not in mail.text
    assert mail.text.endswith(
        "-- \nQuickDumpNow Denver\n\n"
        "You get this e-mail because this address was given for a job with QuickDumpNow Denver.\n"
    )


# --- when


@pytest.mark.parametrize(
    ("start", "end", "short", "full"),
    [
        ((2026, 11, 26, 8), (2026, 11, 26, 10), "jue 26 nov, 8-10 AM MST",
            "jueves 26 de noviembre, 8:00 a. m. – 10:00 a. m. MST"),
        ((2026, 1, 3, 11, 30), (2026, 1, 3, 13), "sab 3 ene, 11:30 AM-1 PM MST",
            "sábado 3 de enero, 11:30 a. m. – 1:00 p. m. MST"),
        ((2026, 8, 5, 12), (2026, 8, 5, 14), "mié 5 ago, 12-2 PM MDT",
            "miércoles 5 de agosto, 12:00 p. m. – 2:00 p. m. MDT"),
        (
            (2026, 12, 31, 22), (2027, 1, 1, 0), "jue 31 dic 10 PM-vie 1 ene 12 AM MST",
            "jueves 31 de diciembre, 10:00 p. m. – viernes 1 de enero, 12:00 a. m. MST",
        ),
    ],
)  # fmt: skip
def test_spanish_days_and_months(board, start, end, short, full):
    job = a_job(board, {"window_start": start, "window_end": end})

    assert text(job, "scheduled", "es") == f"{DENVER}: cita para retiro de basura, {short}. {LINK}"
    assert written(job, "scheduled", "email", "es").subject == f"Programado: retiro de basura, {full}"


@pytest.mark.parametrize(
    ("language", "wish", "short", "full"),
    [
        ("en", None, "time to be confirmed", "time to be confirmed"),
        ("en", date(2026, 11, 28), "Sat Nov 28, to be confirmed", "Saturday, November 28, to be confirmed"),
        ("es", None, "hora por confirmar", "hora por confirmar"),
        ("es", date(2026, 11, 28), "sab 28 nov, por confirmar", "sábado 28 de noviembre, por confirmar"),
    ],
)
def test_without_a_window_no_time_is_promised(board, language, wish, short, full):
    job = a_job(board, preferred_day=wish)

    assert short in text(job, "scheduled", language)
    assert full in written(job, "scheduled", "email", language).text


def test_times_are_those_on_the_boards_wall(board):
    job = a_job(board, THURSDAY)
    Board.objects.filter(pk=board.pk).update(timezone="Europe/Stockholm")

    assert "Thu Nov 26, 4-6 PM CET" in text(job, "scheduled")


def test_it_tells_of_the_job_as_it_is_now(board):
    job = a_job(board, THURSDAY)
    message = a_message(job, "scheduled")
    flow.edit(job, {"window_start": None, "window_end": None, "service": "dumpster_pickup"}, expect=job.seq, by="Ana")

    fresh = Message.objects.select_related("job__board").get(pk=message.pk)

    assert writing.render(fresh).text == f"{DENVER}: dumpster pickup scheduled, time to be confirmed. {LINK}"


# --- what is given up for one text, in which order


def shortened(words: str, **filling: str) -> str:
    everything = dict.fromkeys(PLACEHOLDERS, "") | {values.BRIEF: "brief"} | filling
    return writing.compose(writing.Words("", words), everything, "sms", "en", "link").text


def test_a_text_that_fits_keeps_all_its_values():
    words = "{{ company }} {{ link }}"

    assert shortened(words, company="c" * 80, link="l" * 79) == "c" * 80 + " " + "l" * 79


def test_the_company_gives_way_first_and_only_as_far_as_it_must():
    said = shortened(
        "{{ company }}: {{ where }}. {{ link }}", company="Rocky Mountain Junk Hauling", where="w" * 60, link="l" * 77
    )

    assert said == f"Rocky Mountain Junk: {'w' * 60}. {'l' * 77}"


def test_the_time_says_no_weekdays_before_the_company_loses_its_name():
    said = shortened("{{ company }}: {{ when }}. {{ link }}", company="Rocky Mountain Junk", when="w" * 64, link="l" * 79)

    assert said == f"Rocky Mountain Junk: brief. {'l' * 79}"


def test_how_to_opt_out_goes_before_the_last_of_the_company_and_whole():
    said = shortened(
        "{{ company }}: {{ link }}[ {{ stop }}]",
        company="Rocky Mountain Junk",
        link="l" * 130,
        stop="Reply STOP to opt out",
    )

    assert said == f"Rocky Mountain Junk: {'l' * 130}"


def test_the_link_is_never_cut_rather_there_are_two_texts():
    said = shortened("{{ company }}: {{ link }}", company="Rocky Mountain Junk", link="l" * 200)

    assert said == f"Rocky: {'l' * 200}"


# --- what people type into names


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("Mia Chen", "Hello Mia,"),
        ("Jean-Luc O’Hara", "Hello Jean-Luc,"),
        ("D'Angelo", "Hello D'Angelo,"),
        ("José", "Hello José,"),
        ("李 小龙", "Hello 李,"),
        ("", "Hello,"),
        ("http://evil.example win", "Hello,"),
        ("evil.example", "Hello,"),
        ("{{ link }}", "Hello,"),
        ("<b>Mia</b>", "Hello,"),
        ("\u202eaiM", "Hello aiM,"),
        ("X" * 31, "Hello,"),
        ("555-0199", "Hello,"),
    ],
)
def test_only_a_name_is_greeted(board, name, greeting):
    assert written(a_job(board, customer_name=name), "booked", "email").text.splitlines()[0] == greeting


def test_an_address_that_is_a_link_is_none_when_it_arrives(board):
    job = a_job(board, location="Win at https://www.evil.example/x\r\nBcc: all@example.com")

    mail = written(job, "scheduled", "email")

    assert "Where: Win at evil. example/x Bcc: all@example. com\n" in mail.text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("12 Elm St. Denver", "12 Elm St. Denver"),
        ("evil\uff0eexample/x", "evil. example/x"),
        ("evil\u2024example", "evil. example"),
        ("evil\u3002example", "evil. example"),
        ("192.0.2.7/x", "192. 0. 2. 7/x"),
        ("call 303.555.0123", "call 303.555.0123"),
        ("1.5 acres", "1.5 acres"),
    ],
)
def test_nothing_that_is_typed_becomes_a_link(typed, kept):
    assert values.no_link(values.clean(typed)) == kept


def test_a_company_name_can_neither_break_a_line_nor_the_html(board):
    Board.objects.filter(pk=board.pk).update(name="A\nBcc: x@example.com <b>&{{ link }}[{{ x }}]")
    MessageTemplate.objects.create(
        board=board, kind="booked", channel="email", subject="From {{ company }}", body="{{ company }}"
    )
    job = a_job(Board.objects.get(pk=board.pk))

    mail = written(job, "booked", "email")

    assert mail.subject == "From A Bcc: x@example.com <b>&{{ link }}[{{ x }}]"
    EmailMessage()["Subject"] = mail.subject
    assert "&lt;b&gt;&amp;{{ link }}[{{ x }}]" in mail.html
    assert "<b>" not in mail.html
    assert text(job, "done").startswith("A Bcc: x@example.com <b>&{{ link }}[{{ x }}]: your")


# --- a company's own words


def test_a_companys_own_words_are_sent_instead_of_ours(board):
    own = {"board": board, "kind": "done", "channel": Channel.SMS}
    MessageTemplate.objects.create(**own, body="{{company}} is “done”[, {{ customer }}]{{ reason }}")
    MessageTemplate.objects.create(**own | {"channel": Channel.EMAIL}, subject="S", body="Not this")
    MessageTemplate.objects.create(**own, language="es", body="Ni este")
    other = Board.objects.create(slug="other", name="Other")
    MessageTemplate.objects.create(**own | {"board": other}, body="Nor this")

    assert text(a_job(board), "done") == 'QuickDumpNow Denver is "done", Mia'


def test_words_of_another_board_are_not_ours_to_send(board):
    other = Board.objects.create(slug="other", name="Other")
    MessageTemplate.objects.create(board=other, kind="done", channel=Channel.SMS, body="Nor this")

    assert text(a_job(board), "done") == f"{DENVER}: your junk removal is done. Thank you! {LINK}"


def test_a_subject_is_one_line_of_at_most_200_characters(board):
    own = {"board": board, "kind": "done", "channel": Channel.EMAIL, "body": "Bye"}
    MessageTemplate.objects.create(**own, subject="A\r\nBcc: {{ where }} {{ where }}")

    mail = written(a_job(board, location="y" * 150), "done", "email")

    assert mail.subject == f"A Bcc: {'y' * 150} {'y' * 42}"


def test_a_link_in_a_sentence_gets_a_button_below(board):
    own = {"board": board, "kind": "done", "channel": Channel.EMAIL, "subject": "Done"}
    MessageTemplate.objects.create(**own, body="See {{ link }} for more.\n\nBye")

    html = written(a_job(board), "done", "email").html

    assert re.findall(r'href="([^"]*)"', html) == [LINK, LINK]
    assert html.index("Bye") < html.index("See your job")


def test_words_without_a_link_get_no_button(board):
    MessageTemplate.objects.create(board=board, kind="done", channel=Channel.EMAIL, subject="Done", body="Bye")

    assert "href" not in written(a_job(board), "done", "email").html


def test_the_reason_of_a_cancelled_job_can_be_told(board):
    MessageTemplate.objects.create(board=board, kind="cancelled", channel=Channel.SMS, body="{{ company }}[: {{ reason }}]")
    job = a_job(board)

    assert text(job, "cancelled") == "QuickDumpNow Denver"
    flow.move(job, "cancelled", expect=job.seq, by="Ana", channel="board", reason="Truck\nbroke. See evil.example")
    assert text(Job.objects.get(pk=job.pk), "cancelled") == "QuickDumpNow Denver: Truck broke. See evil. example"


@pytest.mark.parametrize(
    "words", ["{{ settings.SECRET_KEY }}", "{{ name }}", "{{ company|upper }}", "{{}}", "{{ {{ link }} }}"]
)
def test_what_does_not_exist_is_named_beside_what_does(words):
    with pytest.raises(ValidationError) as error:
        fill(words, dict.fromkeys(PLACEHOLDERS, ""))

    assert error.value.messages[0].startswith("There is no {{ " + words[2:].split("}}")[0].strip())
    assert error.value.messages[0].endswith(
        "There are: {{ company }}, {{ customer }}, {{ what }}, {{ when }}, {{ where }}, {{ crew }}, {{ phone }}, "
        "{{ link }}, {{ reason }}, {{ stop }}."
    )


@pytest.mark.parametrize("words", ["{% include 'x' %}", "{{ link", "link }}", "{{ link }} }}"])
def test_braces_that_are_no_placeholder_are_refused(words):
    with pytest.raises(ValidationError, match="brace too many or too few"):
        fill(words, dict.fromkeys(PLACEHOLDERS, ""))


def test_values_are_not_looked_at_again():
    filled = fill(
        "{{ company }}[ {{ where }}]", dict.fromkeys(PLACEHOLDERS, "") | {"company": "{{ link }}", "where": "[{{ x }}]"}
    )

    assert filled == "{{ link }} [{{ x }}]"


@pytest.mark.parametrize(
    ("channel", "words", "problems"),
    [
        ("sms", writing.Words("", "{{ company }}: {{ link }}"), {}),
        (
            "sms",
            writing.Words("", "{{ company }}: {{ link }} 🚛 李 🚛"),
            {"body": ["Texts cannot show: 🚛 李. Please leave that out."]},
        ),
        ("email", writing.Words(" ", "🚛"), {"subject": ["An e-mail needs a subject."]}),
        ("email", writing.Words("Hi", "🚛 " + "long " * 200), {}),
    ],
)
def test_words_are_tried_before_they_are_kept(board, channel, words, problems):
    try:
        writing.check_words(words, board, channel, "en", "link")
        found = {}
    except ValidationError as error:
        found = error.message_dict

    assert found == problems


@pytest.mark.parametrize(("fixed", "over"), [(81, 0), (82, 1), (99, 18)])
def test_who_writes_too_much_reads_how_much_too_much(board, fixed, over):
    """A link at dispatch.example takes 63 of 160 characters; of the company 6 stay, or its last whole word."""
    assert len(LINK) == 63
    board.name = "Abcdefghijklm"
    words = writing.Words("", "{{ company }}" + "x" * (fixed + 10) + "{{ link }}")

    if not over:
        writing.check_words(words, board, "sms", "en", "link")
        return
    with pytest.raises(ValidationError) as error:
        writing.check_words(words, board, "sms", "en", "link")
    assert error.value.message_dict == {
        "body": [
            f"{over} character{'s' * (over > 1)} too many for one text, when names and times are long. Please shorten it."
        ]
    }


def test_a_language_that_we_do_not_speak_is_english(board):
    message = a_message(a_job(board), "done")
    message.language = "fr"

    assert writing.render(message).text == f"{DENVER}: your junk removal is done. Thank you! {LINK}"


# --- what the docs say


def test_the_docs_show_every_text_as_it_is(board, settings):
    docs = (settings.BASE_DIR / "docs" / "messages.md").read_text()
    job = a_job(board, THURSDAY, crew=["Dee Park", "Al Ray"])

    missing = {kind for kind in OF_JOBS if f"`{text(job, kind).partition(LINK)[0]}https://" not in docs}

    assert missing == set()


def test_the_docs_list_every_placeholder(settings):
    docs = (settings.BASE_DIR / "docs" / "messages.md").read_text()

    assert re.findall(r"^\| `\{\{ (\w+) \}\}` \|", docs, re.M) == list(PLACEHOLDERS)
