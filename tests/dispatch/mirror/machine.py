"""Everything that may happen to the mirror at once, as a Hypothesis state machine over real rows.

Three workers and an operator are greenlets that stop before each statement outside a transaction and before each call of
the storage, so whatever may happen in between does: changes, other workers, faults, death, a restore of the database.
"""

import os
from collections import defaultdict
from concurrent.futures import Future
from datetime import timedelta

from botocore.exceptions import ClientError
from django.db import Error, OperationalError, connection, transaction
from django.utils import timezone
from greenlet import getcurrent, greenlet
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from dispatch import flow
from dispatch.links import PUBLIC as PUBLIC_FORMAT
from dispatch.mirror.boards import keep_boards
from dispatch.mirror.checking import check, jobs_with
from dispatch.mirror.document import FORMAT, job_document
from dispatch.mirror.faults import UNREACHABLE
from dispatch.mirror.repairing import repair
from dispatch.mirror.repository import Corrupt, JobRepository, parse, serialise
from dispatch.mirror.storages import CompareAndSwapInMemoryStorage, Conflict, MirrorError
from dispatch.mirror.sync import Sync, documents
from dispatch.models import Board, Job, StatusChange, Upload
from dispatch.statuses import STATUS_FLOW

WORKERS, OPERATOR = 3, 3
JOBS_AT_MOST = 4
LONG_AGO = timedelta(hours=2)
EXPLORE = bool(os.environ.get("EXPLORE"))
TABLES = (Job, StatusChange, Upload)  # in the order in which they are put back


class Killed(BaseException):
    """The process is gone."""


class AtOnce:
    """A ThreadPoolExecutor whose one thread is the caller's."""

    def __init__(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, work, *arguments):
        future = Future()
        try:
            future.set_result(work(*arguments))
        except Killed:
            raise
        except BaseException as error:  # noqa: BLE001 as the real one does
            future.set_exception(error)
        return future

    def map(self, work, *arguments):
        return iter([work(*each) for each in zip(*arguments, strict=False)])

    def shutdown(self, **_):
        pass


# --- who can be stopped
class Actor(greenlet):
    """A worker's batch, or an operator's repair. `at` is what it is about to do."""

    def __init__(self, work):
        super().__init__()
        self.work, self.at, self.has_read, self.dying, self.result = work, ("start", ""), False, False, None

    def run(self, _):
        try:
            self.result = self.work()
        except (*UNREACHABLE, MirrorError, Error, Killed) as error:  # what a worker's loop and the commands survive
            self.result = error

    def stop(self, kind, name):
        if self.dying:
            return None
        self.at = kind, name
        self.has_read |= kind in {"read", "write"} and name.startswith(("jobs/", "public/"))
        return self.parent.switch()

    def die(self, rudely):
        """A rude death leaves no time to give back what was taken."""
        self.dying, rows = True, list(Upload.objects.values())
        if not self.dead:
            self.throw(Killed())
        if rudely:
            put_back(Upload, rows)


def stop(kind, name=""):
    """Where an actor may be stopped. Returns the fault that it meets there."""
    actor = getcurrent()
    return actor.stop(kind, name) if isinstance(actor, Actor) else None


# --- what they talk to
def unreachable(name):
    return ConnectionError("no route to host")


def refused(status, code):
    return lambda name: ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")


NOT_DONE = {
    "unreachable": unreachable,
    "500": refused(500, "InternalError"),
    "503": refused(503, "SlowDown"),
    "404": refused(404, "NoSuchBucket"),
}
WRITE_NOT_DONE = NOT_DONE | {"409": Conflict, "412": refused(412, "PreconditionFailed"), "late": unreachable}
DONE = {"reply lost": unreachable, "done and 500": NOT_DONE["500"], "done and 412": Conflict}


