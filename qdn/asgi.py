"""The whole application: pages, API and sockets in one ASGI callable, for any number of processes."""

import os
import sys
from collections.abc import Iterable
from functools import partialmethod
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
http = get_asgi_application()  # sets Django up, so that what follows may import models

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from crew.consumers import CrewConsumer  # noqa: E402
from dispatch.consumers import BoardConsumer  # noqa: E402
from dispatch.line import with_line  # noqa: E402
from qdn import stopping  # noqa: E402
from tracking.consumers import TrackConsumer  # noqa: E402


def from_our_pages(application: Any, origins: Iterable[str]) -> Any:
    """Refuses sockets of pages that are not ours. A browser always says where its page is from, in one way of writing, so
    the text must be the very same: what is missing, doubled or malformed is not ours. Channels' own validator fails with
    an error on some malformed ones."""
    own_port = {"http": ":80", "https": ":443"}  # browsers leave it out
    ours = [[origin.removesuffix(own_port[origin.partition(":")[0]]).encode()] for origin in origins]

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        sent = [value for name, value in scope["headers"] if name == b"origin"]
        await (application if sent in ours else WebsocketDenier.as_asgi())(scope, receive, send)

    return answer


def leave_forms_alone() -> None:
    """Under daphne, Twisted takes every form apart before we see it: in memory, thirteen times its size, and on the thread
    of all sockets, which stand still for a tenth of a second for each megabyte. Nobody has a use for what it finds."""
    daphne = sys.modules.get("daphne.http_protocol")
    if daphne:
        daphne.WebRequest.__init__ = partialmethod(daphne.WebRequest.__init__, parsePOSTFormSubmission=False)


leave_forms_alone()
stopping.end_in_order()
sockets = URLRouter(
    [
        path("ws/board/<slug:slug>/", from_our_pages(AuthMiddlewareStack(BoardConsumer.as_asgi()), settings.ORIGINS)),
        path("ws/crew/", from_our_pages(AuthMiddlewareStack(CrewConsumer.as_asgi()), settings.ORIGINS)),
        # It knows no session: the token in its first message is all it needs.
        path("ws/track/", from_our_pages(TrackConsumer.as_asgi(), settings.CUSTOMER_ORIGINS)),
        re_path("", WebsocketDenier.as_asgi()),  # any other address: a refusal, not an error in the log
    ]
)
application = with_line(ProtocolTypeRouter({"http": stopping.finishing(http), "websocket": sockets}))
