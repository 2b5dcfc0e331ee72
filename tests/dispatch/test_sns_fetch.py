"""Asking Amazon, over a real connection."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dispatch import sns
from tests.postgres import free_port


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(self.path.strip("/"))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200")
        self.end_headers()
        self.wfile.write(b"x" * (100_000 if status == 200 else 0))

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_reads_no_more_than_a_certificate_can_be_long(origin):
    assert len(sns.fetch(f"{origin}/200")) == sns.CERTIFICATE_BYTES


@pytest.mark.parametrize("status", [302, 403, 404])
def test_what_amazon_does_not_know_is_not_verified_and_nobody_is_led_elsewhere(origin, status):
    with pytest.raises(sns.NotVerified, match=str(status)):
        sns.fetch(f"{origin}/{status}")


def test_a_fault_of_amazons_may_pass(origin):
    with pytest.raises(sns.NotReachable, match="503"):
        sns.fetch(f"{origin}/503")


def test_so_may_one_of_the_network():
    with pytest.raises(sns.NotReachable, match="cannot reach Amazon SNS"):
        sns.fetch(f"http://127.0.0.1:{free_port()}/200")
