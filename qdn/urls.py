"""Mounts the apps. Sockets are in asgi.py."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from qdn import health, metrics
from qdn.api import api

urlpatterns = [
    path("", include("dispatch.urls")),
    path("", include("tracking.urls")),
    path("crew/", include("crew.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/releases/", include("qdn.release_admin")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
