"""Walks the whole way from a customer's link to what they see, and says which hop is broken and what mends it.

    link → database → mirror → public copy → edge function → release → site → API → socket

The booking page has no job: of these, link, edge function, release, site and API are looked at.

Nothing is written, and no token is shown. A hop after a broken one is looked at all the same: what works and what does not
is the diagnosis.
"""

import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import Error
from django.utils import timezone

from dispatch.mirror import faults
from dispatch.models import TOKEN, Job
from edge import looking
from qdn import tracing_copies, tracing_edge, tracing_links, tracing_server
from qdn.deadlines import TooLate, within
from qdn.tracing_hops import BROKEN, OK, SKIPPED, Broken, Hop, Skipped, Sought, of_job
from tracking.projection import public_object

SECONDS = 10
"""The most that one hop takes."""
LOOK = "look at the network"
WHEN_SILENT = {
    "mirror": "check STATE_BUCKET, AWS_ENDPOINT_URL and the network",
    "public copy": "check STATE_BUCKET, AWS_ENDPOINT_URL and the network",
    "release": "check SITE_BUCKET, AWS_ENDPOINT_URL and the network",
    "site": "check PUBLIC_ORIGIN, its DNS and its distribution",
    "API": "check API_ORIGIN, the proxy and the server",
    "socket": "let the proxy pass websockets on; pages ask every few seconds meanwhile",
}


class Trace:
    """One walk. `what` is a link, a token, a job's id or the booking page's address, as it was pasted. `seconds` are the
    most that one hop takes."""

    def __init__(self, what: str, seconds: float = SECONDS) -> None:
        self.what, self.seconds = what, seconds
        self.asked = tracing_links.Asked()
        self.job: Job | None = None
        self.sought: Sought | None = None

    def hops(self) -> Iterator[Hop]:
        for name, look in self._looks():
            began = time.perf_counter()
            try:
                hop = Hop(name, OK, look())
            except Broken as broken:
                hop = Hop(name, BROKEN, str(broken), broken.remedy)
            except Skipped as skipped:
                hop = Hop(name, SKIPPED, str(skipped))
            except TooLate:
                hop = Hop(name, BROKEN, f"no answer within {self.seconds:g} s", WHEN_SILENT.get(name, LOOK))
            except Exception as error:  # noqa: BLE001 the hops behind it are still looked at
                hop = Hop(
                    name, BROKEN, _unexpected(error), WHEN_SILENT.get(name, "check the settings and the server's log")
                )
            yield Hop(name, hop.state, self._masked(hop.said), hop.remedy, (time.perf_counter() - began) * 1000)

    def _looks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """The database is asked on the thread that the connection belongs to; its driver has deadlines of its own."""
        yield "link", self.link
        yield "database", self.database
        job, sought, insecure, booking = self.job, self.sought, self.asked.insecure_origin, self.asked.booking
        visit = booking or of_job(sought.token if sought else looking.NOBODYS)
        yield "mirror", self._in_time(lambda: tracing_copies.mirror(job)) if job else nothing_to_look_for
        yield "public copy", self._of(sought, tracing_copies.public)
        yield "edge function", self._in_time(lambda: tracing_edge.function(visit))
        yield "release", self._in_time(tracing_edge.release)
        if booking:
            yield "site", self._in_time(lambda: tracing_edge.page(booking, insecure))
            yield "API", self._in_time(tracing_server.booking)
        else:
            yield "site", self._of(sought, lambda sought: tracing_edge.site(sought, insecure))
            yield "API", self._of(sought, tracing_server.api)
        yield "socket", self._of(sought, lambda sought: tracing_server.socket(sought, self.seconds))

    def link(self) -> str:
        try:
            self.asked = tracing_links.read(self.what, settings.PUBLIC_ORIGIN)
        except tracing_links.NoLink as error:
            raise Broken(str(error), error.remedy) from None
        if self.asked.foreign:
            remedy = "send the customer our link; if customers do go there, set PUBLIC_ORIGIN to it"
            raise Broken(self.asked.foreign, remedy)
        return self.asked.said

    def database(self) -> str:
        name = self.asked.name
        if not name:
            return nothing_to_look_for()
        self.sought = Sought(name) if TOKEN.fullmatch(name) else None  # until the database knows better
        try:
            jobs = Job.objects.select_related("board").prefetch_related("history")
            self.job = jobs.filter(token=name).first() or jobs.filter(uid=name).first()
            former = None if self.job else _with_former(name)
            if self.job:
                self.sought = Sought(self.job.token, self.job, public_object(self.job)[1])
        except Error as error:
            raise Broken(
                f"the database cannot be read: {next(iter(str(error).splitlines()), '')}",
                "check DATABASE_URL and the database",
            ) from None
        if former:
            self.sought = None  # nobody has it any more, and so it should be
            remedy = f"send the customer the link that stands on job {former.uid} now"
            raise Broken(f"this link was replaced by another one of job {former.uid}", remedy)
        if self.job is None:
            raise Broken("no job has this link", "look for the customer's job on the board and send them its link")
        if self.job.link_ends_at and self.job.link_ends_at <= timezone.now():
            raise Broken(
                f"the link ended on {self.job.link_ends_at:%Y-%m-%d}", "the job is over: the customer books a new one"
            )
        return f"job {self.job.uid}, {self.job.status}, change {self.job.seq}"

    def _masked(self, text: str) -> str:
        """Whoever reads over somebody's shoulder must not be able to open the customer's page."""
        for token in {self.asked.name, self.job.token if self.job else ""} - {"", self.job.uid if self.job else ""}:
            text = text.replace(token, "…")
        return text

    def _of(self, sought: Sought | None, look: Callable[[Sought], str]) -> Callable[[], str]:
        if sought is None:
            return nothing_to_look_for
        return self._in_time(lambda: look(sought))

    def _in_time(self, look: Callable[[], str]) -> Callable[[], str]:
        return lambda: within(self.seconds, look)


def nothing_to_look_for() -> str:
    raise Skipped("no job to look for")


def _unexpected(error: Exception) -> str:
    """In a line: what no hop knows of, such as an address that is none in a setting, or a profile that is not there."""
    said = faults.explain(error) if isinstance(error, faults.UNREACHABLE) else f"{type(error).__name__}: {error}"
    return next(iter(said.splitlines()), type(error).__name__)


def _with_former(token: str) -> Job | None:
    """A search through all rows; the database may ignore the case of letters, so it is compared again."""
    found = Job.objects.exclude(former_tokens=[]).filter(former_tokens__icontains=f'"{token}"')
    return next((job for job in found if any(one["token"] == token for one in job.former_tokens)), None)
