import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from qdn import environment as env

ROOT = Path(__file__).parents[2]
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def port():
    return env.port("X", 8000)


def number():
    return env.number("X", 8, 1, 32)


def flag():
    return env.flag("X", default=False)


def origin():
    return env.origin("X", "http://127.0.0.1:8000")


def redis():
    return env.redis_url("X")


def database():
    return env.database("X", "sqlite:///var/db.sqlite3")


def bucket():
    return env.bucket("X")


def address():
    return env.address("X", "dispatch@localhost")


def email():
    return env.email("X", "console:")


def level():
    return env.choice("X", "WARNING", ("DEBUG", "INFO", "WARNING"))


@pytest.mark.parametrize(
    ("read", "default"),
    [
        (port, 8000),
        (number, 8),
        (flag, False),
        (origin, "http://127.0.0.1:8000"),
        (redis, ""),
        (bucket, ""),
        (address, "dispatch@localhost"),
        (email, env.Email("django.core.mail.backends.console.EmailBackend")),
        (level, "WARNING"),
    ],
)
@pytest.mark.parametrize("value", [None, "", "  "], ids=["unset", "empty", "blank"])
def test_nothing_means_the_default(monkeypatch, read, default, value):
    monkeypatch.delenv("X", raising=False) if value is None else monkeypatch.setenv("X", value)

    assert read() == default


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (port, "1", 1),
        (port, " 65535 ", 65535),
        (number, "1", 1),
        (number, " 32 ", 32),
        (flag, "1", True),
        (flag, "True", True),
        (flag, "yes", True),
        (flag, "off", False),
        (origin, "https://dispatch.example.com", "https://dispatch.example.com"),
        (origin, "https://dispatch.example.com/", "https://dispatch.example.com"),
        (origin, "HTTPS://Dispatch.Example.com", "https://dispatch.example.com"),
        (origin, "https://example.com:443", "https://example.com"),
        (origin, "http://example.com:443", "http://example.com:443"),
        (origin, "http://[::1]:8000", "http://[::1]:8000"),
        (redis, "redis://:secret@cache:6379/1", "redis://:secret@cache:6379/1"),
        (redis, "rediss://cache", "rediss://cache"),
        (redis, "unix:///run/redis.sock", "unix:///run/redis.sock"),
        (bucket, "qdn-state.example", "qdn-state.example"),
        (address, "QuickDumpNow <dispatch@example.com>", "QuickDumpNow <dispatch@example.com>"),
        (address, "dispatch@example.com", "dispatch@example.com"),
        (email, "console:", env.Email("django.core.mail.backends.console.EmailBackend")),
        (email, "smtp://mail", env.Email(SMTP, "mail", 587, starttls=True)),
        (email, "smtps://a%40b:c%2Fd@mail:4650", env.Email(SMTP, "mail", 4650, "a@b", "c/d", tls=True)),
        (level, "info", "INFO"),
    ],
)
def test_a_good_value_is_taken(monkeypatch, read, value, expected):
    monkeypatch.setenv("X", value)

    assert read() == expected


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("sqlite:///{folder}/made/db.sqlite3", ("django.db.backends.sqlite3", "{folder}/made/db.sqlite3", "", "", "")),
        ("postgresql://qdn:a%2Fb@db:5433/dispatch", ("django.db.backends.postgresql", "dispatch", "db", 5433, "a/b")),
        ("postgres:///dispatch", ("django.db.backends.postgresql", "dispatch", "", "", "")),
    ],
)
def test_a_database_url_becomes_djangos_entry(monkeypatch, tmp_path, url, entry):
    monkeypatch.setenv("X", url.format(folder=tmp_path))

    found = database()

    expected = tuple(part.format(folder=tmp_path) if isinstance(part, str) else part for part in entry)
    assert tuple(found[key] for key in ("ENGINE", "NAME", "HOST", "PORT", "PASSWORD")) == expected


def test_names_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("X", " a.example , ,b.example,")

    assert env.names("X") == ["a.example", "b.example"]


def test_a_folder_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("X", str(tmp_path / "a" / "b"))

    assert env.folder("X", ROOT) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


