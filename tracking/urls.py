from django.urls import path

from . import booking_views, views

app_name = "tracking"
urlpatterns = [
    path("track.html", views.track, name="track"),
    path("book.html", booking_views.book, name="book"),
    path("404.html", views.not_found, name="not-found"),
    path("state/track/<path:token>.json", views.state, name="state"),
    path("robots.txt", views.robots, name="robots"),
]
