"""Where a request or a socket comes from, for limits that count by address."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest

HOUSEHOLD = 64
"""Bits of an IPv6 address that one customer of a provider keeps; the rest is theirs to change at will."""


def client_address(source: HttpRequest | Mapping[str, Any]) -> str:
    """The address of a request's or an ASGI scope's client: `203.0.113.7`, or the network `2001:db8:1:2::/64`. Behind
    PROXIES proxies of ours it is what the outermost of them wrote into X-Forwarded-For; what stands further to the left
    is what the client claims. Empty when there is none, as on a Unix socket."""
    peer, forwarded = _of_request(source) if isinstance(source, HttpRequest) else _of_scope(source)
    hops = [hop.strip() for hop in forwarded.split(",")]
    claimed = hops[-settings.PROXIES] if 0 < settings.PROXIES <= len(hops) else ""
    return _normal(claimed) or _normal(peer)


def _of_request(request: HttpRequest) -> tuple[str, str]:
    return request.META.get("REMOTE_ADDR") or "", request.META.get("HTTP_X_FORWARDED_FOR", "")


def _of_scope(scope: Mapping[str, Any]) -> tuple[str, str]:
    forwarded = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"x-forwarded-for"]
    return (scope.get("client") or [""])[0], ",".join(forwarded)


def _normal(written: str) -> str:
    try:
        address = ip_address(written)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, HOUSEHOLD), strict=False))
