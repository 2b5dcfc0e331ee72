"""Events and what members do, over HTTP. Members are known by their phone's cookie or by their account.

The office reads events here, too; what it changes about them is in crew/staff_api.py.
"""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext
from ninja import Body, File, Form, Header, Query, Router, Status
from ninja.files import UploadedFile
from ninja.security import django_auth

from dispatch.idempotency import DESCRIPTION, KEY, checked_key, once_for
from dispatch.models import Board
from dispatch.schemas import Moment, Text

from . import clock, field, field_photos, listing, plan, spoken, today, turns
from .access import COOKIE, by_member, device_of, member_of
from .models import Event, Member
from .problems import TooOften, as_problems
from .schemas import Action, Clock, NoAccess, Note, Seen, Step
from .showing import DAYS
from .views import ends_account

router = Router(tags=["crew"])
router.add_decorator(spoken.in_their_language)
router.add_decorator(as_problems)
router.add_decorator(spoken.problems_in_their_language, mode="view")
LONGEST = 62
"""Days that can be looked at in one go."""
CLAIMS_AN_HOUR = 60
"""Of a member, with those that they give back."""


def me(request: HttpRequest) -> Member:
    member: Member = request.auth  # type: ignore[attr-defined]  # as crew.access.by_member left it
    return member


once = once_for(lambda request: f"member:{me(request).pk}", needed=True)


