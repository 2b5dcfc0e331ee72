from django.urls import path

from . import views

app_name = "dispatch"
urlpatterns = [
    path("", views.home, name="home"),
    path("board/<slug:slug>/", views.board, name="board"),
]