BAD = [
    *[(number, value) for value in ("0", "33", "-1", "8.0", "many", "٨", "9" * 5000)],
    *[(port, value) for value in ("abc", "0", "65536", "-1", "80.0", "٨٠", "9" * 5000)],
    *[(flag, value) for value in ("maybe", "2", "y e s")],
    *[
        (origin, value)
        for value in (
            "example.com", "ftp://example.com", "https://", "https://example.com/path", "https://example.com?a=1",
            "https://example.com#top", "https://user@example.com", "http://[", "http://a:port", "https://exa mple.com",
            "https://*.example.com", "https://a.example,https://b.example",
        )
    ],
    *[(redis, value) for value in ("cache:6379", "http://cache", "redis://cache:port", "redis://[")],
    *[
        (database, value)
        for value in (
            "db.sqlite3", "mysql://u:hunter2@h/db", "sqlite://", "sqlite:///:memory:", "postgres://h", "postgres://u@h:port/db",
            "postgres://u:hunter2/@h/db", "postgres://[h/db", "sqlite:////proc/nowhere/db.sqlite3",
        )
    ],
    *[(bucket, value) for value in ("ab", "Upper", "under_score", "s3://bucket", "a" * 64, "-bucket", "bucket/")],
    *[(address, value) for value in ("nobody", "Name <>", "a@", "@b", "a b@c d", "Name\n<a@b.example>")],
    *[(email, value) for value in ("console", "mail:25", "smtp://", "smtp://mail:port", "smtp://[", "http://mail")],
    *[(level, value) for value in ("LOUD", "10")],
]  # fmt: skip


@pytest.mark.parametrize(("read", "value"), BAD)
def test_a_bad_value_is_one_line_that_names_the_variable(monkeypatch, read, value):
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured) as refused:
        read()

    assert str(refused.value).startswith("X: ")
    assert str(refused.value).isprintable()  # no line break either
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "abc"),
        ("DATABASE_URL", "mysql://h/db"),
        ("REDIS_URL", "cache:6379"),
        ("PUBLIC_ORIGIN", "example.com"),
        ("API_ORIGIN", "example.com"),
        ("DEBUG", "maybe"),
        ("STATE_BUCKET", "No Bucket"),
        ("SITE_BUCKET", "No Bucket"),
        ("MEDIA_BUCKET", "No Bucket"),
        ("EMAIL_URL", "pigeon:"),
        ("SMS_BACKEND", "pigeon"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
        ("LOG_LEVEL", "loud"),
        ("VAR_DIR", "/proc/nowhere"),
    ],
)
def test_manage_py_says_it_in_one_line_and_fails(variable, value, tmp_path):
    ran = python("manage.py", "check", **{"VAR_DIR": str(tmp_path), variable: value})

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.startswith(f"error: {variable}: ")
    assert len(ran.stderr.splitlines()) == 1


def test_the_defaults_run(tmp_path):
    ran = python("-c", SHOW, VAR_DIR=str(tmp_path))

    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "8000 False http://127.0.0.1:8000 http://127.0.0.1:8000 False",
        "['127.0.0.1', 'localhost']",
        f"{tmp_path}/db.sqlite3 channels.layers.InMemoryChannelLayer dispatch.messages.sms.ConsoleSms   ",
    ]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_secret_is_made_once_and_kept(tmp_path):
    program = "from qdn import settings; print(settings.SECRET_KEY)"
    first, second, third = (
        python("-c", program, VAR_DIR=str(tmp_path), **more) for more in ({}, {}, {"SECRET_KEY": "own"})
    )

    assert len(first.stdout.strip()) == 67
    assert first.stdout == second.stdout
    assert third.stdout == "own\n"
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


SHOW = """
from qdn import settings as s
print(s.PORT, s.DEBUG, s.PUBLIC_ORIGIN, s.API_ORIGIN, s.SECURE)
print(s.ALLOWED_HOSTS)
layer = s.CHANNEL_LAYERS["default"]["BACKEND"]
print(s.DATABASES["default"]["NAME"], layer, s.SMS_BACKEND, s.STATE_BUCKET, s.SITE_BUCKET, s.MEDIA_BUCKET)
"""

KNOBS = (
    "DATABASE_URL", "REDIS_URL", "STATE_BUCKET", "SITE_BUCKET", "MEDIA_BUCKET", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS",
    "PUBLIC_ORIGIN", "API_ORIGIN", "DEFAULT_FROM_EMAIL", "EMAIL_URL", "SMS_BACKEND", "PORT", "LOG_LEVEL", "STATIC_ROOT",
    "DJANGO_SETTINGS_MODULE", "S3_ADDRESSING_STYLE", "MIRROR_UPLOADS", "MIRROR_LEASE_SECONDS", "METRICS_TOKEN",
)  # fmt: skip


def python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, with the product's settings and just these variables of ours."""
    clean = {name: value for name, value in os.environ.items() if name not in KNOBS}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=clean | variables, capture_output=True, text=True, timeout=60
    )
