"""Ana at her desk: a signed-in HTTP client of a running product, and a session that sockets can use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx


class Desk:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    @property
    def session(self) -> str:
        return self.client.cookies["session"]

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, json=body, headers={"X-CSRFToken": self.client.cookies["csrf"]})
        return answer.raise_for_status().json()

    def open_job(self, location: str) -> dict[str, Any]:
        return self.post("/api/v1/jobs", {"location": location})

    def move(self, job: dict[str, Any]) -> dict[str, Any]:
        """There and back again: from Requested to Scheduled or the other way round."""
        to = "scheduled" if job["status"] == "requested" else "requested"
        return self.post(f"/api/v1/jobs/{job['id']}/move", {"to": to, "seq": job["seq"]})


@contextmanager
def sign_in(origin: str) -> Iterator[Desk]:
    with httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=20) as client:
        client.get("/login/").raise_for_status()
        form = {"username": "ana", "password": "password", "csrfmiddlewaretoken": client.cookies["csrf"]}
        if client.post("/login/", data=form).status_code != 302:
            raise RuntimeError("ana cannot sign in")
        yield Desk(client)
