"""For load balancers: does the process answer, and can it do its work?"""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dispatch.models import Board


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """503 while the database cannot be reached or has not been migrated."""
    try:
        Board.objects.exists()
    except DatabaseError:
        return HttpResponse(f"cannot read the database ({connection.vendor})\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")
