from django.urls import path

from . import views

app_name = "tracking"
urlpatterns = [
    path("track.html", views.track, name="track"),
    path("book.html", views.book, name="book"),
    path("404.html", views.not_found, name="not-found"),
]
