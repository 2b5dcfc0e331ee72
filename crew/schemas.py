"""What the members' API takes."""

from typing import Annotated, Literal

from pydantic import Field

from dispatch.schemas import Input, Moment, Text

At = Annotated[Moment, Field(description="When it was done by the phone's clock, with its offset from UTC.")]
From = Annotated[Text, Field(alias="from", description="The job's status as the phone knew it.")]


class Step(Input):
    kind: Literal["move"]
    was: From
    to: Text = Field(description="en_route, in_progress or completed.")
    at: At


class NoAccess(Input):
    kind: Literal["no_access"]
    was: From
    reason: Text = Field(description="What was in the way.")
    at: At


class Note(Input):
    kind: Literal["note"]
    text: Text
    at: At


Action = Annotated[Step | NoAccess | Note, Field(discriminator="kind")]


class Clock(Input):
    is_in: bool = Field(alias="in", description="true to clock in, false to clock out.")
    at: At


Number = Annotated[int, Field(ge=0, lt=2**63)]


class Seen(Input):
    events: dict[Text, Number] = Field(max_length=200, description="By id of an event: the `seq` that the phone shows.")
