import pytest
from django.core.checks import run_checks

from qdn.checks import check_channel_layer, check_database, check_public_origin


@pytest.mark.parametrize(
    ("loopback", "secure", "ids"), [(True, False, []), (False, True, []), (False, False, ["qdn.W001"])]
)
def test_a_public_origin_without_tls_is_a_warning(settings, loopback, secure, ids):
    settings.LOOPBACK, settings.SECURE = loopback, secure

    assert [found.id for found in check_public_origin()] == ids


@pytest.mark.parametrize(("url", "ids"), [("redis://cache", []), ("", ["qdn.W002"])])
def test_production_without_redis_is_a_warning(settings, url, ids):
    settings.REDIS_URL = url

    assert [found.id for found in check_channel_layer()] == ids


@pytest.mark.parametrize(("engine", "ids"), [("postgresql", []), ("sqlite3", ["qdn.W003"])])
def test_production_on_sqlite_is_a_warning(monkeypatch, settings, engine, ids):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", f"django.db.backends.{engine}")

    assert [found.id for found in check_database()] == ids


def test_they_are_part_of_check_deploy_alone(settings):
    settings.LOOPBACK, settings.SECURE, settings.REDIS_URL = False, False, ""

    def ids(**options: bool) -> set[str]:
        return {found.id for found in run_checks(**options) if found.id.startswith("qdn.") and found.id != "qdn.W003"}

    assert (ids(include_deployment_checks=True), ids()) == ({"qdn.W001", "qdn.W002"}, set())