class Line:
    """The bucket, and the network on the way to it."""

    def __init__(self, world):
        self.world, self.bucket = world, CompareAndSwapInMemoryStorage()
        self.late = []
        self.seqs = {}

    def read(self, name):
        self._ask("read", name)
        return self.bucket.read(name)

    def etag(self, name):
        self._ask("read", name)
        return self.bucket.etag(name)

    def names(self, prefix, after=""):
        self._ask("read", prefix)
        return self.bucket.names(prefix, after)

    def write(self, name, content, *, if_match, metadata=None):
        fault = self._stop("write", name)
        if fault in WRITE_NOT_DONE:
            if fault == "late":
                self.late.append((name, content, if_match))
            raise WRITE_NOT_DONE[fault](name)
        etag = self.land(name, content, if_match)
        if fault in DONE:
            raise DONE[fault](name)
        return etag

    def land(self, name, content, if_match):
        before = self.stored(name)
        etag = self.bucket.write(name, content, if_match=if_match)
        now = self.stored(name)
        self.seqs[name] = now and now["seq"]
        self.world.look_at_write(name, content, before, now)
        return etag

    def damage(self, name, content):
        """What an operator may do to the bucket, None being to delete."""
        self.bucket.delete(name)
        if content is not None:
            self.bucket.write(name, content, if_match=None)
        self.seqs.pop(name, None)
        if stored := self.stored(name):
            self.seqs[name] = stored["seq"]
        self.world.damaged.add(name)
        self.world.forget_the_lost()

    def land_late(self):
        """A request that its sender gave up arrives."""
        try:
            self.land(*self.late.pop(0))
        except Conflict:
            return

    def stored(self, name):
        try:
            return parse(name, self.bucket.read(name)[0])
        except (FileNotFoundError, Corrupt):
            return None

    def copies(self):
        """The names of all that may be mended from the database."""
        return [name for name in self.bucket.names("") if name.startswith(("jobs/", "public/", "boards/"))]

    def everything(self):
        return {name: self.stored(name) for name in self.bucket.names("")}

    def _ask(self, kind, name):
        fault = self._stop(kind, name)
        if fault in NOT_DONE:
            raise NOT_DONE[fault](name)

    def _stop(self, kind, name):
        if len(connection.savepoint_ids) > self.world.depth:
            self.world.wrong.append(f"{kind} {name} inside a transaction")
        return stop(kind, name)


