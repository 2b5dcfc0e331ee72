"""The customer's link: how long it lasts, and a new one in place of one that reached the wrong people.

`Job.former_tokens` keeps what no longer opens anything, `{"token", "seq", "epoch"}`: the change that ended it. The mirror
writes a tombstone in the place of each one's public copy.
"""

from typing import Any

from . import flow
from .models import Job, new_token

PUBLIC = "public/track/{token}.json"
"""The object that the edge reads for a link."""


def replace(job: Job, *, by: str) -> Job:
    """Gives the job a new link. The old one is dead from the commit on, its public copy as soon as a worker was there."""
    return flow.amend(job, _with_new_token, by=by)


def tombstones(job: Job) -> list[tuple[str, dict[str, Any]]]:
    """The objects of the links that the job had before."""
    return [
        (PUBLIC.format(token=one["token"]), {"gone": True, "seq": one["seq"], "epoch": one["epoch"]})
        for one in job.former_tokens
    ]


def has_ended(job: Job) -> bool:
    """Whether the public copy is a tombstone. It follows from the row alone, so that copies can be compared with it."""
    return job.link_ends_at is not None and job.seq_at >= job.link_ends_at


def close_ended(limit: int = 200) -> int:
    """Gives jobs a new number whose links ended since their last one, so that their public copies follow. Returns how
    many."""
    ended = list(Job.objects.past_their_links().select_related("board")[:limit])
    for board in {job.board for job in ended}:
        flow.renew(board, [job.pk for job in ended if job.board_id == board.pk])
    return len(ended)


def _with_new_token(job: Job, seq: int) -> dict[str, Any]:
    ended = {"token": job.token, "seq": seq, "epoch": str(job.board.epoch)}
    return {"token": new_token(), "former_tokens": [*job.former_tokens, ended]}
