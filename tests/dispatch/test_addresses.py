import pytest
from django.test import RequestFactory

from dispatch.addresses import client_address


def both_ways(peer, forwarded):
    """The same as a request and as a socket's scope."""
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}))
    headers = [(b"x-forwarded-for", part.encode()) for part in forwarded.split(";")] if forwarded else []
    return client_address(request), client_address({"type": "websocket", "client": [peer, 5], "headers": headers})


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "203.0.113.7", "", "203.0.113.7"),
        (0, "203.0.113.7", "198.51.100.1", "203.0.113.7"),  # nobody of ours wrote that
        (1, "10.0.0.1", "203.0.113.7", "203.0.113.7"),
        (1, "10.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),  # the client wrote the first itself
        (2, "10.0.0.1", "1.2.3.4, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "10.0.0.1", "203.0.113.7", "10.0.0.1"),  # it came past one of the proxies
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "unknown", "10.0.0.1"),
        (1, "10.0.0.1", "203.0.113.7:4711", "10.0.0.1"),
        (0, "::ffff:203.0.113.7", "", "203.0.113.7"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        (0, "", "", ""),
    ],
)
def test_the_address_is_what_our_outermost_proxy_saw(settings, proxies, peer, forwarded, address):
    settings.PROXIES = proxies

    assert both_ways(peer, forwarded) == (address, address)


def test_several_headers_are_one_list(settings):
    settings.PROXIES = 1
    headers = [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-for", b"203.0.113.7")]

    assert client_address({"client": ["10.0.0.1", 5], "headers": headers}) == "203.0.113.7"


def test_a_unix_socket_has_no_address():
    assert client_address({"client": None, "headers": []}) == ""
