"""What most tests stand on: the main board and three people."""

import os
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.models import User
from django.test import Client

from dispatch.models import Board, Job
from tests import postgres, servers
from tests.factories import make_job, make_user

CI = os.environ.get("CI") == "true"


def missing(what: str) -> None:
    """On CI a missing piece is a failure, on a laptop a printed reason."""
    if CI:
        pytest.fail(f"{what} is missing", pytrace=False)
    pytest.skip(f"{what} is missing; `make test` as root installs it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On another database than the usual one, what has little to do with a database is not tried again."""
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
