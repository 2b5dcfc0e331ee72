"""The photos themselves, for people who may see jobs."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from . import photos
from .models import Job


@require_safe
@login_required
@permission_required("dispatch.view_job", raise_exception=True)
def photo(request: HttpRequest, uid: str, photo_id: str) -> HttpResponse:
    """`?size=thumb` for the small one."""
    job = get_object_or_404(Job, uid=uid)
    try:
        return photos.serve(job, photo_id, request.GET.get("size", "full"))
    except photos.NoSuchPhoto:
        raise Http404 from None
