"""Everything that may happen to a board and to those who watch it, as a Hypothesis state machine."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from dispatch import flow
from dispatch.statuses import STATUS_FLOW
from tests.conftest import CI
from tests.dispatch.convergence import Store, World

JOBS_AT_MOST = 5
screens = st.integers(0, 2)
jobs = st.integers(0, JOBS_AT_MOST - 1)
statuses = st.sampled_from(list(STATUS_FLOW))
sides = st.sampled_from(["before", "after"])
answered = st.booleans()
news = st.sampled_from(["here", "here", "twice", "twice", "lost", "lost", "on the way", "late"])
places_in_line = st.integers(0, 5)


class BadDay(RuleBasedStateMachine):
    store: type[Store] = Store
    traces: list[dict] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.world = World(store=self.store)

    def screen(self, number):
        return self.world.screens[number % len(self.world.screens)]

    def uid(self, number):
        uids = [job.uid for job in self.world.jobs()]
        return uids[number % len(uids)]

    def tell(self, news, who):
        """What becomes of the hint that follows a commit: heard by all, and again by one of them; lost by one; on its way;
        not sent."""
        if news != "late":
            self.world.hand_out()
        if news == "lost":
            del self.screen(who + 1).inbox[-1:]
        if news in {"here", "twice"}:
            for screen in self.world.screens:
                screen.deliver()
        if news == "twice":
            self.double(who + 1, JOBS_AT_MOST)

    # --- people
    @precondition(lambda self: len(self.world.jobs()) < JOBS_AT_MOST)
    @rule(who=screens, status=statuses, answered=answered, news=news)
    def open_job(self, who, status, answered, news):
        self.world.open_job(self.screen(who), status, answered)
        self.tell(news, who)

    @rule(who=screens, job=jobs, to=statuses, neighbour=jobs, side=sides, answered=answered, news=news)
    def move(self, who, job, to, neighbour, side, answered, news):
        screen, place = self.screen(who), {side: self.uid(neighbour)}
        self.world.change(
            screen, self.uid(job), answered,
            lambda job, seq: flow.move(job, to, expect=seq, by=screen.name, channel="board", reason="no truck", **place),
        )  # fmt: skip
        self.tell(news, who)

    @rule(first=screens, second=screens, job=jobs, news=news)
    def two_move_the_same(self, first, second, job, news):
        uid = self.uid(job)
        for number in (first, second):
            screen, seen = self.screen(number), self.screen(number).store.cards.get(uid)
            if seen:
                to = STATUS_FLOW[seen["status"]].may_go_to[0]
                self.world.change(
                    screen, uid, True,
                    lambda job, seq, to=to, by=screen.name: flow.move(
                        job, to, expect=seq, by=by, channel="board", reason="no truck"
                    ),
                )  # fmt: skip
        self.tell(news, first)

    @rule(who=screens, job=jobs, answered=answered, news=news)
    def undo(self, who, job, answered, news):
        screen = self.screen(who)
        self.world.change(screen, self.uid(job), answered, lambda job, seq: flow.undo(job, expect=seq, by=screen.name))
        self.tell(news, who)

    @rule(who=screens, job=jobs, neighbour=jobs, side=sides, answered=answered, news=news)
    def place(self, who, job, neighbour, side, answered, news):
        """The gaps are small here, so this numbers columns anew every now and then."""
        screen, place = self.screen(who), {side: self.uid(neighbour)}
        self.world.change(
            screen, self.uid(job), answered, lambda job, seq: flow.place(job, expect=seq, by=screen.name, **place)
        )
        self.tell(news, who)

    @rule(who=screens, job=jobs, eighths=st.integers(1, 8), answered=answered, news=news)
    def edit(self, who, job, eighths, answered, news):
        screen, changes = self.screen(who), {"load_eighths": eighths, "price": f"{eighths}9.50"}
        self.world.change(
            screen, self.uid(job), answered, lambda job, seq: flow.edit(job, changes, expect=seq, by=screen.name)
        )
        self.tell(news, who)

    # --- the server
    @rule()
    def hand_out(self):
        self.world.hand_out()

    @rule()
    def heartbeat(self):
        self.world.heartbeat()

    @rule()
    def restart(self):
        self.world.restart()

    @rule()
    def back_up(self):
        self.world.back_up()

    @precondition(lambda self: self.world.backup)
    @rule()
    def restore(self):
        self.world.restore()

    # --- the network
    @rule(who=screens, count=st.integers(1, 4))
    def deliver(self, who, count):
        screen = self.screen(who)
        for _ in range(min(count, len(screen.inbox))):
            screen.hear(screen.inbox.pop(0))

    @rule(who=screens, place=places_in_line)
    def lose(self, who, place):
        del self.screen(who).inbox[place : place + 1]

    @rule(who=screens, place=places_in_line)
    def double(self, who, place):
        """What this line has brought already comes once more, the oldest last."""
        screen = self.screen(who)
        screen.inbox += screen.heard[-1 - place :][::-1]

    @rule(who=screens, place=places_in_line)
    def swap(self, who, place):
        inbox = self.screen(who).inbox
        inbox[place : place + 2] = inbox[place : place + 2][::-1]

    @rule(who=screens)
    def connect(self, who):
        self.screen(who).connect()

    @rule(who=screens)
    def disconnect(self, who):
        self.screen(who).disconnect()

    @rule(who=screens)
    def poll(self, who):
        self.screen(who).poll()

    # --- and all see the same
    @rule()
    def sync(self):
        self.world.check()

    def teardown(self):
        self.world.check()
        if self.traces is not None:
            self.traces += self.world.traces()


def run(machine: type[BadDay], examples: int, steps: int = 30, *, shrink: bool = True, fixed: bool = CI) -> None:
    """A failure prints the steps that led to it, and a line that plays them again."""
    phases = [Phase.explicit, Phase.generate] + ([Phase.shrink] if shrink else [])
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=fixed, print_blob=True,
            database=None, phases=phases, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