class World:
    """The database, the bucket, and what is known of both."""

    now = None

    def __init__(self):
        World.now = self
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.depth = len(connection.savepoint_ids)
        self.wrapper = connection.execute_wrapper(self.statement)
        self.wrapper.__enter__()
        self.line = Line(self)
        self.repository = JobRepository(self.line)
        self.board = Board.objects.get(slug="main")
        self.workers = [Sync(self.repository, f"w{number}") for number in range(WORKERS)]
        self.actors = {}
        self.said = defaultdict(set)
        """(name, epoch, seq) -> the documents that the database had under it."""
        self.noted = set()
        self.promised = set()
        """Steps that the bucket must know in the end."""
        self.damaged = set()
        self.wrong = []
        self.restored = self.unrepaired = False
        self.backup = None

    def end(self):
        for number in list(self.actors):
            self.kill(number, rudely=True)
        self.wrapper.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        World.now = None

    # --- the database
    def statement(self, execute, sql, *rest):
        if len(connection.savepoint_ids) == self.depth:
            kind = "mark" if sql.startswith("UPDATE") and 'SET "mirrored_seq"' in sql else "statement"
            if stop(kind, sql) == "database gone":
                raise OperationalError("the database went away")
        return execute(sql, *rest)

    def note(self):
        """Called at the end of every change: what copies of it may say."""
        for job in jobs_with():
            if (job.pk, job.board.epoch, job.seq) in self.noted:
                continue
            self.noted.add((job.pk, job.board.epoch, job.seq))
            for make in documents():
                name, document = make(job)
                self.said[name, document["epoch"], document["seq"]].add(serialise(document))
                self.promised |= steps(document)

    def jobs(self):
        return list(Job.objects.order_by("pk"))

    def change(self, number, how):
        jobs = self.jobs()
        job = jobs[number % len(jobs)]
        try:
            how(job)
        except flow.Refused:
            return

    def back_up(self):
        tables = {table: list(table.objects.values()) for table in TABLES}
        self.backup = Board.objects.filter(pk=self.board.pk).values().get(), tables

    def restore(self):
        """A worker that has read nothing yet would not be of the past, and is stopped. One with documents goes on."""
        for number, actor in list(self.actors.items()):
            if number == OPERATOR or not actor.has_read:
                self.kill(number, rudely=True)
        board, tables = self.backup
        Board.objects.filter(pk=self.board.pk).update(**board)
        for table in reversed(TABLES):
            table.objects.all().delete()
        for table, rows in tables.items():
            put_back(table, rows)
        self.noted.clear()  # from here the same numbers mean other changes
        self.restored = self.unrepaired = True
        self.forget_the_lost()

    def forget_the_lost(self):
        """What neither the database nor the bucket knows any more cannot be asked for."""
        here = {step for job in jobs_with() for step in steps(job_document(job))}
        self.promised &= here | self.steps_in_bucket(superseded=True)

    def steps_in_bucket(self, *, superseded):
        places = ("jobs/", "superseded/") if superseded else ("jobs/",)
        objects = [stored for name, stored in self.line.everything().items() if name.startswith(places)]
        return {step for stored in objects for step in steps(stored)}

    # --- the actors
    def start(self, number, work):
        self.actors[number] = Actor(work)
        self.resume(number)

    def resume(self, number, fault=None):
        actor = self.actors[number]
        actor.switch(fault)
        connection.set_rollback(False)  # a statement that failed was not executed
        if actor.dead:
            del self.actors[number]

    def kill(self, number, *, rudely):
        self.actors.pop(number).die(rudely)

    def run(self, number, until=None, about=""):
        """Until it is about to do that, or has come to its end."""
        while number in self.actors:
            kind, name = self.actors[number].at
            if until == kind and about in name:
                return True
            self.resume(number)
        return False

    def batch(self, number):
        self.start(number, self.workers[number].batch)

    def repair(self, keep_database=False):
        def work():
            done = repair(self.repository, nothing, keep_database=keep_database)
            if not done.left:
                self.unrepaired = False
            return done

        self.start(OPERATOR, work)

    # --- what must be so
    def look_at_write(self, name, content, before, now):
        told = f"{name}: {before and before['seq']} -> {now['seq'] if now else now}"
        if name.startswith(("jobs/", "public/")):
            same_change = before and (now["seq"], now.get("updatedAt")) == (before["seq"], before.get("updatedAt"))
            if before and now["seq"] <= before["seq"] and not same_change:  # but in other words: a board's name, say
                self.wrong.append(f"went back: {told}")
            if not now.get("gone") and content not in self.said[name, now["epoch"], now["seq"]]:
                self.wrong.append(f"a lie: {told}")
        if name.startswith("boards/") and before and now["seq"] < before["seq"]:
            self.wrong.append(f"went back: {told}")
        if name.startswith("superseded/") and before:
            self.wrong.append(f"kept no longer: {told}")

    def look(self):
        assert self.wrong == [], f"wrong: {self.wrong}"
        marks = Job.objects.filter(mirrored_seq__gt=0).values_list("uid", "token", "seq", "mirrored_seq")
        for uid, token, seq, mirrored in marks:
            assert mirrored <= seq, f"{uid} counts as copied at {mirrored}, and is at {seq}"
            for name in (FORMAT.format(uid=uid), PUBLIC_FORMAT.format(token=token)):
                if name not in self.damaged:
                    stored = self.line.seqs.get(name)
                    assert stored is not None, f"{name} counts as copied"
                    assert stored >= mirrored, f"{name} counts as copied at {mirrored}, and has {stored}"

    def settle(self):
        """All is well again: those who were stopped go on, leases and pauses end, and workers work."""
        for number in list(self.actors):
            self.run(number)
        while self.line.late:
            self.line.land_late()
        if self.restored or self.damaged:
            self.repair_all()
        worker = Sync(self.repository, "last")
        for _ in range(20):
            run_out()
            worker.batch()
            if not Job.objects.behind().exists():
                break
        assert not Job.objects.behind().exists(), f"behind: {Job.objects.behind().values('uid', 'seq', 'mirrored_seq')}"
        differences = [str(one) for one in check(self.repository, nothing).differences]
        assert differences == [], f"not equal: {differences}"
        missing = self.promised - self.steps_in_bucket(superseded=self.restored)
        assert missing == set(), f"acknowledged steps are missing: {missing}"
        self.look()

    def repair_all(self):
        left = None
        for _ in range(3):
            run_out()
            left = repair(self.repository, nothing).left
            if not left:
                break
        if left and all("it cannot be read" in one for one in left):
            left = repair(self.repository, nothing, keep_database=True).left
        assert left == [], f"repair leaves {left}"
        self.unrepaired = False
        self.damaged.clear()


def nothing(*_):
    """Progress, untold."""


def put_back(table, rows):
    table.objects.all().delete()
    table.objects.bulk_create([table(**row) for row in rows])


def run_out():
    Upload.objects.update(not_before=timezone.now() - LONG_AGO)


def steps(document):
    history = document.get("statusHistory", []) if document else []
    return {(document["id"], step["at"], step["status"], step["by"]) for step in history}


# --- what may happen
workers = st.integers(0, WORKERS - 1)
actors = st.integers(0, OPERATOR)
jobs = st.integers(0, JOBS_AT_MOST - 1)
statuses = st.sampled_from(list(STATUS_FLOW))
places = st.sampled_from(["statement", "read", "read", "write", "write", "write", "mark", "mark"])
parts = st.sampled_from(["", "", "jobs/", "public/", "boards/", "superseded/"])


