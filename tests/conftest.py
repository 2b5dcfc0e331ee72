"""What most tests stand on: the main board and three people."""

import gc
import os
import re
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from whitenoise.middleware import WhiteNoiseMiddleware

from dispatch.models import Board, Job
from tests import postgres, servers
from tests.factories import make_job, make_user

CI = os.environ.get("CI") == "true"
PARTS = ("processes", "browser")  # `make test` runs them apart from the others


def missing(what: str) -> None:
    """On CI a missing piece is a failure, on a laptop a printed reason."""
    if CI:
        pytest.fail(f"{what} is missing", pytrace=False)
    pytest.skip(f"{what} is missing; `make test` as root installs it")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Each part of `make test` leaves files alone of which it would run nothing: importing all of them takes seconds, in
    every worker."""
    if not collection_path.match("test_*.py"):
        return None
    part = config.option.markexpr
    if part in PARTS:
        leave = not is_marked(collection_path, part)
    else:
        leave = part == "not browser and not processes" and is_marked_as_a_whole(collection_path)
    return leave or None


def is_marked(path: Path, part: str) -> bool:
    """Whether tests of that part are in the file."""
    return f"mark.{part}" in read(path)


def is_marked_as_a_whole(path: Path) -> bool:
    """Whether all of its tests are of one of the parts."""
    return bool(re.search(rf"^pytestmark = .*\bmark\.({'|'.join(PARTS)})\b", read(path), re.MULTILINE))


@cache
def read(path: Path) -> str:
    return path.read_text()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays to the end. The garbage collector need not go through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On another database than the usual one, what has little to do with a database is not tried again."""
    for item in items:
        for part in PARTS:
            if item.get_closest_marker(part) and not is_marked(item.path, part):
                raise pytest.UsageError(f"{item.nodeid} is of the part {part}, but {item.path} does not say mark.{part}")
    if os.environ.get("DATABASE_URL"):
        uses = {"db", "transactional_db", "live_server"}
        again = [
            item
            for item in items
            if (uses & set(item.fixturenames) or item.get_closest_marker("django_db"))
            and not item.get_closest_marker("one_database")
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(again)])
        items[:] = again


@pytest.fixture(scope="session", autouse=True)
def static_files() -> Iterator[None]:
    """Every test client makes the middleware anew, and WhiteNoise would look for all static files each time."""
    look, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def look_once(self: WhiteNoiseMiddleware) -> None:
        key = (self.static_prefix, self.max_age, self.allow_all_origins)
        if key not in found:
            look(self)
            found[key] = dict(self.files)
        self.files.update(found[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def emptying() -> Iterator[None]:
    """PostgreSQL makes new files for every table and index that is truncated, which takes much longer than deleting the few
    rows that a test leaves."""

    def deletions(self: DatabaseOperations, style: object, tables: list[str], **_: bool) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", deletions)
        yield


@pytest.fixture
def board(db) -> Board:
    board, _ = Board.objects.update_or_create(
        slug="main", defaults={"name": "QuickDumpNow Denver", "timezone": "America/Denver", "phone": "+13035550100"}
    )
    return board


@pytest.fixture
def job(board) -> Job:
    return make_job(board)


@pytest.fixture
def dispatcher(db) -> User:
    return make_user("ana", "view_job", "change_job", "add_job", first_name="Ana", last_name="Ruiz")


@pytest.fixture
def stranger(db) -> User:
    """Signed in, but with no permission."""
    return make_user("sam")


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_superuser("root", password="password")


@pytest.fixture
def ana(client: Client, dispatcher: User) -> Client:
    """The dispatcher's browser."""
    client.force_login(dispatcher)
    return client


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request, tmp_path) -> str:
    """A new database of each engine, for a program to migrate."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'race.sqlite3'}"
    url, name = request.getfixturevalue("postgres_url"), f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture
def redis_server() -> Iterator[servers.Redis]:
    if not servers.redis_binary():
        missing("redis-server")
    with servers.running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def product() -> Iterator[servers.Product]:
    """The whole product as it is started on a laptop: one server, one worker, SQLite, files; Ana the dispatcher."""
    with servers.product() as running:
        running.serve()
        running.work()
        yield running
