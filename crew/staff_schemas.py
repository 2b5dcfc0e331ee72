"""What the office's endpoints for events take."""

from typing import Any

from pydantic import Field

from dispatch.schemas import Input, Moment, Text

from .models import MOST_PLACES

KEYS = {"starts_at": "start", "ends_at": "end", "first_mates": "firstMates"}
"""What a column of Event is called over the API, where that differs."""


class EventFacts(Input):
    """What is left out stays as it is."""

    title: Text | None = None
    start: Moment | None = Field(None, description="With its offset from UTC.")
    end: Moment | None = None
    truck: Text | None = Field(None, description="Its name as GET /events lists it; null for none.")
    captains: int | None = Field(None, description=f"Places for captains, 0 to {MOST_PLACES}.")
    first_mates: int | None = Field(None, alias="firstMates", description=f"Places for first mates, 0 to {MOST_PLACES}.")
    notes: Text | None = Field(None, description="For the crew: where to meet, what to bring.")

    def columns(self) -> dict[str, Any]:
        """The given facts as columns of Event; the truck by its name."""
        given = self.model_dump(exclude_unset=True, exclude={"board", "reason"})
        columns = {{"start": "starts_at", "end": "ends_at"}.get(name, name): value for name, value in given.items()}
        return columns | ({"notes": given["notes"] or ""} if "notes" in given else {})


class EventEdit(EventFacts):
    reason: Text = Field("", description="Why new hours may put its people on two events at once.")


class NewEvent(EventFacts):
    board: Text = "main"
    title: Text
    start: Moment
    end: Moment


class Reason(Input):
    reason: Text = ""


class Place(Input):
    member: Text = Field(description="Id of the member.")
    role: Text = Field(description="captain or first_mate.")
    reason: Text = Field("", description="Why they may be on two events at once.")


class JobPlace(Input):
    event: Text | None = Field(description="Id of the event; null takes the job out of its event.")
    before: Text | None = Field(None, description="Id of the job that it shall stand in front of; null for the end.")
    seen_in: Text | None = Field(
        None, alias="from", description="Id of the event that you saw it in; null for none. Left out: wherever it is."
    )

    @property
    def expect(self) -> str | None:
        """For crew.plan.put_job: "" for no event, None when nothing is said."""
        return (self.seen_in or "") if "seen_in" in self.model_fields_set else None
