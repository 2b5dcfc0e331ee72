from django.urls import path

from . import field_photos, pages, views

app_name = "crew"
urlpatterns = [
    path("", pages.app, name="app"),
    path("app.webmanifest", pages.manifest, name="manifest"),
    path("worker.js", pages.worker, name="worker"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/<str:secret>/", views.sign_in_link, name="sign-in-link"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("phones/", views.phones, name="phones"),
    path("photos/<slug:uid>/<slug:photo_id>/<slug:size>", field_photos.photo, name="photo"),
]
