"""The customer's pages. GET changes nothing; no cookies; never in a search index or a shared cache."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.storage import storages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from dispatch import asks, links
from dispatch.models import TOKEN, Job
from dispatch.rules import Refused

from . import asking, calendar, language, page, photos, words
from .projection import LinkEnded, find

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
ROBOTS = "User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in ("/track/", "/book", "/state/", "/api/"))


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Renders in the visitor's language, and keeps the answer out of caches, search engines and referrers."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(language.chosen(request)):
            response = view(request, *args, **kwargs)
            response["Content-Language"] = translation.get_language()
        patch_vary_headers(response, ["Accept-Language"])
        for name, value in PRIVATE.items():
            response.setdefault(name, value)
        return response

    return answer


class SeeOther(HttpResponseRedirect):
    """After a POST: the browser gets the page, and a reload asks for nothing twice."""

    status_code = 303


@csrf_exempt  # there is no session to borrow: who posts must know the token
@require_http_methods(["GET", "HEAD", "POST"])
@private
def track(request: HttpRequest) -> HttpResponse:
    """`/track/<token>`, rewritten to `/track.html?token=<token>` as at the edge. `?ask=<kind>` asks for something after a
    look at what it means; `?calendar=ics` and `?photo=<id>` are the page's files, at addresses without the token."""
    try:
        job = find(request.GET.get("token", ""))
    except Job.DoesNotExist:
        return nowhere(request)
    except LinkEnded as ended:
        return expired(request, ended.job)
    if "ask" in request.GET:
        return ask(request, job, request.GET["ask"])
    if request.method == "POST":
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if "calendar" in request.GET:
        return ics(request, job)
    if "photo" in request.GET:
        return photo(request, job, request.GET["photo"])
    return tracked(request, job)


def tracked(request: HttpRequest, job: Job) -> HttpResponse:
    context = page.of_job(job)
    thanks = context["texts"]["ask"].get(request.GET.get("thanks"), {}).get("thanks", "")
    return render(request, "tracking/track.html", context | {"thanks": thanks})


def ask(request: HttpRequest, job: Job, kind: str) -> HttpResponse:
    """The page that asks whether it is meant, and what it does then. What may not be asked leads back to the page."""
    if kind not in words.ASKS or (request.method != "POST" and kind not in asks.allowed(job)):
        return SeeOther(f"?{_language_kept(request)}")
    given, code = asking.Given.of(request.POST), ""
    if request.method == "POST":
        try:
            asking.ask(job, kind, given)
        except Refused as refused:
            code = refused.code
        else:
            return SeeOther(f"?thanks={kind}&{_language_kept(request)}".rstrip("&"))
    context = page.of_job(job)
    context["form"] = asking.form(kind, context["texts"], given, code)
    return render(request, "tracking/ask.html", context, status=422 if code else 200)


def ics(request: HttpRequest, job: Job) -> HttpResponse:
    try:
        return calendar.answer(job)
    except calendar.NoWindow:
        return nowhere(request)


def photo(request: HttpRequest, job: Job, photo_id: str) -> HttpResponse:
    try:
        return photos.serve(job, photo_id, request.GET.get("size", "full"))
    except photos.NoSuchPhoto:
        return nowhere(request)


def expired(request: HttpRequest, job: Job) -> HttpResponse:
    """The link was right, and its time is over."""
    return render(request, "tracking/expired.html", page.of_company(job.board), status=410)


def nowhere(request: HttpRequest) -> HttpResponse:
    """One page for every link that leads nowhere, whatever the reason."""
    return render(request, "tracking/not_found.html", page.of_company(), status=404)


not_found = require_safe(private(nowhere))


@require_safe
@private
def state(request: HttpRequest, token: str) -> HttpResponse:
    """The public copy of a job as the edge serves it, from object storage: it needs no database."""
    try:
        if not TOKEN.fullmatch(token):
            raise FileNotFoundError
        content, etag = storages["state"].read(links.PUBLIC.format(token=token))  # type: ignore[attr-defined]
    except FileNotFoundError:
        return JsonResponse({"code": "not_found"}, status=404)
    etag = f'"{etag.strip(chr(34))}"'
    response = HttpResponse(content, content_type="application/json", headers={"ETag": etag})
    return get_conditional_response(request, etag=etag, response=response) or response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")


def _language_kept(request: HttpRequest) -> str:
    return f"lang={language.chosen(request)}" if "lang" in request.GET else ""
