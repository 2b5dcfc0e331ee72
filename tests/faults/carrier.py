"""A carrier of texts: it remembers what it accepted, in order, and can be away or keep its answers to itself."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.postgres import bound


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, released = self.server.carrier.accept(told["key"])
        if released:
            released.wait(30)
        try:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"id": name}).encode())
        except OSError:
            pass  # who asked is dead

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class Carrier:
    """`accepted` is [(dedupe key, the carrier's name for it)]; `held` the keys that were accepted and not answered yet."""

    def __init__(self):
        self.socket, self.lock, self.server = bound(0), threading.Lock(), None
        self.port = self.socket.getsockname()[1]
        self.accepted, self.held, self.released, self.holds_after = [], [], threading.Event(), None

    @property
    def env(self):
        return {"SMS_BACKEND": "tests.faults.texting.Texting", "TEXTING_URL": f"http://127.0.0.1:{self.port}/"}

    def accept(self, key):
        with self.lock:
            name = f"carrier-{len(self.accepted) + 1}"
            self.accepted.append((key, name))
            if self.holds_after is None or len(self.accepted) <= self.holds_after:
                return name, None
            self.held.append(key)
            return name, self.released

    def come(self):
        self.server = Server(("127.0.0.1", self.port), Handler, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = self.socket  # which nobody else could take meanwhile
        self.server.server_activate()
        self.server.carrier = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def go(self):
        self.released.set()
        if self.server:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            self.server = None
        self.socket.close()
