"""Lets the pages of PUBLIC_ORIGIN and STAGING_ORIGIN use the customers' part of the API where that is at an origin of its
own. Without credentials: a customer's token is all there is."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

CUSTOMERS = re.compile(r"/api/v1/(?:track|bookings?)(?:/|\Z)")
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, If-None-Match",
    "Access-Control-Max-Age": "7200",
}


class CrossOriginMiddleware:
    """Adds nothing while API and pages share an origin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.API_ORIGIN == settings.PUBLIC_ORIGIN or not CUSTOMERS.match(request.path):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        ours = origin in {settings.PUBLIC_ORIGIN, settings.STAGING_ORIGIN}
        if ours and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response = HttpResponse(status=204, headers=PREFLIGHT)
        else:
            response = self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        if ours:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "ETag"
        return response
