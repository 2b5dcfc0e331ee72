"""What the members' API takes."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr

from dispatch.schemas import Input, Moment, Text

from . import clock

At = Annotated[Moment, Field(description="When it was done by the phone's clock, with its offset from UTC.")]
SentAt = Annotated[
    Moment | None, Field(alias="sentAt", description="What the phone's clock says as this is sent, each time anew.")
]  # fmt: skip
From = Annotated[Text, Field(alias="from", description="The job's status as the phone knew it.")]


class Done(Input):
    """What a phone tells at once or later. `skew` is how far its clock is ahead, as of when this arrived."""

    at: At
    sent_at: SentAt = None
    _skew: timedelta = PrivateAttr(clock.NONE)

    def model_post_init(self, context: Any) -> None:
        self._skew = clock.skew(self.sent_at)

    @property
    def skew(self) -> timedelta:
        return self._skew

    @property
    def done_at(self) -> datetime:
        """By our clock."""
        return self.at - self._skew


class Step(Done):
    kind: Literal["move"]
    was: From
    to: Text = Field(description="en_route, in_progress or completed.")


class NoAccess(Done):
    kind: Literal["no_access"]
    was: From
    reason: Text = Field(description="What was in the way.")


class Note(Done):
    kind: Literal["note"]
    text: Text


Action = Annotated[Step | NoAccess | Note, Field(discriminator="kind")]


class Clock(Done):
    is_in: bool = Field(alias="in", description="true to clock in, false to clock out.")


Number = Annotated[int, Field(ge=0, lt=2**63)]


class Seen(Input):
    events: dict[Text, Number] = Field(max_length=200, description="By id of an event: the `seq` that the phone shows.")
