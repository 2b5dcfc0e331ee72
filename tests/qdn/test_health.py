import pytest
from django.db import OperationalError, ProgrammingError, connection


class Broken:
    """Stands for a database that answers every query with an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, *query):
        raise self.error


def test_healthz_answers_without_the_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"ok\n", "text/plain")


def test_readyz_is_ready_with_the_database(client, db):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.content) == (200, b"ready\n")


@pytest.mark.parametrize("error", [OperationalError("connection refused"), ProgrammingError("no such table")])
def test_readyz_is_not_ready_when_the_database_is_not(client, db, error):
    with connection.execute_wrapper(Broken(error)):
        answer = client.get("/readyz")

    assert (answer.status_code, answer.content) == (503, f"cannot read the database ({connection.vendor})\n".encode())


@pytest.mark.parametrize("url", ["/healthz", "/readyz"])
def test_no_cache_keeps_the_answer(client, db, url):
    assert "no-store" in client.get(url)["Cache-Control"]


@pytest.mark.parametrize("url", ["/healthz", "/readyz"])
def test_only_reading_is_allowed(client, url):
    assert client.post(url).status_code == 405


@pytest.mark.parametrize(("url", "status"), [("/healthz", 200), ("/readyz", 200), ("/login/", 301)])
def test_a_load_balancer_need_not_speak_https(client, db, settings, url, status):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(url).status_code == status
