"""Runs the edge function on this machine, in an embedded QuickJS with CloudFront's limits on memory and time."""

import json
import threading
from functools import cache
from pathlib import Path
from typing import Any

import quickjs

FUNCTION = Path(__file__).parent / "functions" / "rewrite.js"
MEMORY_BYTES = 2 * 1024 * 1024
SECONDS = 1

Query = dict[str, dict[str, Any]]

_contexts = threading.local()


class FunctionFailed(Exception):
    """The function threw. CloudFront would answer 503."""


def rewrite(uri: str, query_string: str) -> tuple[str, str]:
    """The URI and the query string, both as sent, after the viewer-request function. Raises FunctionFailed."""
    request = handle(viewer_request(uri, query_string))
    return request["uri"], format_query(request["querystring"])


def viewer_request(uri: str, query_string: str = "", method: str = "GET") -> dict[str, Any]:
    """The event that CloudFront makes of a request, as far as a function that looks at addresses needs it."""
    request = {"method": method, "uri": uri, "querystring": parse_query(query_string), "headers": {}, "cookies": {}}
    context, viewer = {"eventType": "viewer-request"}, {"ip": "127.0.0.1"}
    return {"version": "1.0", "context": context, "viewer": viewer, "request": request}


def handle(event: dict[str, Any]) -> dict[str, Any]:
    """The request that the function makes of a viewer-request event. Raises FunctionFailed."""
    try:
        request: dict[str, Any] = json.loads(_context().get("run")(json.dumps(event)))
    except quickjs.JSException as error:
        raise FunctionFailed(str(error)) from None
    return request


def parse_query(query_string: str) -> Query:
    """As CloudFront gives it to a function: nothing decoded, of several values the first, and all of them beside it."""
    values: dict[str, list[dict[str, str]]] = {}
    for part in filter(None, query_string.split("&")):
        name, _, value = part.partition("=")
        values.setdefault(name, []).append({"value": value})
    return {name: all_[0] | ({"multiValue": all_} if len(all_) > 1 else {}) for name, all_ in values.items()}


def format_query(query: Query) -> str:
    return "&".join(f"{name}={one['value']}" for name, entry in query.items() for one in entry.get("multiValue", [entry]))


def _context() -> quickjs.Context:
    """One for each thread: an engine must not be entered twice."""
    if not hasattr(_contexts, "context"):
        context = quickjs.Context()
        context.set_memory_limit(MEMORY_BYTES)
        context.set_time_limit(SECONDS)
        context.eval(_source())
        context.eval("function run(event) { return JSON.stringify(handler(JSON.parse(event))); }")
        _contexts.context = context
    return _contexts.context


@cache
def _source() -> str:
    return FUNCTION.read_text()