def on_their_job(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Asks whose job it is before anything is done, or answered again. Put it above `once`."""

    @wraps(handler)
    def allowed(request: HttpRequest, uid: str, action: Action, **kwargs: Any) -> Any:
        field.outing_of(me(request), uid, action.done_at)
        return handler(request, uid=uid, action=action, **kwargs)

    return allowed


def apart_from_sent_at(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`sentAt` is another one each time that a request is sent. Put it above `once`, to which it is the same request."""

    @wraps(handler)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        body = json.loads(request.body)
        if body.pop("sentAt", None) is not None:
            # As a browser writes it, so that what a phone sent without `sentAt` first is the same, too.
            same = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
            request._body = same.encode(errors="surrogatepass")
        return handler(request, *args, **kwargs)

    return answer


@router.get("/events", summary="Coming events, and who has a place", auth=[django_auth, by_member])
def list_events(
    request: HttpRequest, board: Text | None = None, since: Moment | None = None,
    days: int = Query(DAYS, ge=1, le=LONGEST), mine: bool = False,
) -> HttpResponse:  # fmt: skip
    """Members read those of their own board. The office (`dispatch.view_job`) reads those of `board`, main unless it is
    named, with notes, jobs and warnings, and `members` and `trucks`. A phone's cookie counts before the account, unless
    `board` is named; `mine=true` asks as a member whoever one is besides. Send the `ETag` again as `If-None-Match`: 304
    when nothing changed."""
    may_see_all = request.user.has_perm("dispatch.view_job") and not mine
    if may_see_all and (board or not device_of(request.COOKIES.get(COOKIE, ""))):
        found = get_object_or_404(Board, slug=board or "main")
        return _unless_known(request, listing.for_office(found, since=since, days=days))
    who = me(request)
    member = who if isinstance(who, Member) else member_of(request.COOKIES, request.user)
    if member is None:
        raise PermissionDenied
    return _unless_known(request, listing.for_member(member, since=since, days=days))


@router.post("/events/{slug:uid}/claim", response={200: Any, 201: Any}, summary="Take a first mate's place", auth=by_member)
def claim(request: HttpRequest, uid: str) -> Status[dict[str, Any]]:
    """First come, first served. 201, or 200 when you have it already. 409 `taken` says by whom, 409 `overlaps` where else
    you are then. 429 `too_often` after 60 claims and releases in an hour, with `Retry-After`."""
    event, member = _event(request, uid), me(request)
    _take_turn(member)
    _, is_new = plan.claim(event, member, by=member.name)
    said = gettext("You are on “{event}”.") if is_new else gettext("You have a place in “{event}” already.")
    answer = {"event": listing.as_seen(event, member), "detail": said.format(event=event.title)}
    return Status(201 if is_new else 200, answer)


@router.delete("/events/{slug:uid}/claim", summary="Give a place back", auth=by_member)
def release(request: HttpRequest, uid: str, reason: Text = "") -> dict[str, Any]:
    """Up to 12 hours before it begins a place that you claimed is given back at once. Later, and for places that the office
    gave you, a reason is needed and the office decides (`asked`). 429 as for claims."""
    event, member = _event(request, uid), me(request)
    _take_turn(member)
    asked = plan.release(event, member, by=member.name, reason=reason).ended_at is None
    said = gettext("The office decides. Until then the place is yours.") if asked else gettext("You are off “{event}”.")
    return {"event": listing.as_seen(event, member), "asked": asked, "detail": said.format(event=event.title)}


@router.get("/crew/plan", summary="What a member does today and tomorrow", auth=by_member)
def get_plan(request: HttpRequest) -> HttpResponse:
    """Jobs in order, and the week. A job's `contact` is there while it is open. Send the `ETag` again as `If-None-Match`:
    304 when nothing changed but the time. `endsAccount`: signing out here signs out of the office, too."""
    member = me(request)
    body = today.plan(member) | {"endsAccount": ends_account(request.user, member)}
    return _unless_known(request, body, besides="now")


@router.post("/crew/jobs/{slug:uid}/actions", summary="Move a job on, note something, report no access", auth=by_member)
@on_their_job
@apart_from_sent_at
@once
def act(request: HttpRequest, uid: str, action: Body[Action]) -> dict[str, Any]:
    """Sent late or twice it does what it did at once and once. 409 `moved_on` with the job when it is not in `from` any
    more: say so to the person, and forget the action; it has `by`, `at`, `to` and `reason` of the move. 403 `not_yours`
    when it is on no event of yours that is now and was on none at `at`. Who lost the job reads how: `what` is cancelled,
    given (`to` is the other event), taken_out, taken_off or given_back, with `event`, `by`, `at` and `reason`. 422
    `not_yet` for `en_route` before the job's `startFrom`, with that and `start` of the event. The job comes without its
    `contact`: that is in the plan alone. Of a note, `seqBefore` is what its `seq` was just before."""
    member, outing = me(request), field.outing_of(me(request), uid, action.done_at)
    match action:
        case Step():
            who = field.move(outing, action.to, was=action.was, member=member, at=action.at, skew=action.skew)
            detail = _before(who) or gettext("Now {status}.").format(status=spoken.status_label(outing.job.status))
        case NoAccess():
            who = field.no_access(outing, action.reason, was=action.was, member=member, at=action.at)
            detail = _before(who) or gettext("The office knows that you had no access.")
        case Note():
            field.note(outing, action.text, member=member, at=action.at, skew=action.skew)
            detail = gettext("Your note stands in the job.")
    job = today.shown_now(outing) | {"contact": None}  # the answer is kept for days, to be given again
    return {"job": job, "seqBefore": outing.job.seq_before, "detail": detail}


@router.post(
    "/crew/jobs/{slug:uid}/photos", response={200: Any, 201: Any}, summary="Add a photo from the field", auth=by_member
)
def add_photo(
    request: HttpRequest, uid: str, file: File[UploadedFile], kind: Form[Text], at: Form[Moment],
    sent_at: Annotated[Moment | None, Form(alias="sentAt")] = None,
    idempotency_key: str = Header(..., alias=KEY, description=DESCRIPTION),
) -> Status[dict[str, Any]]:  # fmt: skip
    """multipart/form-data. JPEG, PNG, WebP or HEIC of at most 15 MB; `kind` is before, after, ticket or access; `at` is the
    phone's time, `sentAt` what its clock says as this is sent. 201, or 200 when it came with this key before. `photo` is
    its id. `seqBefore` is what the job's `seq` was just before, or null. 403 `not_yours` as for actions."""
    key, member = checked_key(idempotency_key), me(request)
    outing = field.outing_of(member, uid, at - clock.skew(sent_at, least=field_photos.UPLOAD))
    photo_id, is_new = field_photos.add(outing, file, kind, key=key, member=member, at=at)
    answer = {"job": today.shown_now(outing), "seqBefore": outing.job.seq_before, "photo": photo_id}
    return Status(201 if is_new else 200, answer)


@router.post("/crew/clock", summary="Clock in or out", auth=by_member)
@apart_from_sent_at
@once
def punch(request: HttpRequest, body: Clock) -> dict[str, Any]:
    """`shift` is the one that is open then. Clocking in twice is one shift; 422 `not_in` for clocking out of none. With
    `sentAt` hours count right though the phone's clock is wrong."""
    member = me(request)
    if body.is_in:
        clock.clock_in(member, at=body.at, skew=body.skew)
    else:
        clock.clock_out(member, at=body.at, skew=body.skew)
    return {"shift": clock.open_shift(member)}


@router.post("/crew/seen", summary="Which changes of their events a phone shows", auth=by_member)
def note_seen(request: HttpRequest, body: Seen) -> dict[str, Any]:
    """The office reads who has seen the plan."""
    plan.seen(me(request), body.events)
    return {}


def _before(who: str) -> str:
    """Of what somebody else did already."""
    return gettext("{who} did this already.").format(who=who) if who else ""


def _take_turn(member: Member) -> None:
    """Raises TooOften. Each claim and each release writes to the plan, the history and the jobs, and tells people."""
    if not turns.take("claims", member.uid, CLAIMS_AN_HOUR):
        seconds = turns.seconds_left()
        text = gettext("You took and gave back places very often. Try again in {minutes} min, or call the office.")
        raise TooOften(text.format(minutes=seconds // 60 + 1), seconds)


def _event(request: HttpRequest, uid: str) -> Event:
    events = Event.objects.select_related("board")
    return get_object_or_404(events, uid=uid, board=me(request).board)


def _unless_known(request: HttpRequest, body: dict[str, Any], besides: str = "") -> HttpResponse:
    """304 when the client has it. The content is the version, all but `besides`: much of it changes with time alone."""
    counts = json.dumps({key: value for key, value in body.items() if key != besides}, sort_keys=True)
    etag = f'"{hashlib.sha256(counts.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie"}
    response = HttpResponse(json.dumps(body, separators=(",", ":")), content_type="application/json", headers=headers)
    return get_conditional_response(request, etag=etag, response=response) or response
