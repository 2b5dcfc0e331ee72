"""What the members' API says: everything has its Spanish, and a refusal that has none is found out."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import polib
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext, override

from crew import api, field, plan, spoken
from crew.models import Event
from dispatch import flow, photos, pictures
from dispatch.models import Job
from dispatch.statuses import STATUS_FLOW
from tests.crew.factories import make_event, make_member
from tests.crew.phones import phone, send
from tests.dispatch.test_photos import folder, jpeg
from tests.factories import make_job

__all__ = ["folder"]  # a fixture
ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "crew" / "locale" / "es" / "LC_MESSAGES" / "django.po"
NOON = "2026-05-04T18:00:00Z"
MODULES = ("api", "clock", "field", "field_photos", "rules", "spoken")
"""Of the crews' own, where what members read is written."""
ELSEWHERE = (
    "crew/plan.py", "dispatch/asks.py", "dispatch/idempotency.py", "dispatch/photos.py", "dispatch/pictures.py",
    "dispatch/rules.py",
)  # fmt: skip
NOT_A_MEMBERS = {
    "Refused": {
        "empty", "no_stars", "not_asked", "not_now", "nothing_to_undo", "other_board", "past_day", "too_late_to_undo",
        "unknown_ask", "unknown_field", "unknown_role", "unknown_status",
    },
    "problem": {"method_not_allowed", "stale", "version_required"},
}  # fmt: skip
"""What only the office, a customer or a program that is none of ours can meet."""


def tree(path: str) -> ast.AST:
    return ast.parse((ROOT / path).read_text())