class BadNight(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.world = World()
        self.open_job("requested")
        self.open_job("scheduled")

    # --- people
    @precondition(lambda self: len(self.world.jobs()) < JOBS_AT_MOST)
    @rule(status=statuses)
    def open_job(self, status):
        flow.open_job(self.world.board, by="Ana", channel="board", status=status, location="9 Oak St", price=600)

    @rule(job=jobs, to=statuses, by=st.sampled_from(["Ana", "Ben"]))
    def move(self, job, to, by):
        self.world.change(
            job, lambda job: flow.move(job, to, expect=job.seq, by=by, channel="board", reason="no truck")
        )  # fmt: skip

    @rule(job=jobs, times=st.integers(1, 4))
    def hurry(self, job, times):
        for _ in range(times):
            self.world.change(
                job,
                lambda job: flow.move(
                    job, STATUS_FLOW[job.status].may_go_to[0], expect=job.seq, by="Ana", channel="board", reason="no truck"
                ),
            )  # fmt: skip

    @rule(job=jobs, eighths=st.integers(1, 8))
    def edit(self, job, eighths):
        changes = {"load_eighths": eighths, "location": f"{eighths} Elm St"}
        self.world.change(job, lambda job: flow.edit(job, changes, expect=job.seq, by="Ana"))

    @rule(job=jobs)
    def undo(self, job):
        self.world.change(job, lambda job: flow.undo(job, expect=job.seq, by="Ana"))

    @rule(job=jobs, neighbour=jobs)
    def place(self, job, neighbour):
        """The gaps are small here, so this numbers columns anew every now and then."""
        all_jobs = self.world.jobs()
        before = all_jobs[neighbour % len(all_jobs)].uid
        self.world.change(job, lambda job: flow.place(job, expect=job.seq, by="Ana", before=before))

    @rule(name=st.sampled_from(["Denver", "Boulder"]))
    def edit_board(self, name):
        flow.edit_board(self.world.board, {"name": name})

    # --- workers
    @precondition(lambda self: not self.world.unrepaired)
    @rule(who=workers, until=places, about=parts, looks=st.booleans())
    def begin(self, who, until, about, looks):
        """A worker takes what is behind and stops somewhere on its way."""
        if who not in self.world.actors:
            if looks:
                self.world.workers[who].boards_at = 0.0
            self.world.batch(who)
            self.world.run(who, until, about)

    @precondition(lambda self: not self.world.unrepaired)
    @rule(who=workers)
    def batch(self, who):
        if who not in self.world.actors:
            self.world.batch(who)
            self.world.run(who)

    @precondition(lambda self: not self.world.unrepaired)
    @rule(who=workers, other=workers, job=jobs, until=places, wakes=st.booleans())
    def overtake(self, who, other, job, until, wakes):
        """A worker sleeps longer than its lease, and life goes on."""
        self.hurry(job, 1)
        self.begin(who, until, "", looks=False)
        self.hurry(job, 1)
        self.leases_run_out()
        self.batch(other)
        if wakes:
            self.wake(who)

    @precondition(lambda self: self.world.actors)
    @rule(who=actors, until=places, about=parts)
    def go_on(self, who, until, about):
        if who in self.world.actors:
            self.world.resume(who)
            self.world.run(who, until, about)

    @precondition(lambda self: self.world.actors)
    @rule(who=actors)
    def wake(self, who):
        self.world.run(who)

    @precondition(lambda self: self.world.actors)
    @rule(who=actors, rudely=st.booleans())
    def kill(self, who, rudely):
        if who in self.world.actors:
            self.world.kill(who, rudely=rudely)

    @rule()
    def leases_run_out(self):
        run_out()

    @rule()
    def sweep(self):
        Upload.objects.sweep()

    # --- the network
    @precondition(lambda self: self.world.actors)
    @rule(who=actors, fault=st.sampled_from([*WRITE_NOT_DONE, *DONE]), about=parts, times=st.integers(1, 6))
    def write_fails(self, who, fault, about, times):
        for _ in range(times):
            if self.world.run(who, "write", about):
                self.world.resume(who, fault)

    @precondition(lambda self: not self.world.unrepaired)
    @rule(who=workers, job=jobs, fault=st.sampled_from([*WRITE_NOT_DONE, *DONE]), times=st.integers(1, 6))
    def batch_in_trouble(self, who, job, fault, times):
        self.hurry(job, 1)
        self.begin(who, "write", "", looks=False)
        self.write_fails(who, fault, "", times)
        self.wake(who)

    @precondition(lambda self: self.world.actors)
    @rule(who=actors, fault=st.sampled_from([*NOT_DONE]), about=parts, times=st.integers(1, 6))
    def read_fails(self, who, fault, about, times):
        for _ in range(times):
            if self.world.run(who, "read", about):
                self.world.resume(who, fault)

    @precondition(lambda self: self.world.actors)
    @rule(who=actors, kind=st.sampled_from(["statement", "mark"]), times=st.integers(1, 9))
    def database_fails(self, who, kind, times):
        """The statements before it are fine."""
        for time in range(times):
            if self.world.run(who, kind):
                self.world.resume(who, "database gone" if time == times - 1 else None)

    @precondition(lambda self: self.world.line.late)
    @rule()
    def late_write_lands(self):
        self.world.line.land_late()

    # --- operators
    @precondition(lambda self: any(not name.startswith("boards/") for name in self.world.line.copies()))
    @rule(number=st.integers(0, 20), how=st.sampled_from(["gone", "half"]))
    def damage(self, number, how):
        """Not to a board: with it and the database gone back at once, nobody knows whose the copies are."""
        world = self.world
        names = [name for name in world.line.copies() if not name.startswith("boards/")]
        name = names[number % len(names)]
        content = world.line.bucket.read(name)[0]
        world.line.damage(name, None if how == "gone" else content[: len(content) // 2])

    @precondition(lambda self: self.world.said)
    @rule(number=st.integers(0, 40))
    def put_back_an_older_copy(self, number):
        world = self.world
        older = [
            (name, content)
            for (name, _, seq), contents in world.said.items()
            if (stored := world.line.stored(name)) and seq < stored["seq"] and not name.startswith("boards/")
            for content in sorted(contents)
        ]
        if older:
            world.line.damage(*older[number % len(older)])

    @precondition(lambda self: not self.world.unrepaired)
    @rule()
    def begin_epoch(self):
        """As a repair does: the bucket hears of it before a worker copies anything of the new epoch."""
        flow.begin_epoch(self.world.board)
        keep_boards(self.world.repository)

    @rule()
    def back_up(self):
        self.world.back_up()

    @precondition(lambda self: self.world.backup)
    @rule(moved=st.lists(jobs, max_size=2))
    def restore(self, moved):
        """And people go on before anybody notices."""
        self.world.restore()
        if Job.objects.exists():
            for job in moved:
                self.hurry(job, 1)

    @precondition(lambda self: (self.world.unrepaired or self.world.damaged) and OPERATOR not in self.world.actors)
    @rule(until=places, about=parts, keep_database=st.booleans(), at_once=st.booleans())
    def repair(self, until, about, keep_database, at_once):
        self.world.repair(keep_database and self.world.restored)
        self.world.run(OPERATOR, None if at_once else until, about)

    @precondition(lambda self: self.world.unrepaired and OPERATOR not in self.world.actors)
    @rule(points=st.integers(1, 150), keep_database=st.booleans())
    def repair_dies(self, points, keep_database):
        self.world.repair(keep_database)
        for _ in range(points):
            if OPERATOR in self.world.actors:
                self.world.resume(OPERATOR)
        if OPERATOR in self.world.actors:
            self.world.kill(OPERATOR, rudely=True)

    @precondition(lambda self: self.world.backup and not self.world.unrepaired)
    @rule(who=workers, job=jobs, times=st.integers(1, 4), until=st.sampled_from(["read", "write", "mark"]))
    def sleep_through_a_restore(self, who, job, times, until):
        """A worker has documents that the database, put back and repaired, never heard of when it wakes up."""
        self.hurry(job, times)
        self.begin(who, until, "jobs/" if until != "mark" else "", looks=False)
        self.world.restore()
        self.world.repair()
        self.world.run(OPERATOR)
        self.world.run(who)

    # --- and all is well
    @invariant()
    def look(self):
        self.world.look()

    @rule()
    def settle(self):
        self.world.settle()

    def teardown(self):
        try:
            self.world.settle()
        finally:
            self.world.end()


def tell(board, seq):
    """In place of `flow._tell`, which ends every change."""
    World.now.note()


def run(machine=BadNight, examples=40, steps=30, *, shrink=False, fixed=not EXPLORE):
    """The same nights each time, other ones with EXPLORE=1 in the environment. A failure prints the steps that led to it,
    and a line that plays them again. Making them fewer takes minutes: ask for it with `shrink`, and run pytest with
    --timeout 0."""
    phases = [Phase.explicit, Phase.generate] + ([Phase.shrink] if shrink else [])
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=fixed, print_blob=True,
            database=None, phases=phases, suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
        ),
    )  # fmt: skip
