"""A job as a document: `jobs/<uid>.json`, complete and private. The keys are camelCase, times ISO 8601 in UTC.

    {"id", "token", "status", "location", "price", "createdAt", "statusHistory": [{"status", "at", "by", "seq", …}],
     "seq", "epoch", "board", "updatedAt", "updatedBy", "statusAt", "rank", "service", "window": {"start", "end"} | null,
     "crew": [name], "customer": {"name", "phone", "email", "language", "notify"}, "preferredDay", "loadEighths",
     "accessNotes", "notes", "asks", "photos", "optedOut": [channel], "formerTokens": [{"token", "seq", "epoch"}], …}

Keys that an imported record had and we do not know stand at the top level again. dispatch/mirror/reading.py reads it.
"""

from collections.abc import Mapping
from typing import Any

from dispatch.board import iso, number
from dispatch.models import Job, StatusChange

FORMAT = "jobs/{uid}.json"
LATER = ("preferredDay", "asks", "photos", "optedOut", "formerTokens")
IMPORTED = "imported.{key}"
"""Where `Job.extra` keeps what an imported record had under one of the LATER keys that was not ours."""


def job_object(job: Job) -> tuple[str, dict[str, Any]]:
    """The name and the content of a job's object in the bucket."""
    return FORMAT.format(uid=job.uid), job_document(job)


def job_document(job: Job) -> dict[str, Any]:
    """Reads `job.board` and `job.history`; prefetch them for many jobs."""
    window = {"start": iso(job.window_start), "end": iso(job.window_end)} if job.window_start else None
    known = {
        "id": job.uid,
        "token": job.token,
        "status": job.status,
        "location": job.location,
        "price": number(job.price),
        "createdAt": iso(job.created_at),
        # History is read after the row; a step made in between belongs to the next version of the document.
        "statusHistory": [step(change) for change in job.history.all() if change.seq <= job.seq],
        "seq": job.seq,
        "epoch": str(job.board.epoch),
        "board": job.board.slug,
        "updatedAt": iso(job.updated_at),
        "updatedBy": job.updated_by,
        "statusAt": iso(job.status_at),
        "rank": job.rank,
        "service": job.service,
        "window": window,
        "crew": job.crew,
        "customer": {
            "name": job.customer_name,
            "phone": job.customer_phone,
            "email": job.customer_email,
            "language": job.customer_language,
            "notify": job.customer_notify,
        },
        "preferredDay": job.preferred_day.isoformat() if job.preferred_day else None,
        "loadEighths": job.load_eighths,
        "accessNotes": job.access_notes,
        "notes": job.notes,
        "asks": job.asks,
        "photos": job.photos,
        "optedOut": job.opted_out,
        "formerTokens": job.former_tokens,
    }
    return _with_imported(job.extra, known)


def _with_imported(extra: Mapping[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """An imported record may have meant something else by a key that became ours later. It has it while we have nothing
    to say under it."""
    rest = dict(extra)
    for key in LATER:
        name = IMPORTED.format(key=key)
        if name in rest and not known[key]:
            known[key] = rest.pop(name)
    return rest | known


def step(change: StatusChange) -> dict[str, Any]:
    """An imported step keeps a channel that is none of ours."""
    known = {"status": change.to_status, "at": iso(change.at), "by": change.by, "seq": change.seq}
    reason = {"reason": change.reason} if change.reason else {}
    return {"channel": change.channel} | change.extra | known | reason