def codes(paths, *raised: str) -> set[str]:
    """The first text in each call of one of these."""
    calls = [node for path in paths for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    texts = [[one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
             for node in calls if getattr(node.func, "id", "") in raised]  # fmt: skip
    return {found[0] for found in texts if found}


def boundary() -> set[str]:
    """The codes of qdn/api.py and crew/problems.py: in their problems, and by the number of an answer."""
    paths = ("qdn/api.py", "crew/problems.py")
    handlers = [node for path in paths for node in ast.walk(tree(path)) if isinstance(node, ast.Call | ast.Dict)]
    places = [node.args[1:2] if isinstance(node, ast.Call) else node.values for node in handlers
              if isinstance(node, ast.Dict) or getattr(node.func, "id", "") == "problem"]  # fmt: skip
    found = [one for place in places for part in place for one in ast.walk(part) if isinstance(one, ast.Constant)]
    return {one.value for one in found if isinstance(one.value, str) and re.fullmatch("[a-z_]+", one.value)}


OURS = codes([f"crew/{name}.py" for name in MODULES], "Refusal")
OTHERS = codes(ELSEWHERE, "Refused") - NOT_A_MEMBERS["Refused"]
PICTURES = {error.code for error in (pictures.BadPicture, *pictures.BadPicture.__subclasses__())}
BOUNDARY = (boundary() | PICTURES) - NOT_A_MEMBERS["problem"]
TOLD = {"busy", "moved_on", "not_yet", "not_yours", "overlaps", "taken", "too_often"}
"""By exceptions of the crews' own, whose message is in the language already."""


# --- the texts


def texts() -> set[str]:
    marks = {"_", "gettext"}
    calls = [node for name in MODULES for node in ast.walk(tree(f"crew/{name}.py")) if isinstance(node, ast.Call)]
    return {node.args[0].value for node in calls if getattr(node.func, "id", "") in marks
            if isinstance(node.args[0], ast.Constant)}  # fmt: skip


def names_in(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}", text))


def test_every_text_has_its_spanish_with_the_same_names_in_it():
    written = polib.pofile(str(CATALOGUE))

    assert {entry.msgid for entry in written if entry.msgstr and "fuzzy" not in entry.flags} == texts()
    assert [entry.msgid for entry in written if names_in(entry.msgid) != names_in(entry.msgstr)] == []
    with override("es"):  # the customers' catalogue comes first where both have a text
        assert [entry.msgid for entry in written if gettext(entry.msgid) != entry.msgstr] == []


def test_the_compiled_catalogue_is_that_of_the_text():
    compiled, written = polib.mofile(str(CATALOGUE.with_suffix(".mo"))), polib.pofile(str(CATALOGUE))

    assert {one.msgid: one.msgstr for one in compiled} == {one.msgid: one.msgstr for one in written}


def english_in(node: ast.AST) -> list[str]:
    """Sentences outside gettext."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "gettext":
        return []
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\w \w|^[A-Z]\w+$", node.value):
        return [node.value]
    return [text for child in ast.iter_child_nodes(node) for text in english_in(child)]


def test_no_refusal_of_the_crews_own_is_in_english_alone():
    said = []
    for name in MODULES:
        for node in ast.walk(tree(f"crew/{name}.py")):
            match node:
                case ast.Raise(exc=ast.Call(func=ast.Name(id="Refused"))) if name != "spoken":
                    said.append(f"{name}: Refused instead of Refusal")
                case (
                    ast.Raise(exc=ast.Call(args=arguments))
                    | ast.Call(
                        func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"), args=arguments
                    )
                ):
                    said += [f"{name}: {text}" for one in arguments for text in english_in(one)]

    assert said == ["rules:  changed this event ", "rules:  changed this event"]  # the office reads it


def test_every_refusal_that_is_made_elsewhere_has_its_words():
    """A new one has none: say it in crew/spoken.py, or in NOT_A_MEMBERS that no member meets it."""
    assert OTHERS - set(spoken.OTHERS) == set()
    assert set(spoken.OTHERS) - codes(ELSEWHERE, "Refused") == set()
    assert set(spoken.EVERYWHERE) == BOUNDARY - TOLD


@pytest.mark.parametrize("slug", STATUS_FLOW)
def test_statuses_are_called_as_on_the_page(slug):
    page = (ROOT / "crew" / "static" / "crew" / "words_es.js").read_text()
    with override("es"):
        label = spoken.status_label(slug)

    assert re.search(rf'\b{slug}: "([^"]+)"', page.partition("statuses:")[2])[1] == label
    assert STATUS_FLOW[slug].label in spoken.STATUSES


def test_times_are_said_as_on_the_page():
    page = (ROOT / "crew" / "static" / "crew" / "words_es.js").read_text()
    now = timezone.now()
    with override("es"):
        said = [spoken.ago(now - timedelta(seconds=passed), now) for passed in (4, 120, 7200, 172800)]

    assert [text.replace(text.split()[1], "{n}") for text in said] == re.findall(r'"(hace [^"]+)"', page)


# --- the refusals


class World:
    """A member who reads this language, their phone, and what it takes to be refused."""

    def __init__(self, board, language: str, monkeypatch) -> None:
        self.board, self.patch = board, monkeypatch
        self.dee = make_member(board, f"Dee {language}", email=f"dee.{language}@example.com", language=language)
        self.sam = make_member(board, f"Sam {language}", email=f"sam.{language}@example.com", can_captain=True)
        self.phone, self.acts = phone(self.dee), 0
        self.today = make_event(board, "Today", days=0.1)
        plan.claim(self.today, self.dee, by="Dee")

    def job(self, status: str = "scheduled", **facts) -> Job:
        job = make_job(self.board, status=status, **facts)
        plan.put_job(job, self.today, by="Ana")
        job.refresh_from_db()
        return job

    def act(self, job: Job | str, kind: str, **facts):
        uid, self.acts = job if isinstance(job, str) else job.uid, self.acts + 1
        body = {"kind": kind, "at": NOON} | facts
        return send(self.phone, "POST", f"/crew/jobs/{uid}/actions", body, key=f"k-{self.acts}")

    def move(self, job: Job, to: str = "en_route", **more):
        return self.act(job, "move", **{"from": job.status, "to": to} | more)

    def no_access(self, job: Job, reason: str = "Locked"):
        return self.act(job, "no_access", **{"from": job.status, "reason": reason})

    def punch(self, is_in: bool, key: str | None = "k"):
        return send(self.phone, "POST", "/crew/clock", {"in": is_in, "at": NOON}, key=key)

    def claim(self, event: Event | str):
        return send(self.phone, "POST", f"/events/{getattr(event, 'uid', event)}/claim")

    def release(self, event: Event):
        return send(self.phone, "DELETE", f"/events/{event.uid}/claim")

    def photo(self, content: bytes | None = None, kind: str = "after", job: Job | None = None):
        job = job or self.job("in_progress")
        file = SimpleUploadedFile("photo.jpg", content or jpeg(), "image/jpeg")
        body = {"file": file, "kind": kind, "at": NOON}
        return self.phone.post(f"/api/v1/crew/jobs/{job.uid}/photos", body, headers={"Idempotency-Key": "k"})

    def other(self, **fields) -> Event:
        return make_event(self.board, "Another", days=3, **fields)

    def full(self) -> Event:
        event = self.other()
        plan.claim(event, self.sam, by="Sam")
        return event

    def captains(self) -> Event:
        type(self.dee).objects.filter(pk=self.dee.pk).update(can_captain=True)
        self.dee.refresh_from_db()
        event = self.other()
        plan.assign(event, self.dee, "captain", by="Ana")
        return event

    def cancelled(self, event: Event) -> Event:
        plan.cancel_event(event, by="Ana", reason="Snow.")
        return event

    def sent_with_another(self, kind: str = "after"):
        job = self.job("in_progress")
        self.photo(job=job)
        return self.photo(kind="before", job=job)

    def set(self, where, name: str, value):
        self.patch.setattr(where, name, value)
        return self

    def only_captain(self):
        type(self.dee).objects.filter(pk=self.dee.pk).update(can_captain=True, can_first_mate=False)
        return self

    def moved(self, job: Job) -> Job:
        flow.move(Job.objects.get(pk=job.pk), "completed", expect=job.seq, by="Ana", channel="board")
        return job

    def tomorrow(self, job: Job) -> Job:
        start = timezone.now() + timedelta(days=1)
        Event.objects.filter(pk=self.today.pk).update(starts_at=start, ends_at=start + timedelta(hours=8))
        return job

    def lost(self, job: Job) -> Job:
        self.cancelled(self.today)
        return job

    def long_ago(self, job: Job) -> Job:
        Job.objects.filter(pk=job.pk).update(status_at=timezone.now() - timedelta(days=2))
        return job

    def again(self):
        self.punch(True)
        return self.punch(False)

    def forged(self):
        client, body = phone(self.dee, enforce_csrf_checks=True), {"in": True, "at": NOON}
        return send(client, "POST", "/crew/clock", body, key="k", **{"Accept-Language": self.dee.language})


REFUSALS = {
    "bad_key": lambda w: w.punch(True, "x" * 101),
    "bad_picture": lambda w: w.photo(b"no photo"),
    "bad_picture pixels": lambda w: w.set(pictures, "MOST_PIXELS", {"JPEG": 1}).photo(),
    "busy": lambda w: w.set(field, "TRIES", 0).move(w.job()),
    "cancelled": lambda w: w.claim(w.cancelled(w.other())),
    "cancelled and released": lambda w: w.release(w.cancelled(w.today)),
    "csrf": lambda w: w.forged(),
    "empty": lambda w: w.act(w.job(), "note", text=" "),
    "has_place": lambda w: w.claim(w.captains()),
    "invalid": lambda w: w.act(w.job(), "dance"),
    "key_required": lambda w: w.punch(True, None),
    "key_reused": lambda w: w.again(),
    "key_reused photo": lambda w: w.sent_with_another(),
    "moved_on": lambda w: w.move(w.moved(w.job("in_progress")), "en_route"),
    "not_allowed": lambda w: w.move(w.job(), "completed"),
    "not_allowed status": lambda w: w.move(w.job(), "cancelled"),
    "not_allowed no access": lambda w: w.no_access(w.job()),
    "not_found": lambda w: w.claim("nowhere"),
    "not_in": lambda w: w.punch(False),
    "not_yet": lambda w: w.move(w.tomorrow(w.job())),
    "not_yours": lambda w: w.act("nothing", "note", text="Dog"),
    "not_yours cancelled": lambda w: w.act(w.lost(w.job()), "note", text="Dog"),
    "not_yours released": lambda w: w.release(w.other()),
    "over": lambda w: w.claim(make_event(w.board, "Past", days=-2)),
    "overlaps": lambda w: w.claim(make_event(w.board, "Same", days=0.2)),
    "reason_required": lambda w: w.release(w.today),
    "reason_required no access": lambda w: w.no_access(w.job("en_route"), " "),
    "taken": lambda w: w.claim(w.full()),
    "taken none": lambda w: w.claim(w.other(first_mates=0)),
    "too_large": lambda w: w.set(pictures, "MOST_BYTES", 1).photo(),
    "too_late": lambda w: w.move(w.long_ago(w.job("completed")), "in_progress"),
    "too_long": lambda w: w.act(w.job(), "note", text="x" * 501),
    "too_often": lambda w: w.set(api, "CLAIMS_AN_HOUR", 0).claim(w.other()),
    "too_many": lambda w: w.set(photos, "MOST", 0).photo(),
    "too_many notes": lambda w: w.act(w.job(access_notes="x" * field.MOST_NOTES), "note", text="Dog"),
    "unknown_kind": lambda w: w.photo(kind="selfie"),
    "unreadable": lambda w: w.phone.post("/api/v1/crew/clock", "{", "application/json", headers={"Idempotency-Key": "k"}),
    "wrong_role": lambda w: w.only_captain().claim(w.other()),
}
"""By code, with more words where there are several ways to it."""
NOT_PROVOKED = {"error", "forbidden", "inactive", "other_board", "sign_in"}
"""The phone of who has left is signed out, another board's event is not found; the others have tests below or no cause."""


@pytest.fixture
def world(board, folder, time_machine, monkeypatch):
    time_machine.move_to(NOON, tick=False)
    return lambda language: World(board, language, monkeypatch)


def spanish() -> list[re.Pattern]:
    """What the catalogue has in Spanish, with anything in place of the names."""
    texts = [entry.msgstr for entry in polib.pofile(str(CATALOGUE))]
    return [re.compile("(?s)" + re.sub(r"\\\{\w+\\\}", ".+", re.escape(text))) for text in texts]


def test_every_refusal_is_provoked():
    assert {name.split()[0] for name in REFUSALS} == (
        OURS | OTHERS | BOUNDARY) - NOT_PROVOKED  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_in_the_language_of_the_member(world, name):
    answer = REFUSALS[name](world("es"))

    body = answer.json()
    assert (answer.status_code >= 400, body["code"]) == (True, name.split()[0])
    assert [text for text in spanish() if text.fullmatch(body["detail"])] != [], body["detail"]


@pytest.mark.parametrize("name", ["taken", "moved_on", "too_long", "not_found", "has_place"])
def test_and_in_english_as_it_was(world, name):
    body = REFUSALS[name](world("en")).json()

    assert (body["code"], [text for text in spanish() if text.fullmatch(body["detail"])]) == (name, [])


def test_a_member_reads_who_was_faster_when_and_what(world):
    here = world("es")
    said = [REFUSALS[name](here).json()["detail"] for name in ("taken", "moved_on", "overlaps")]

    assert said == [
        "Lo tomó Sam hace 0 s", "Ana lo pasó a «Terminado» hace 0 s",
        "A esa hora Dee va en «Today»: lunes 4 de mayo, 2:24 p. m. – 10:24 p. m. MDT",
    ]  # fmt: skip


def test_answers_are_in_the_language_of_the_member_too(world):
    here = world("es")
    event, first, second = here.other(), here.job(), here.job("en_route")
    said = [
        here.claim(event), here.claim(event), here.release(event), here.move(first), here.no_access(second),
        here.act(first, "note", text="Perro"),
    ]  # fmt: skip

    assert [answer.json()["detail"] for answer in said] == [
        "Usted va en «Another».", "Usted ya tiene un lugar en «Another».", "Usted ya no va en «Another».",
        "Ahora: En camino.", "La oficina sabe que no hubo acceso.", "Su nota está en el trabajo.",
    ]  # fmt: skip
    second.refresh_from_db()
    assert (second.history.last().reason, second.access_notes) == ("No access: Locked", "")  # the office reads English


def test_who_is_no_member_reads_the_browsers_language_and_the_office_english(world, ana, stranger):
    here, account, spanish_browser = world("es"), Client(), {"Accept-Language": "es"}
    account.force_login(stranger)
    unknown, refused = (send(client, "GET", "/crew/plan", **spanish_browser) for client in (Client(), account))
    office = send(ana, "POST", f"/events/{here.full().uid}/assign", {"member": here.dee.uid, "role": "first_mate"},
                  **spanish_browser)  # fmt: skip

    assert (unknown.json()["code"], unknown.json()["detail"]) == ("sign_in", "Entre primero.")
    assert refused.json()["detail"] == "Usted no puede hacer esto. Pregunte a la oficina."
    assert office.json()["detail"] == "Taken by Sam 0 s ago"
    assert gettext("Somebody") == "Somebody"
