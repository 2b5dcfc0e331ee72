"""The whole application: pages, API and sockets in one ASGI callable, for any number of processes."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
http = get_asgi_application()  # sets Django up, so that what follows may import models

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator, WebsocketDenier  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from dispatch.consumers import BoardConsumer  # noqa: E402
from tracking.consumers import TrackConsumer  # noqa: E402

sockets = URLRouter(
    [
        path("ws/board/<slug:slug>/", AuthMiddlewareStack(BoardConsumer.as_asgi())),
        path("ws/track/", TrackConsumer.as_asgi()),  # knows no session: the token in its first message is all it needs
        re_path("", WebsocketDenier.as_asgi()),  # any other address: a refusal, not an error in the log
    ]
)
application = ProtocolTypeRouter({"http": http, "websocket": OriginValidator(sockets, settings.ORIGINS)})
