"""The edge function in front of Django, so that links work here exactly as they do behind CloudFront."""

import logging
from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

from .engine import FunctionFailed, rewrite

logger = logging.getLogger(__name__)


class RewriteMiddleware:
    """Rewrites what Django routes by (`path_info` and the query); `request.path` stays what the browser asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        uri = _as_sent(request)
        try:
            rewritten, query = rewrite(uri, request.META.get("QUERY_STRING", ""))
        except FunctionFailed as failed:
            logger.error("the edge function failed: %s", failed)
            return HttpResponse("The edge function failed.", "text/plain", 503)  # as CloudFront does
        if rewritten != uri:
            request.path_info = unquote(rewritten)
            request.META["QUERY_STRING"] = query
        return self.get_response(request)


def _as_sent(request: HttpRequest) -> str:
    scope = getattr(request, "scope", {})
    raw = scope.get("raw_path")  # WSGI and some test clients know only the decoded path
    return raw.partition(b"?")[0].decode("latin-1") if raw else escape_uri_path(request.path_info)
