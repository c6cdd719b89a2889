"""A collector of traces that takes every batch, counts its spans and keeps none.

It is a program of its own, so that it need not share a processor with what sends to it.
"""

import http.client
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from subprocess import DEVNULL, PIPE
from typing import ClassVar

from extensions.pins import ROOT
from hooks.processes import started
from lab.servers import HOST

# What OTLP over HTTP adds to the address of a collector.
PATH = "/v1/traces"
# What the span of a request has once, as it is.
ONCE = b"url.path"
SECONDS_TO_WAIT = 5


class Collector(BaseHTTPRequestHandler):
    """Answers a batch with 200, and GET of the same path with the number of spans so far."""

    taken: ClassVar[Counter[str]] = Counter()
    timeout = SECONDS_TO_WAIT

    def do_POST(self) -> None:
        """Take a batch."""
        batch = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken[self.path] += batch.count(ONCE)
        self._answer(b"")

    def do_GET(self) -> None:
        """Say how many spans came."""
        self._answer(str(self.taken[self.path]).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing, which would be a line for each batch."""


@contextmanager
def collecting(*before: str) -> Iterator[int]:
    """Start a collector, by a command before it if there is one, and yield its port."""
    command = [*before, sys.executable, "-m", "benchmarks.collector"]
    with started(command, folder=ROOT, stdout=PIPE, stderr=DEVNULL) as process:
        assert process.stdout is not None
        with process.stdout as printed:
            yield int(printed.readline())


def endpoint(port: int, name: str) -> str:
    """Return the address by which a service sends, where a word tells it from the others."""
    return f"http://{HOST}:{port}/{name}"


def spans(port: int, name: str) -> int:
    """Return how many spans a collector has taken from the service of that name."""
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_TO_WAIT)
    try:
        connection.request("GET", f"/{name}{PATH}")
        return int(connection.getresponse().read())
    finally:
        connection.close()


if __name__ == "__main__":
    with HTTPServer((HOST, 0), Collector) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
