"""A service that a test starts, asks and ends."""

import http.client
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Running:
    """A service that listens; `begin` is what it printed up to the line that says so."""

    process: subprocess.Popen[str]
    host: str
    port: int
    begin: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        connection.request(method, path, body or None, headers or {})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, text)

    def get(self, path: str) -> tuple[int, str]:
        answer = self.ask("GET", path)
        return answer.status, answer.body

    def send(self, text: str) -> socket.socket:
        """Open a connection, send a text over it, and leave it open."""
        connection = socket.create_connection((self.host, self.port), timeout=10)
        connection.sendall(text.replace("\n", "\r\n").encode())
        return connection

    def end(self, number: int) -> tuple[str, str]:
        """Send a signal, wait for exit 0, and return what the service has printed since."""
        self.process.send_signal(number)
        printed = self.process.communicate(timeout=10)
        assert self.process.returncode == 0, printed
        return printed


@contextmanager
def started(binary: Path, **environment: str) -> Iterator[Running]:
    """Start a service on a free port of 127.0.0.1, and wait until it says that it listens."""
    process = subprocess.Popen(
        [binary],
        env={**os.environ, "LISTEN_ADDRESS": "127.0.0.1", "PORT": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        printed = []
        for line in process.stdout:
            printed.append(line)
            if found := re.search(rf"\b{binary.name} listening on http://(\S+):(\d+)", line):
                break
        else:
            raise AssertionError((printed, process.communicate()))
        yield Running(process, found[1].strip("[]"), int(found[2]), printed)
    finally:
        process.kill()
        process.communicate()


def run(binary: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
