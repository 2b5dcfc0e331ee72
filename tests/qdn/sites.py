"""A site of its own for a test: folders for pages and copies, and releases that differ in the company's name."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from dispatch.models import Board
from edge import pointer
from qdn.site import SiteStore

FOLDER = "dispatch.mirror.storages.CompareAndSwapFileSystemStorage"


def use_folders(settings, path: Path) -> None:
    """Everything lies below `path`."""
    places = {name: {"BACKEND": FOLDER, "OPTIONS": {"location": path / name}} for name in ("site", "state")}
    settings.STORAGES = settings.STORAGES | places
    settings.VAR_DIR = path


def edge(*arguments: str) -> str:
    """What `manage.py edge` prints. The server behind the API is not looked at: there is none in most tests."""
    printed = StringIO()
    looks = ["--no-api"] if arguments[0] in {"stage", "verify", "promote", "rollback"} else []
    call_command("edge", *arguments, *looks, stdout=printed)
    return printed.getvalue()


def stage(name: str) -> str:
    """Stages the site of a company of that name; returns the release's id."""
    Board.objects.filter(slug="main").update(name=name)
    edge("stage")
    return str(pointer.read(SiteStore(), pointer.STAGING).release)


def release(name: str) -> str:
    """Stages and promotes it."""
    id = stage(name)
    edge("promote")
    return id
