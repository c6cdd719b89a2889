"""A built service, started and asked as its users will."""

import http.client
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hooks.environment import for_cargo
from hooks.processes import started

HOST = "127.0.0.1"
SECONDS_TO_START = 30.0
SECONDS_TO_ANSWER = 5.0
SECONDS_TO_STOP = (
    10.0  # then Docker kills: https://docs.docker.com/reference/cli/docker/container/stop/
)


class Misbehaved(Exception):
    """The service did not do what it promises; the message says what it did instead."""


@dataclass(frozen=True)
class Running:
    """A service that listens on `port` of 127.0.0.1."""

    binary: Path
    process: subprocess.Popen[bytes]
    port: int


@contextmanager
def running(binary: Path) -> Iterator[Running]:
    """Start a service on a free port and wait until it says that it listens.

    Args:
        binary: The program.

    Yields:
        The service; the end of the block ends it if it still runs.

    Raises:
        Misbehaved: It ended, or said nothing in 30 s.
    """
    environment = {
        **for_cargo(os.environ),
        "LISTEN_ADDRESS": HOST,
        "PORT": "0",
        "METRICS_PORT": "0",
        "OTEL_SDK_DISABLED": "true",
    }
    with started([binary], env=environment, stdout=subprocess.PIPE) as process:
        yield Running(binary, process, _listening_port(process))


def _listening_port(process: subprocess.Popen[bytes]) -> int:
    lines: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(b"")

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise Misbehaved(f"it did not listen within {SECONDS_TO_START:.0f} s") from None
        if not line:
            raise Misbehaved(f"it ended at once, with {_ending(process.wait())}")
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        if match := re.search(rb"http://[^ ]*:([0-9]+)", line):
            return int(match[1])


def ask_health(port: int) -> str:
    """Ask `GET /health` on a port of 127.0.0.1.

    Returns:
        What it answered, such as `200 OK "OK"`.

    Raises:
        Misbehaved: It answered anything else, or nothing in 5 s.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_TO_ANSWER)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        answer = f"{response.status} {response.reason} {body!a}"
    except (OSError, http.client.HTTPException) as error:
        raise Misbehaved(f"GET /health failed: {error}") from error
    finally:
        connection.close()
    if answer != "200 OK 'OK'":
        raise Misbehaved(f"GET /health answered {answer}")
    return answer


def run_healthcheck(service: Running) -> str:
    """Run the `healthcheck` command of the binary.

    Returns:
        How it ended: `exit 0`.

    Raises:
        Misbehaved: It ended otherwise, or not in 5 s.
    """
    environment = {**for_cargo(os.environ), "LISTEN_ADDRESS": HOST, "PORT": str(service.port)}
    with started([service.binary, "healthcheck"], env=environment) as process:
        return _exit_0(process, SECONDS_TO_ANSWER, "healthcheck")


def stop(service: Running) -> str:
    """Send SIGTERM and wait for the end.

    Returns:
        How it ended: `exit 0`.

    Raises:
        Misbehaved: It ended otherwise, or not in 10 s.
    """
    os.kill(service.process.pid, signal.SIGTERM)
    return _exit_0(service.process, SECONDS_TO_STOP, "SIGTERM")


def _exit_0(process: subprocess.Popen[bytes], seconds: float, what: str) -> str:
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise Misbehaved(f"{what}: still running after {seconds:.0f} s") from None
    if code:
        raise Misbehaved(f"{what}: ended with {_ending(code)}, not exit 0")
    return "exit 0"


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
