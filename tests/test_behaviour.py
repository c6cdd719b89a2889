"""What every service promises, whatever its framework: the same tests for both."""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.rendering import render_service
from tests import slow_route
from tests.answers import FRAMEWORKS

pytestmark = pytest.mark.slow


@dataclass
class Running:
    process: subprocess.Popen[str]
    host: str
    port: int

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, body


@pytest.fixture(scope="module", params=FRAMEWORKS)
def binary(
    request: pytest.FixtureRequest,
    template: Path,
    cargo: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a service whose owner has added a slow route, built for development."""
    framework = str(request.param)
    folder = tmp_path_factory.mktemp(framework) / "service"
    name = f"{framework}-probe"
    render_service(template, folder, service_name=name, framework=framework)
    slow_route.add(folder, framework)
    subprocess.run(["cargo", "build", "--locked"], cwd=folder, check=True)
    return cargo / "debug" / name


@contextmanager
def started(binary: Path, **environment: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [binary],
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith(f"{binary.name} listening on http://"), line
        host, _, port = line.rstrip("\n").rpartition("/")[2].rpartition(":")
        yield Running(process, host.strip("[]"), int(port))
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


def test_health_answers_and_nothing_else_does(binary: Path) -> None:
    with started(binary) as service:
        assert service.get("/health") == (200, "OK")
        assert service.get("/")[0] == 404
        assert service.get("/health/x")[0] == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_ends_at_once_and_says_one_line(binary: Path, number: int) -> None:
    with started(binary) as service:
        assert service.get("/health") == (200, "OK")
        service.process.send_signal(number)
        stdout, stderr = service.process.communicate(timeout=10)
        assert service.process.returncode == 0
        assert stdout == ""
        assert stderr == ""


def test_a_request_in_flight_survives_sigterm(binary: Path) -> None:
    answers: list[tuple[int, str]] = []
    with started(binary) as service:
        client = threading.Thread(target=lambda: answers.append(service.get("/slow")))
        client.start()
        time.sleep(0.5)  # the request takes 2 s
        service.process.send_signal(signal.SIGTERM)
        client.join()
        assert service.process.wait(10) == 0
    assert answers == [(200, "finished")]


def test_it_listens_where_the_environment_says(binary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with started(binary, PORT=str(port)) as service:
        assert (service.host, service.port) == ("127.0.0.1", port)
    with started(binary, HOST="::1") as service:
        assert service.host == "::1"
        assert service.get("/health") == (200, "OK")
        assert run(binary, "healthcheck", HOST="::", PORT=str(service.port)).returncode == 0


def test_healthcheck_asks_the_service(binary: Path) -> None:
    with started(binary) as service:
        port = str(service.port)
        for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104
            healthy = run(binary, "healthcheck", HOST=host, PORT=port)
            assert (healthy.returncode, healthy.stdout, healthy.stderr) == (0, "", "")
    unhealthy = run(binary, "healthcheck", HOST="127.0.0.1", PORT=port)
    assert unhealthy.returncode == 1
    assert unhealthy.stderr.startswith(f"{binary.name}: 127.0.0.1:{port} is unhealthy: ")
    assert unhealthy.stderr.count("\n") == 1


def test_a_silent_service_is_unhealthy(binary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        unhealthy = run(binary, "healthcheck", HOST="127.0.0.1", PORT=str(server.getsockname()[1]))
    assert unhealthy.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ([], {"PORT": "http"}, "PORT=http: "),
        ([], {"PORT": "65536"}, "PORT=65536: "),
        ([], {"HOST": "localhost"}, "HOST=localhost: "),
        (["serve"], {}, 'unknown command "serve", expected healthcheck or none'),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(
    binary: Path, arguments: list[str], environment: dict[str, str], message: str
) -> None:
    ended = run(binary, *arguments, **environment)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"{binary.name}: {message}")
    assert ended.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_line_and_exit_1(binary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = run(binary, HOST="127.0.0.1", PORT=str(port))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{binary.name}: cannot serve on 127.0.0.1:{port}: ")
    assert ended.stderr.count("\n") == 1
