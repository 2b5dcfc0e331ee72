"""What the office's endpoints for events take."""

from typing import Any

from pydantic import Field

from dispatch.schemas import Input, Moment, Text

KEYS = {"starts_at": "start", "ends_at": "end", "first_mates": "firstMates"}
"""What a column of Event is called over the API, where that differs."""


class EventFacts(Input):
    """What is left out stays as it is."""

    title: Text | None = None
    start: Moment | None = Field(None, description="With its offset from UTC.")
    end: Moment | None = None
    truck: Text | None = Field(None, description="Its name as GET /events lists it; null for none.")
    captains: int | None = Field(None, description="Places for captains.")
    first_mates: int | None = Field(None, alias="firstMates", description="Places for first mates.")
    notes: Text | None = Field(None, description="For the crew: where to meet, what to bring.")

    def columns(self) -> dict[str, Any]:
        """The given facts as columns of Event; the truck by its name."""
        given = self.model_dump(exclude_unset=True, exclude={"board"})
        columns = {{"start": "starts_at", "end": "ends_at"}.get(name, name): value for name, value in given.items()}
        return columns | ({"notes": given["notes"] or ""} if "notes" in given else {})


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
