import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, JsonResponse
from django.test import AsyncRequestFactory, RequestFactory

from edge import engine, middleware
from edge.middleware import RewriteMiddleware

TOKEN = "Ab3-_xYz01"


def seen(request: HttpRequest) -> JsonResponse:
    return JsonResponse([request.path_info, request.GET.urlencode(), request.path], safe=False)


def answer(request: HttpRequest) -> list[str]:
    """What the view behind the middleware sees: the path it is routed by, the query, and the path that was asked for."""
    return json.loads(RewriteMiddleware(seen)(request).content)


def asgi(raw_path: bytes, query: bytes = b"", path: str = "/decoded/by/the/server") -> ASGIRequest:
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": raw_path, "query_string": query, "headers": []}
    return ASGIRequest(scope, None)


@pytest.mark.parametrize("make", [RequestFactory(), AsyncRequestFactory()], ids=["wsgi", "asgi"])
def test_django_routes_by_the_rewritten_path_and_remembers_the_address(make):
    request = make.get(f"/track/{TOKEN}", {"lang": "en"})

    assert answer(request) == ["/track.html", f"lang=en&token={TOKEN}", f"/track/{TOKEN}"]


@pytest.mark.parametrize("make", [RequestFactory(), AsyncRequestFactory()], ids=["wsgi", "asgi"])
def test_other_addresses_pass_untouched(make):
    assert answer(make.get("/board/main/", {"token": "kept"})) == ["/board/main/", "token=kept", "/board/main/"]


@pytest.mark.parametrize("make", [RequestFactory(), AsyncRequestFactory()], ids=["wsgi", "asgi"])
def test_garbage_is_the_missing_page(make):
    assert answer(make.get("/track/é"))[:2] == ["/404.html", ""]


def test_a_viewers_own_token_is_replaced():
    request = RequestFactory().get(f"/track/{TOKEN}?token=a&token=b")

    assert answer(request)[1] == f"token={TOKEN}"


@pytest.mark.parametrize("query", ["token=a&%74oken=b", "%74oken=b&token=a", "%74%6fken=b"])
def test_a_viewers_own_token_is_replaced_however_it_is_spelled(query):
    seen = RewriteMiddleware(lambda request: JsonResponse(request.GET["token"], safe=False))

    assert json.loads(seen(RequestFactory().get(f"/track/{TOKEN}?{query}")).content) == TOKEN


def test_a_function_that_fails_is_a_503_as_at_cloudfront(monkeypatch, caplog):
    def fails(*_):
        raise engine.FunctionFailed("URIError: malformed URI")

    monkeypatch.setattr(middleware, "rewrite", fails)

    assert RewriteMiddleware(seen)(RequestFactory().get("/board/main/")).status_code == 503
    assert caplog.messages == ["the edge function failed: URIError: malformed URI"]


def test_the_path_as_sent_counts_not_what_the_server_decoded():
    assert answer(asgi(b"/track/%41b3-_xYz01", path="/track/Ab3-_xYz01"))[0] == "/404.html"


def test_a_raw_path_with_its_query_is_cut_before_it():
    assert answer(asgi(f"/track/{TOKEN}?lang=en".encode(), b"lang=en"))[:2] == ["/track.html", f"lang=en&token={TOKEN}"]


def test_a_raw_path_that_is_no_ascii_is_no_error():
    assert answer(asgi(b"/track/\xff\xfe"))[0] == "/404.html"


def test_without_a_raw_path_the_decoded_one_counts():
    assert answer(asgi(b"", path=f"/track/{TOKEN}"))[0] == "/track.html"


def test_many_threads_at_once_do_not_mix_their_requests():
    middleware = RewriteMiddleware(lambda request: JsonResponse(request.GET.dict()))
    tokens = [f"token-of-{number:04}" for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda token: middleware(RequestFactory().get(f"/track/{token}")).content, tokens))

    assert answers == [f'{{"token": "{token}"}}'.encode() for token in tokens]
