"""What the API takes. Keys are those of a job document; what is left out stays as it is."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from ninja import Field, Schema
from pydantic import ConfigDict

from .phones import to_e164


class Input(Schema):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Window(Input):
    start: datetime
    end: datetime


class Customer(Input):
    name: str | None = None
    phone: str | None = Field(None, description="As written by people; stored as E.164.")
    email: str | None = None


class JobFacts(Input):
    location: str | None = None
    service: str | None = None
    price: Decimal | None = None
    window: Window | None = None
    customer: Customer | None = None
    crew: list[str] | None = None
    load_eighths: int | None = Field(None, alias="loadEighths")
    access_notes: str | None = Field(None, alias="accessNotes")
    notes: str | None = None

    def columns(self) -> dict[str, Any]:
        """The given facts as columns of Job. Raises ValidationError for what cannot be a phone number."""
        given = self.model_dump(exclude_unset=True)
        columns = {name: value for name, value in given.items() if name not in {"window", "customer", "status", "board"}}
        if "window" in given:
            window = given["window"] or {}
            columns |= {"window_start": window.get("start"), "window_end": window.get("end")}
        for name, value in (given.get("customer") or {}).items():
            columns[f"customer_{name}"] = to_e164(value or "") if name == "phone" else value or ""
        return columns


class NewJob(JobFacts):
    location: str
    board: str = "main"
    status: str = "requested"


class Move(Input):
    to: str = Field(description="The status. The job's own status changes its place in the column.")
    seq: int = Field(description="The change number of the job as you saw it.")
    before: str | None = Field(None, description="Id of the job that it shall stand in front of.")
    after: str | None = Field(None, description="Id of the job that it shall stand behind.")
    reason: str = Field("", description="Needed for cancelling.")
