"""What the API takes. Keys are those of a job document; what is left out stays as it is."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from .phones import to_e164
from .statuses import STATUS_FLOW


def storable(written: str) -> str:
    """Databases keep neither NUL nor half a character, and JSON can hold both."""
    if re.search("[\0\ud800-\udfff]", written):
        raise ValueError("there is a character in it that cannot be stored")
    return written


def of_this_age(moment: datetime) -> datetime:
    """Far enough from the ends of the calendar for every time zone."""
    if not 1970 <= moment.year <= 2200:
        raise ValueError("expected a year from 1970 to 2200")
    return moment


def open_status(status: str) -> str:
    if status not in STATUS_FLOW or not STATUS_FLOW[status].is_open:
        born = ", ".join(slug for slug, known in STATUS_FLOW.items() if known.is_open)
        raise ValueError(f"a new job is one of: {born}")
    return status


def e164(written: str) -> str:
    try:
        return to_e164(written)
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None


KEYS = {
    "customer_name": "customer.name", "customer_phone": "customer.phone", "customer_email": "customer.email",
    "window_start": "window.start", "window_end": "window.end", "load_eighths": "loadEighths",
    "access_notes": "accessNotes", "customer_language": "customer.language", "customer_notify": "customer.notify",
    "preferred_day": "preferredDay",
}  # fmt: skip
"""What a column of Job is called over the API, where that differs."""

NOT_COLUMNS = {"window", "customer", "status", "board", "notify"}

Text = Annotated[str, AfterValidator(storable)]
Moment = Annotated[AwareDatetime, AfterValidator(of_this_age)]


class Input(BaseModel):
    """Not ninja's Schema, which reads attributes: to it a text or a list is an object that has none of our keys."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Window(Input):
    start: Moment = Field(description="With its offset from UTC.")
    end: Moment


class Customer(Input):
    name: Text | None = None
    phone: Annotated[Text, AfterValidator(e164)] | None = Field(None, description="As written by people; stored as E.164.")
    email: Text | None = None
    language: Text | None = Field(None, description="en or es: the language of messages and of the page.")
    notify: bool | None = Field(None, description="Whether they get texts and e-mails about the job.")


class JobFacts(Input):
    location: Text | None = None
    service: Text | None = None
    price: Decimal | None = None
    window: Window | None = None
    customer: Customer | None = None
    crew: list[Text] | None = None
    preferred_day: date | None = Field(None, alias="preferredDay", description="What the customer asked for: 2026-11-28.")
    load_eighths: int | None = Field(None, alias="loadEighths")
    access_notes: Text | None = Field(None, alias="accessNotes")
    notes: Text | None = None

    def columns(self) -> dict[str, Any]:
        """The given facts as columns of Job."""
        given = self.model_dump(exclude_unset=True)
        columns = {name: value for name, value in given.items() if name not in NOT_COLUMNS}
        if "window" in given:
            window = given["window"] or {}
            columns |= {"window_start": window.get("start"), "window_end": window.get("end")}
        empty = {"language": "en", "notify": True}
        for name, value in (given.get("customer") or {}).items():
            columns[f"customer_{name}"] = empty.get(name, "") if value is None else value
        return columns


class NewJob(JobFacts):
    location: Text
    board: Text = "main"
    status: Annotated[str, AfterValidator(open_status)] = "requested"
    notify: bool = Field(True, description="Whether the customer gets a confirmation.")


class Move(Input):
    to: Text = Field(description="The status. The job's own status changes its place in the column.")
    seq: int = Field(description="The change number of the job as you saw it.")
    before: Text | None = Field(None, description="Id of the job that it shall stand in front of.")
    after: Text | None = Field(None, description="Id of the job that it shall stand behind.")
    reason: Text = Field("", description="Needed for cancelling.")
    notify: bool = Field(True, description="Whether the customer is told, if the new status is news to them.")


class Undo(Input):
    seq: int = Field(description="The change number of the job after the move.")


class NewMessage(Input):
    kind: Text = Field("link", description="One of the kinds of messages: link, booked, scheduled, ready, on_the_way, …")
