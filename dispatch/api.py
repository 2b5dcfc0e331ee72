"""Boards and jobs over HTTP. Each handler loads, calls the flow once and answers with the job as it is then."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Header, Query, Router, Status
from ninja.errors import HttpError

from . import asks, board, flow, links
from .idempotency import once
from .messages import desk
from .mirror import status as mirror_status
from .mirror.document import job_document
from .models import Board, Job, StatusChange
from .schemas import JobFacts, Move, NewJob, NewMessage, Text, Undo

router = Router(tags=["board"])
PAGE = 100


def needs(permission: str) -> Callable[..., Any]:
    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return handler(request, *args, **kwargs)

        return allowed

    return decorate


@router.get("/boards/{slug:slug}", summary="A whole board")
@needs("dispatch.view_job")
def get_board(request: HttpRequest, slug: str) -> dict[str, Any]:
    return board.state(get_object_or_404(Board, slug=slug))


@router.get("/boards/{slug:slug}/changes", summary="What changed since a change number")
@needs("dispatch.view_job")
def get_changes(request: HttpRequest, slug: str, since: int, epoch: str | None = None) -> dict[str, Any]:
    """A delta, or a snapshot when the epoch differs or too much changed: the frame that the socket sends."""
    found = get_object_or_404(Board, slug=slug)
    return board.changes(slug, epoch or str(found.epoch), since).as_dict()


@router.get("/boards/{slug:slug}/mirror", summary="How far the copies in object storage are")
@needs("dispatch.view_job")
def get_mirror(request: HttpRequest, slug: str) -> dict[str, Any]:
    """`jobs` are those that have waited for a while, and those that cannot be copied."""
    found = get_object_or_404(Board, slug=slug)
    now = mirror_status.read(found.slug)
    return now.as_dict() | {"jobs": mirror_status.marks(found.slug) if now.behind else {}}


@router.get("/jobs", summary="Jobs, latest change first")
@needs("dispatch.view_job")
def list_jobs(request: HttpRequest, board: Text = "main", status: Text = "", before: int | None = None) -> dict[str, Any]:
    """At most 100. `next` is the `before` of the following page, null at the end."""
    jobs = Job.objects.on_board(board).select_related("board").prefetch_related("history").order_by("-seq")
    jobs = jobs.filter(status=status) if status else jobs
    page = list((jobs.filter(seq__lt=before) if before is not None else jobs)[: PAGE + 1])
    return {"jobs": [full(job) for job in page[:PAGE]], "next": page[PAGE - 1].seq if len(page) > PAGE else None}


@router.post("/jobs", response={201: Any}, summary="Open a job")
@needs("dispatch.add_job")
@once
def open_job(request: HttpRequest, facts: NewJob) -> Status[dict[str, Any]]:
    found = get_object_or_404(Board, slug=facts.board)
    job = flow.open_job(
        found,
        by=name(request),
        channel=StatusChange.Channel.API,
        status=facts.status,
        notify=facts.notify,
        **facts.columns(),
    )
    return Status(201, full(job) | {"messages": desk.of_change(job)})


@router.get("/jobs/{slug:uid}", summary="A job")
@needs("dispatch.view_job")
def get_job(request: HttpRequest, uid: str, response: HttpResponse) -> dict[str, Any]:
    """`mirror` says how far its copy in object storage is: current, behind or failing; `messages` what the customer was
    told or will be."""
    job = get_object_or_404(Job.objects.select_related("board", "upload"), uid=uid)
    response["ETag"] = f'"{job.seq}"'
    return full(job) | {"mirror": mirror_status.copy_of(job), "messages": desk.of_job(job)}


@router.patch("/jobs/{slug:uid}", summary="Change what is known about a job")
@needs("dispatch.change_job")
def edit_job(
    request: HttpRequest, uid: str, facts: JobFacts, if_match: str = Header(""), seq: int | None = Query(None)
) -> dict[str, Any]:  # fmt: skip
    """Name the change number you saw, as `If-Match: "<seq>"` or as `?seq=`: two editors cannot overwrite each other."""
    return full(flow.edit(_job(uid), facts.columns(), expect=version(if_match, seq), by=name(request)))


@router.post("/jobs/{slug:uid}/move", summary="Move a job to another status or place")
@needs("dispatch.change_job")
@once
def move_job(request: HttpRequest, uid: str, move: Move) -> dict[str, Any]:
    job, place = _job(uid), dict[str, Any](before=move.before, after=move.after)
    if move.to == job.status:
        return full(flow.place(job, expect=move.seq, by=name(request), **place))
    by, channel = name(request), StatusChange.Channel.BOARD
    moved = flow.move(
        job, move.to, expect=move.seq, by=by, channel=channel, reason=move.reason, notify=move.notify, **place
    )
    return full(moved) | {"messages": desk.of_change(moved)}


@router.post("/jobs/{slug:uid}/undo", summary="Take the latest move back")
@needs("dispatch.change_job")
@once
def undo_job(request: HttpRequest, uid: str, undo: Undo) -> dict[str, Any]:
    """`messages` are those of the move; one that is not `cancelled` had gone out already."""
    job = _job(uid)
    return full(flow.undo(job, expect=undo.seq, by=name(request))) | {"messages": desk.of_change(job, undo.seq)}


@router.post("/jobs/{slug:uid}/asks/settle", summary="The asks are dealt with")
@needs("dispatch.change_job")
@once
def settle_asks(request: HttpRequest, uid: str) -> dict[str, Any]:
    return full(asks.settle(_job(uid), by=name(request)))


@router.post("/jobs/{slug:uid}/link", summary="Replace the tracking link")
@needs("dispatch.change_job")
@once
def replace_link(request: HttpRequest, uid: str) -> dict[str, Any]:
    """The old one stops working at once."""
    return full(links.replace(_job(uid), by=name(request)))


@router.post("/jobs/{slug:uid}/messages", summary="Write to the customer")
@needs("dispatch.change_job")
@once
def send_message(request: HttpRequest, uid: str, message: NewMessage) -> dict[str, Any]:
    """Sends one of the usual messages, such as the tracking link, again. `messages` are all of the job."""
    job = _job(uid)
    desk.send(job, message.kind, by=name(request))
    return {"messages": desk.of_job(job)}


@router.post("/jobs/{slug:uid}/messages/{int:pk}/cancel", summary="Take a message back that waits")
@needs("dispatch.change_job")
def cancel_message(request: HttpRequest, uid: str, pk: int) -> dict[str, Any]:
    """422 when it has gone out already."""
    job = _job(uid)
    desk.cancel(job, pk, by=name(request))
    return {"messages": desk.of_job(job)}


def full(job: Job) -> dict[str, Any]:
    """A job with the keys of its card and of its document, in which an imported record's own keys come second to ours."""
    return board.card(job) | job_document(job) | {"asks": job.asks, "photos": job.photos}


def name(request: HttpRequest) -> str:
    """Who did it, as the history shall say. For signed-in people."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user.get_full_name() or request.user.get_username()


def version(if_match: str, seq: int | None) -> int:
    """The number that a client says it saw. 428 when it says none."""
    if seq is not None:
        return seq
    number = re.fullmatch(r'\s*"?([0-9]{1,18})"?\s*', if_match)
    if not number:
        raise HttpError(428, 'Say which version you saw: If-Match: "<seq>".')
    return int(number[1])


def _job(uid: str) -> Job:
    return get_object_or_404(Job.objects.select_related("board"), uid=uid)
