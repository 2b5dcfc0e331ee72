"""Whatever happens to people, server and network: in the end every screen shows what a new screen would show."""

import pytest

from dispatch import board, flow, ranks
from dispatch.models import Job
from tests.dispatch.convergence import IgnoresGaps, TakesAnyCard
from tests.dispatch.convergence_machine import BadDay, run

pytestmark = pytest.mark.django_db

ENOUGH_TO_FIND_A_FAULT = 300


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch):
    """Every second placing numbers a column anew, and a screen that missed a few changes gets a snapshot."""
    monkeypatch.setattr(ranks, "GAP", 4)
    monkeypatch.setattr(board, "DELTA_LIMIT", 4)


def test_after_any_day_all_screens_agree_with_a_new_one():
    run(BadDay, examples=50)


@pytest.mark.parametrize("broken", [TakesAnyCard, IgnoresGaps])
def test_a_screen_without_one_of_the_rules_is_found_out(broken):
    machine = type("Broken", (BadDay,), {"store": broken})

    with pytest.raises(AssertionError, match="sees another board"):
        run(machine, ENOUGH_TO_FIND_A_FAULT, shrink=False, fixed=True)


def test_a_change_that_takes_no_number_is_found_out(monkeypatch):
    def stamp(job, expect, seq, by, now, **columns):
        Job.objects.filter(pk=job.pk).update(updated_by=by, **columns)
        return Job.objects.select_related("board").get(pk=job.pk)

    monkeypatch.setattr(flow, "_stamp", stamp)

    with pytest.raises(AssertionError, match="sees another board"):
        run(BadDay, ENOUGH_TO_FIND_A_FAULT, shrink=False, fixed=True)
