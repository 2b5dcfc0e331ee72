"""Links, phones and their end. The pages are in test_sign_in.py."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crew import doors, turns
from crew.access import device_of
from crew.models import Device, SignInLink
from dispatch.answers import Answer
from dispatch.models import Message
from tests.crew.factories import make_member

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
PIXEL = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to("2026-11-24T19:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def dee(board):
    return make_member(board, phone="+13035550177")


@pytest.fixture
def sent(board) -> Callable[[], list[str]]:
    """Where links are to be sent, in the ledger of messages."""
    return lambda: list(Message.objects.filter(kind="crew_sign_in").order_by("pk").values_list("recipient", flat=True))


def secret_in(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[1]


def new_secret(member) -> str:
    return secret_in(doors.new_link(member))


def phone_of(member, agent: str = IPHONE) -> tuple[Device, str]:
    return doors.sign_in(new_secret(member), agent)


def test_a_link_leads_to_where_the_server_is_and_only_its_hash_is_kept(settings, dee):
    settings.API_ORIGIN = "https://dispatch.example.com"

    url = doors.new_link(dee)

    link = SignInLink.objects.get()
    assert url == f"https://dispatch.example.com/crew/sign-in/{secret_in(url)}/"
    assert len(secret_in(url)) == 43  # 256 bits
    assert secret_in(url) not in str(SignInLink.objects.values())
    assert (link.member, link.used_at, link.expires_at - link.created_at) == (dee, None, timedelta(minutes=15))


def test_a_link_signs_in_once(dee):
    secret = new_secret(dee)

    device, cookie = doors.sign_in(secret, IPHONE)

    assert (device.member, device.name, device_of(cookie)) == (dee, "Safari on iPhone", device)
    assert cookie not in str(Device.objects.values())
    with pytest.raises(doors.UsedLink):
        doors.sign_in(secret, IPHONE)
    assert (Device.objects.count(), doors.peek(secret)) == (1, None)


def test_looking_does_not_use_a_link_up(dee):
    secret = new_secret(dee)

    assert [doors.peek(secret) for _ in range(50)] == [dee] * 50
    assert doors.sign_in(secret, IPHONE)[0].member == dee


def test_a_link_lasts_a_quarter_of_an_hour(dee, noon):
    secret = new_secret(dee)

    noon.shift(timedelta(minutes=15) - timedelta(seconds=1))
    assert doors.peek(secret) == dee
    noon.shift(timedelta(seconds=1))
    assert doors.peek(secret) is None
    with pytest.raises(doors.ExpiredLink):
        doors.sign_in(secret, IPHONE)
    assert Device.objects.count() == 0


@pytest.mark.parametrize("guess", ["", "x", "A" * 43, "' OR 1=1 --", "\0", "ä" * 43, "A" * 100_000])
def test_a_guess_signs_nobody_in(dee, guess):
    new_secret(dee)

    assert doors.peek(guess) is None
    with pytest.raises(doors.UnknownLink):
        doors.sign_in(guess, IPHONE)


def test_what_is_kept_in_the_database_opens_nothing(dee):
    """Whoever reads a backup has hashes."""
    new_secret(dee)
    device, _ = phone_of(dee)

    assert [doors.peek(link.secret) for link in SignInLink.objects.all()] == [None, None]
    assert device_of(device.secret) is None


def test_three_links_work_at_once_and_an_older_one_ends(board, dee):
    sams = new_secret(make_member(board, "Sam Oak"))
    first, *others = [new_secret(dee) for _ in range(4)]

    assert [doors.peek(secret) for secret in [first, *others]] == [None, dee, dee, dee]
    assert doors.peek(sams).name == "Sam Oak"
    with pytest.raises(doors.ExpiredLink):
        doors.sign_in(first, IPHONE)


def test_a_used_link_does_not_count_among_the_three(dee):
    kept = [new_secret(dee), new_secret(dee)]
    phone_of(dee)
    kept.append(new_secret(dee))

    assert [doors.peek(secret) for secret in kept] == [dee] * 3


def test_old_links_are_forgotten(dee, noon):
    phone_of(dee)
    noon.shift(timedelta(days=30, minutes=15))
    new_secret(dee)
    assert SignInLink.objects.count() == 2
    noon.shift(timedelta(seconds=1))
    new_secret(dee)

    assert [link.used_at for link in SignInLink.objects.all()] == [None, None]


def test_who_has_left_gets_no_link_and_uses_none(dee):
    secret = new_secret(dee)
    dee.is_active = False
    dee.save()

    with pytest.raises(doors.NotOnTheRoster, match=r"^Dee Ramos is not active on the roster\.$"):
        doors.new_link(dee)
    assert doors.peek(secret) is None
    with pytest.raises(doors.UnknownLink):
        doors.sign_in(secret, IPHONE)
    assert (Device.objects.count(), SignInLink.objects.get().used_at) == (0, None)


def test_the_phone_of_who_has_left_is_not_signed_in(dee):
    _, cookie = phone_of(dee)
    dee.is_active = False
    dee.save()

    assert device_of(cookie) is None


def test_the_cookie_is_new_each_time(dee):
    assert len({phone_of(dee)[1] for _ in range(5)}) == 5


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_use_a_link_at_the_same_time_one_is_signed_in(dee):
    start = threading.Barrier(8)

    answers = [_use_at_once(new_secret(dee), start) for _ in range(15)]

    assert [sorted(answer) for answer in answers] == [["UsedLink"] * 7 + ["in"]] * 15
    assert Device.objects.count() == 15


def _use_at_once(secret: str, start: threading.Barrier) -> list[str]:
    said: list[str] = []

    def use() -> None:
        try:
            start.wait(20)
            doors.sign_in(secret, IPHONE)
            said.append("in")
        except doors.DeadLink as dead:
            said.append(type(dead).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_the_update_that_decides_looks_at_the_row_of_the_link_alone(dee, django_assert_num_queries):
    """PostgreSQL looks at a subquery before the row is locked, and not again after: two would pass."""
    secret = new_secret(dee)

    with django_assert_num_queries(5) as queries:
        doors.sign_in(secret, IPHONE)

    update = next(query["sql"] for query in queries if query["sql"].startswith("UPDATE"))
    assert "SELECT" not in update
    assert '"used_at" IS NULL' in update


def test_signing_in_again_ends_the_phone_that_the_browser_was_and_no_other(board, dee):
    sam = make_member(board, "Sam Oak")
    (shared, shared_cookie), (_, at_home) = phone_of(dee), phone_of(dee, PIXEL)

    _, sams_cookie = doors.sign_in(new_secret(sam), IPHONE, instead_of=shared)

    assert device_of(shared_cookie) is None
    assert (device_of(at_home).member, device_of(sams_cookie).member) == (dee, sam)


def test_signing_out_ends_one_phone(dee):
    (here, cookie), (_, elsewhere) = phone_of(dee), phone_of(dee, PIXEL)

    doors.sign_out(here)

    assert (device_of(cookie), device_of(elsewhere).name) == (None, "Chrome on Android")


def test_all_phones_and_links_of_a_member_end_together(board, dee):
    sam = make_member(board, "Sam Oak")
    secret, sams_secret = new_secret(dee), new_secret(sam)
    cookies, (_, sams_cookie) = [phone_of(dee)[1], phone_of(dee, PIXEL)[1]], phone_of(sam)

    doors.revoke(dee)

    assert ([device_of(cookie) for cookie in cookies], doors.peek(secret)) == ([None, None], None)
    assert (device_of(sams_cookie).member, doors.peek(sams_secret)) == (sam, sam)


def test_a_phone_that_was_ended_keeps_its_time(dee, noon):
    device, _ = phone_of(dee)
    doors.revoke(device)
    noon.shift(timedelta(hours=1))

    doors.revoke(device)
    doors.revoke(dee)

    device.refresh_from_db()
    assert device.revoked_at == timezone.now() - timedelta(hours=1)


def test_a_phone_is_seen_every_ten_minutes_at_most(dee, noon, django_assert_num_queries):
    _, cookie = phone_of(dee)

    noon.shift(timedelta(minutes=9, seconds=59))
    with django_assert_num_queries(1):
        device_of(cookie)
    noon.shift(timedelta(seconds=1))
    with django_assert_num_queries(2):
        device_of(cookie)
    with django_assert_num_queries(1):
        device_of(cookie)

    assert Device.objects.get().last_seen_at == timezone.now()


def test_a_phone_that_is_revoked_is_not_seen_and_stays_revoked(dee, noon):
    device, cookie = phone_of(dee)
    doors.revoke(device)
    noon.shift(timedelta(hours=1))

    assert device_of(cookie) is None
    device.refresh_from_db()
    assert device.last_seen_at == timezone.now() - timedelta(hours=1)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (IPHONE, "Safari on iPhone"),
        (PIXEL, "Chrome on Android"),
        (IPHONE.replace("Version/18.5", "CriOS/131.0.6778.73"), "Chrome on iPhone"),
        (IPHONE.replace("Version/18.5", "FxiOS/133.0"), "Firefox on iPhone"),
        (PIXEL.replace("Chrome/131", "SamsungBrowser/27.0 Chrome/125"), "Samsung Internet on Android"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0", "Firefox on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Safari/537.36 Edg/131.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15", "Safari on Mac"),
        ("curl/8.9", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_phone_is_called_what_people_call_it(agent, name):
    assert doors.name_of(agent) == name


@pytest.mark.parametrize(
    "written",
    ["dee@example.com", " Dee@Example.COM ", "+13035550177", "(303) 555-0177", "303.555.0177", "\u202a303 555 0177\u202c"],
)
def test_a_member_asks_with_what_they_have(dee, sent, written):
    doors.ask(written, source="203.0.113.7")

    assert sent() == ["dee@example.com"]


@pytest.mark.parametrize("written", ["sam@example.com", "+13035550178", "dee@example.com.evil.example"])
def test_nothing_is_sent_to_who_is_unknown_and_it_is_counted_all_the_same(dee, sent, written):
    doors.ask(written, source="203.0.113.7")

    assert (sent(), Answer.objects.count()) == ([], 3)


def test_nothing_is_sent_to_who_has_left(dee, sent):
    dee.is_active = False
    dee.save()

    doors.ask("dee@example.com", source="203.0.113.7")

    assert sent() == []


def test_an_unknown_address_costs_the_same_work_but_for_the_row_of_the_message(dee, django_assert_num_queries):
    """In one transaction and with the same rows that count, so that the clock does not tell who is known."""
    with django_assert_num_queries(15):
        doors.ask("nobody@example.com", source="203.0.113.7")
    with django_assert_num_queries(15 + 2):
        doors.ask("dee@example.com", source="203.0.113.7")


@pytest.mark.parametrize("written", ["", " ", "Dee Ramos", "12", "dee@", "@example.com", "\0@example.com", "9" * 5000])
def test_what_is_neither_an_address_nor_a_number_is_refused(db, written):
    with pytest.raises(doors.NotAnAddress, match=r"^Please write your e-mail address, or your phone number"):
        doors.ask(written, source="203.0.113.7")
    assert Answer.objects.count() == 0


def test_five_links_an_hour_for_one_address_from_one_place_however_it_is_written(dee, sent, noon):
    for number in range(5):
        doors.ask("(303) 555-0177" if number % 2 else "+1 303 555 0177", source="203.0.113.7")

    with pytest.raises(doors.TooManyAsks, match=r"^Several links were asked for already\.") as refused:
        doors.ask("+13035550177", source="203.0.113.7")
    assert (sent(), refused.value.retry_after) == (["dee@example.com"] * 5, 3600)
    noon.shift(timedelta(hours=1))
    doors.ask("+13035550177", source="203.0.113.7")
    assert len(sent()) == 6


def test_a_stranger_who_asks_for_an_hour_keeps_nobody_out(dee, sent):
    for _ in range(30):
        with suppress(doors.TooManyAsks):
            doors.ask("dee@example.com", source="203.0.113.7")

    doors.ask("dee@example.com", source="198.51.100.1")

    assert sent() == ["dee@example.com"] * 6


@pytest.mark.parametrize("address", ["dee@example.com", "nobody@example.com"])
def test_twenty_links_a_day_for_one_address_from_wherever_and_then_it_says_so(dee, sent, noon, address):
    for number in range(20):
        doors.ask(address, source=f"203.0.113.{number}")
    noon.shift(timedelta(hours=1))

    with pytest.raises(doors.TooManyAsks, match=r"or call the office\.$") as refused:
        doors.ask(address, source="198.51.100.1")
    assert (len(sent()), refused.value.retry_after) == (20 if address == "dee@example.com" else 0, 4 * 3600)
    noon.shift(timedelta(hours=4))
    doors.ask(address, source="198.51.100.1")


def test_a_refused_ask_does_not_use_up_the_day(dee, sent):
    for number in range(3):
        for _ in range(8):
            with suppress(doors.TooManyAsks):
                doors.ask("dee@example.com", source=f"203.0.113.{number}")

    for number in range(5):
        doors.ask("dee@example.com", source=f"198.51.100.{number}")
    assert len(sent()) == 20


def test_where_no_place_is_known_there_are_five_an_hour_from_all(dee, sent):
    for _ in range(5):
        doors.ask("dee@example.com", source="")

    with pytest.raises(doors.TooManyAsks):
        doors.ask("dee@example.com", source="")


def test_an_unknown_address_has_the_same_limit(dee, sent):
    for _ in range(5):
        doors.ask("nobody@example.com", source="203.0.113.7")

    with pytest.raises(doors.TooManyAsks):
        doors.ask("nobody@example.com", source="203.0.113.7")


def test_thirty_links_an_hour_from_one_place(dee, sent):
    for number in range(30):
        doors.ask(f"nobody{number}@example.com", source="203.0.113.7")

    with pytest.raises(doors.TooManyAsks):
        doors.ask("dee@example.com", source="203.0.113.7")
    assert sent() == []
    doors.ask("dee@example.com", source="203.0.113.8")
    assert sent() == ["dee@example.com"]


def test_what_is_refused_counts_for_the_place_it_came_from(dee, sent):
    """Else whoever hammers one address could go on for ever."""
    for _ in range(30):
        try:
            doors.ask("dee@example.com", source="203.0.113.7")
        except doors.TooManyAsks:
            continue

    with pytest.raises(doors.TooManyAsks):
        doors.ask("sam@example.com", source="203.0.113.7")
    assert sent() == ["dee@example.com"] * 5


def test_of_a_place_and_an_address_only_hashes_are_kept(dee, sent):
    doors.ask("dee@example.com", source="203.0.113.7")

    kept = str(list(Answer.objects.values()))
    assert ("203.0.113.7" in kept, "dee@example.com" in kept) == (False, False)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_the_last_turns_no_more_get_one_than_there_are(db):
    got: list[bool] = []
    start = threading.Barrier(8)

    def take() -> None:
        start.wait(20)
        got.extend(turns.take("test", "one", 5) for _ in range(3))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (got.count(True), got.count(False)) == (5, 19)


def test_turns_are_forgotten_with_the_answers(db, noon):
    turns.take("test", "one", 5)
    noon.shift(timedelta(hours=49))

    Answer.objects.sweep()

    assert Answer.objects.count() == 0
