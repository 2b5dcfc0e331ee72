"""How far the copies are behind, and why. Read from the database alone: the answer comes also when the storage is away.

What counts as failing here is behind and was tried in vain; the ledger may still have rows of jobs that were copied since.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Now

from dispatch.board import iso
from dispatch.models import Board, Job, JobQuerySet, Worker
from dispatch.words import ago, moment_in_words

from .ledger import from_now

FAILING_SHOWN = 20
MARKS = 200
MARKED_AFTER_SECONDS, WORKER_MISSED_AFTER_SECONDS, LATE_AFTER_SECONDS = 10, 15, 60
FAILING = Q(upload__attempts__gt=0)


@dataclass(frozen=True)
class Failing:
    job: str
    location: str
    attempts: int
    since: datetime | None
    next_try: datetime | None  # None: it is being tried now
    error: str


@dataclass(frozen=True)
class AtWork:
    name: str
    seen_seconds_ago: float
    problem: str
    problem_since: datetime | None


@dataclass(frozen=True)
class Status:
    behind: int
    oldest: datetime | None
    """When the oldest change was made that is not copied yet."""
    oldest_seconds: float | None
    failing: list[Failing]
    """Those that fail longest, up to FAILING_SHOWN."""
    failing_count: int
    workers: list[AtWork]

    @property
    def cause(self) -> str:
        """What keeps jobs from being copied, without times: a worker's problem, no worker, or the jobs themselves."""
        troubled = self._troubled()
        if troubled:
            return troubled.problem
        if not self.workers and (self.oldest_seconds or 0) > WORKER_MISSED_AFTER_SECONDS:
            return "no worker is running"
        return f"{_jobs(self.failing_count)} cannot be copied" if self.failing_count else ""

    @property
    def problem(self) -> str:
        """The first thing that is wrong, in one sentence; "" when nothing is."""
        troubled = self._troubled()
        if troubled and troubled.problem_since:
            return f"{troubled.problem}, since {moment_in_words(troubled.problem_since, UTC)}"
        if self.cause or (self.oldest_seconds or 0) <= LATE_AFTER_SECONDS:
            return self.cause
        return f"behind for {_span(self.oldest_seconds)}"

    def _troubled(self) -> AtWork | None:
        return next((worker for worker in self.workers if worker.problem), None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: `{"behind", "oldest", "oldestSeconds", "failing": [{"job", "location", "attempts", "since", "nextTry",
        "error"}], "failingCount", "workers": [{"name", "seenSecondsAgo", "problem", "problemSince"}], "cause",
        "problem"}`."""
        return _plain(asdict(self)) | {"cause": self.cause, "problem": self.problem}

    def lines(self) -> list[str]:
        """For a terminal."""
        oldest = f", the oldest for {_span(self.oldest_seconds)}" if self.oldest else ""
        facts = {
            "behind": f"{_jobs(self.behind)}{oldest}", "failing": _jobs(self.failing_count),
            "workers": f"{len(self.workers)} at work", "problem": self.problem or "none",
        }  # fmt: skip
        workers = [(one.name, f"seen {_span(one.seen_seconds_ago)} ago", one.problem) for one in self.workers]
        failing = [
            (one.job, one.location, f"{one.attempts} tries since {_moment(one.since)}", _next(one.next_try), one.error)
            for one in self.failing
        ]
        more = self.failing_count - len(failing)
        rest = [f"and {_jobs(more)} more"] if more > 0 else []
        parts = [_table(list(facts.items())), _table(workers), [*_table(failing), *rest]]
        return [line for part in parts if part for line in ("", *part)][1:]


def read(board: str | None = None) -> Status:
    """Of one board (its slug) or of all. Costs as much as there is behind, however many jobs there are."""
    behind = _behind(board) if board else Job.objects.behind()
    found = behind.aggregate(count=Count("pk"), oldest=Min("seq_at"), now=Max(Now()), failing=Count("pk", filter=FAILING))
    oldest = found["oldest"]
    return Status(
        behind=found["count"],
        oldest=oldest,
        oldest_seconds=max(0.0, (found["now"] - oldest).total_seconds()) if oldest else None,
        failing=_failing(behind) if found["failing"] else [],
        failing_count=found["failing"],
        workers=_at_work(),
    )


def marks(board: str) -> dict[str, dict[str, Any]]:
    """The jobs of a board whose copies keep people waiting, those that fail first:
    `{uid: {"state": "behind" | "failing", "since", "error"?}}`, up to MARKS."""
    late = Q(seq_at__lt=from_now(-MARKED_AFTER_SECONDS))
    jobs = _behind(board).filter(FAILING | late).select_related("upload")
    longest_first = jobs.order_by(F("upload__failing_since").asc(nulls_last=True), "seq_at")
    return {job.uid: _mark(job) for job in longest_first[:MARKS]}


def copy_of(job: Job) -> dict[str, Any]:
    """`{"state": "current" | "behind" | "failing", "seq": the change that the copy has, "error"}`. Reads `job.upload`."""
    if job.mirrored_seq >= job.seq:
        return {"state": "current", "seq": job.mirrored_seq, "error": ""}
    upload = getattr(job, "upload", None)
    if upload and upload.attempts:
        return {"state": "failing", "seq": job.mirrored_seq, "error": upload.error}
    return {"state": "behind", "seq": job.mirrored_seq, "error": ""}


def _behind(board: str) -> JobQuerySet:
    """Of one board. Databases think an index on boards serves best, and would go through all its jobs: a sum has none."""
    found = Board.objects.filter(slug=board).values("pk")[:1]
    return Job.objects.behind().alias(of=F("board_id") + 0).filter(of=found)


def _mark(job: Job) -> dict[str, Any]:
    copy = copy_of(job)
    if copy["state"] == "failing":
        return {"state": "failing", "since": iso(job.upload.failing_since), "error": copy["error"]}
    return {"state": "behind", "since": iso(job.seq_at)}


def _failing(behind: JobQuerySet) -> list[Failing]:
    jobs = behind.filter(FAILING).select_related("upload").order_by("upload__failing_since", "pk")[:FAILING_SHOWN]
    return [
        Failing(
            job.uid, job.location, job.upload.attempts, job.upload.failing_since,
            None if job.upload.claim else job.upload.not_before, job.upload.error,
        )
        for job in jobs
    ]  # fmt: skip


def _at_work() -> list[AtWork]:
    """Who has a problem comes first, the longest one before the others."""
    workers = Worker.objects.at_work().annotate(now=Now()).order_by(F("problem_since").asc(nulls_last=True), "name")
    return [
        AtWork(one.name, max(0.0, (one.now - one.seen_at).total_seconds()), one.problem, one.problem_since)
        for one in workers
    ]


def _plain(value: Any) -> Any:
    """With keys in camelCase and times in ISO 8601."""
    if isinstance(value, dict):
        return {name[0] + name.title().replace("_", "")[1:]: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return iso(value) if isinstance(value, datetime) else round(value, 3) if isinstance(value, float) else value


def _jobs(count: int) -> str:
    return f"{count:,} job{'' if count == 1 else 's'}"


def _span(seconds: float | None) -> str:
    return ago(timedelta(seconds=seconds or 0)).removesuffix(" ago")


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else ""


def _next(moment: datetime | None) -> str:
    return f"next {_moment(moment)}" if moment else "trying now"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
