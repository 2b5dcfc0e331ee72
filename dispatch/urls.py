from datetime import date

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from . import hooks, photo_views, views


class DayConverter(StringConverter):
    """A day such as 2026-11-24; anything else is no such page."""

    regex = r"2\d{3}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:  # type: ignore[override]
        return date.fromisoformat(value)  # a ValueError means no match

    def to_url(self, value: date) -> str:  # type: ignore[override]
        return value.isoformat()


register_converter(DayConverter, "day")

app_name = "dispatch"
urlpatterns = [
    path("", views.home, name="home"),
    path("jobs/<slug:uid>/photos/<slug:photo_id>.jpg", photo_views.photo, name="photo"),
    path("board/<slug:slug>/", views.board, name="board"),
    path("board/<slug:slug>/<day:day>/", views.day, name="day"),
    path("hooks/sns/", hooks.sns, name="hooks_sns"),
]
