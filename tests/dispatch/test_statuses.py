import pytest

from dispatch import flow, statuses
from dispatch.statuses import STATUS_FLOW, next_status_label, status_color, status_label

TABLE = [
    # slug, board column, colour, what the customer reads, may go to
    ("requested", "Requested", "grey", "Booked", {"scheduled", "ready_for_pickup", "cancelled"}),
    ("scheduled", "Scheduled", "violet", "Booked", {"ready_for_pickup", "en_route", "requested", "cancelled"}),
    ("ready_for_pickup", "Ready for pickup", "green", "Ready", {"en_route", "in_progress", "scheduled", "cancelled"}),
    ("en_route", "On the way", "teal", "On the way", {"in_progress", "ready_for_pickup", "cancelled"}),
    ("in_progress", "In progress", "yellow", "Loading", {"completed", "en_route", "ready_for_pickup"}),
    ("completed", "Completed", "blue", "Done", {"in_progress"}),
    ("cancelled", "Cancelled", "red", "Cancelled", {"requested", "scheduled"}),
]


def test_the_flow_is_this_table():
    found = [(s.slug, s.label, s.color, s.customer_label, set(s.may_go_to)) for s in STATUS_FLOW.values()]

    assert found == TABLE
    assert list(STATUS_FLOW) == [row[0] for row in TABLE]


def test_only_completed_and_cancelled_jobs_are_over():
    assert {slug for slug, status in STATUS_FLOW.items() if not status.is_open} == {"completed", "cancelled"}


def test_only_cancelling_needs_a_reason():
    assert [slug for slug, status in STATUS_FLOW.items() if status.needs_reason] == ["cancelled"]


def test_only_completing_can_be_taken_back_on_the_same_day_alone():
    assert set(statuses.SAME_DAY_ONLY) == {("completed", "in_progress")}


def test_every_status_has_a_color_and_an_icon_of_its_own():
    assert len({status.color for status in STATUS_FLOW.values()}) == len(STATUS_FLOW)
    assert len({status.icon for status in STATUS_FLOW.values()}) == len(STATUS_FLOW)


def test_nobody_can_change_the_flow_while_it_runs():
    with pytest.raises(TypeError):
        STATUS_FLOW["lost"] = STATUS_FLOW["requested"]


@pytest.mark.parametrize(("slug", "label", "color"), [row[:3] for row in TABLE])
def test_a_status_is_called_and_coloured_as_in_the_table(slug, label, color):
    assert (status_label(slug), status_color(slug)) == (label, color)


@pytest.mark.parametrize(
    ("slug", "label"),
    [
        ("requested", "Scheduled"),
        ("scheduled", "Ready for pickup"),
        ("ready_for_pickup", "On the way"),
        ("en_route", "In progress"),
        ("in_progress", "Completed"),
        ("completed", ""),
        ("cancelled", ""),
    ],
)
def test_the_usual_next_step_leads_forward_until_the_job_is_over(slug, label):
    assert next_status_label(slug) == label


@pytest.mark.parametrize("name", ["STATUS_FLOW", "status_label", "status_color", "next_status_label"])
def test_the_flow_module_offers_the_table_too(name):
    assert getattr(flow, name) is getattr(statuses, name)
    assert name in flow.__all__
