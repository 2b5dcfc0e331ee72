"""`manage.py demo`: the whole product in one process, with a company to try it on. What `make run` starts."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from crew import doors
from crew.models import Member
from dispatch.messages import working as sending
from dispatch.mirror import working as copying
from dispatch.models import Job
from qdn import demo_data

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Serves board, admin, tracking pages and worker on http://127.0.0.1:8000 (PORT); loads demo data the first time."
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        self.refuse_taken_port()
        self.stdout.write("")
        with self.step("Database"):
            call_command("migrate", verbosity=0, interactive=False)
        if demo_data.is_new():
            self.put_aside_old_copies()
            with self.step(f"Demo data: {demo_data.JOBS} jobs"):
                demo_data.load(self.progress)
        stop = threading.Event()
        workers = [threading.Thread(target=run, args=(stop,), name="worker") for run in (copying.run, sending.run)]
        for worker in workers:
            worker.start()
        try:
            self.serve()
        finally:
            stop.set()
            for worker in workers:
                worker.join()
        self.stdout.write("\nStopped.")

    def put_aside_old_copies(self) -> None:
        """Of an earlier database, whose folder no worker of this one would touch. They may be all that is left of it."""
        folder = settings.VAR_DIR / "state"
        if not settings.STATE_BUCKET and folder.is_dir() and any(folder.iterdir()):
            aside = folder.with_name(f"state-{time.strftime('%Y%m%d-%H%M%S')}")
            folder.rename(aside)
            self.stdout.write(f"  The copies of an earlier database are in {aside} now.")

    def serve(self) -> None:
        """Until Ctrl-C. Daphne imports Twisted, which takes a while: not before it is needed."""
        from daphne.endpoints import build_endpoint_description_strings
        from daphne.server import Server

        Server(
            import_string("qdn.asgi.application"),
            endpoints=build_endpoint_description_strings(host=HOST, port=settings.PORT),
            ready_callable=self.welcome,
            websocket_max_message_size=65_536,
            websocket_max_frame_size=65_536,
            server_name="",
        ).run()

    def refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, settings.PORT))
            except OSError as error:
                reason, another = error.strerror, settings.PORT % 65535 + 1
                raise CommandError(f"port {settings.PORT}: {reason}. Choose another: PORT={another} make run") from None

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        self.stdout.write(f"  {title:<46}", ending="")
        self.stdout.flush()
        yield
        self.stdout.write(f"{(time.monotonic() - began) * 1000:6.0f} ms")

    def progress(self, done: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r  {f'Demo data: {done} of {demo_data.JOBS} jobs':<46}", ending="")
            self.stdout.flush()

    def welcome(self) -> None:
        origin = settings.PUBLIC_ORIGIN
        lines = [
            "",
            "QuickDumpNow Dispatch is running.",
            "",
            f"  Board       {origin}/board/main/",
            f"  Admin       {origin}/admin/",
        ]
        job = Job.objects.filter(status="en_route").first() or Job.objects.first()
        if job:
            lines.append(f"  A customer  {job.tracking_link}")
        member = Member.objects.filter(is_active=True).order_by("pk").first()
        if member:
            lines += ["", f"  {member.name}'s phone, signed in once within {doors.LASTS // timedelta(minutes=1)} minutes:"]
            lines.append(f"              {doors.new_link(member)}")
        ana = User.objects.filter(username="ana").first()
        if ana and ana.check_password(demo_data.PASSWORD):
            lines += ["", f"  Sign in as  ana, ben (dispatchers) or admin; the password is {demo_data.PASSWORD}"]
        else:
            lines += ["", "  Sign in with an account of this database (manage.py createsuperuser makes one)"]
        self.stdout.write("\n".join([*lines, "", "Ctrl-C stops it.", ""]))
        self.stdout.flush()
