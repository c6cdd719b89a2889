"""What every service promises, whatever its framework: the same tests for both."""

import json
import re
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.rendering import render_service
from tests import faults
from tests.answers import FRAMEWORKS
from tests.running import Answer, Running, run, started

pytestmark = pytest.mark.slow

PROBES = ("/health", "/livez", "/readyz")
PROBLEM = "application/problem+json"
TITLES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
BODY_LIMIT, HEAD_LIMIT = 1024 * 1024, 16 * 1024


def assert_problem(answer: Answer, status: int) -> None:
    members = {"type": "about:blank", "title": TITLES[status], "status": status}
    assert answer.status == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.body == json.dumps(members, separators=(",", ":"))


@pytest.fixture(scope="module", params=FRAMEWORKS)
def binary(
    request: pytest.FixtureRequest,
    template: Path,
    cargo: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a service whose owner has added routes that fail, built for development."""
    framework = str(request.param)
    folder = tmp_path_factory.mktemp(framework) / "service"
    name = f"{framework}-probe"
    render_service(template, folder, service_name=name, framework=framework, profile="speed")
    faults.add(folder, framework)
    subprocess.run(["cargo", "build", "--locked"], cwd=folder, check=True)
    return cargo / "debug" / name


def wait_until_refused(service: Running) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((service.host, service.port), timeout=10).close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ------------------------------------------------------------------------------------- answers


def test_the_probes_answer_and_so_do_their_heads(binary: Path) -> None:
    with started(binary) as service:
        for path in PROBES:
            whole, head = service.ask("GET", path), service.ask("HEAD", path)
            assert (whole.status, whole.body) == (200, "OK")
            assert (head.status, head.body) == (200, "")
            for answer in (whole, head):
                del answer.headers["date"]
            assert head.headers == whole.headers


@pytest.mark.parametrize("path", ["/", "/health/x", "/healthz", "/missing", "/%0A"])
def test_what_nobody_serves_is_not_found(path: str, binary: Path) -> None:
    with started(binary) as service:
        for method in ("GET", "POST"):
            assert_problem(service.ask(method, path), 404)
        head = service.ask("HEAD", path)
        assert (head.status, head.headers["content-type"], head.body) == (404, PROBLEM, "")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *(("POST", path, {"GET", "HEAD"}) for path in PROBES),
        ("DELETE", "/missing/x", {"GET"}),
        ("GET", "/length", {"POST"}),
    ],
)
def test_another_method_is_not_allowed(
    method: str, path: str, allowed: set[str], binary: Path
) -> None:
    with started(binary) as service:
        answer = service.ask(method, path)
    assert_problem(answer, 405)
    # Who adds a route for GET in Rocket gets HEAD with it.
    assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == allowed - {"HEAD"}
    assert allowed <= set(answer.headers["allow"].split(", "))


def test_a_handler_has_its_own_words(binary: Path) -> None:
    with started(binary) as service:
        answer = service.ask("GET", "/missing/%22%5C%0A%C3%A9")
        assert (answer.status, answer.headers["content-type"]) == (404, PROBLEM)
        assert json.loads(answer.body) == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": 'there is no "\\\né',
        }
        assert service.get("/own") == (409, "mine")


def test_what_the_framework_refuses_is_a_problem(binary: Path) -> None:
    with started(binary) as service:
        answer = service.ask("GET", "/number/x")
        assert_problem(answer, {404: 404, 422: 422}[answer.status])
        # Where a framework has words of its own for it, they are the detail.
        refused = {
            403: service.ask("GET", "/refused"),
            400: service.ask("POST", "/length", b"\xff"),
        }
        for status, answer in refused.items():
            assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
            members = json.loads(answer.body)
            assert members.pop("detail", "not yours") in {"not yours", "Can not decode body"}
            assert members == {"type": "about:blank", "title": TITLES[status], "status": status}
        assert service.end(signal.SIGTERM) == ("", "")


def test_a_failure_is_one_line_for_the_owner_and_none_for_the_client(binary: Path) -> None:
    with started(binary) as service:
        assert_problem(service.ask("GET", "/fail/a%0Ab%1B[2J%E2%80%AE?c"), 500)
        assert_problem(service.ask("GET", "/unavailable"), 503)
        printed = service.end(signal.SIGTERM)
    lines = [
        "GET /fail/a%0Ab%1B[2J%E2%80%AE: cannot do a\\nb\\u{1b}[2J\\u{202e}",
        "GET /unavailable: 503 Service Unavailable",
    ]
    assert printed == ("", "".join(f"{binary.name}: {line}\n" for line in lines))


def test_a_panic_is_an_answer_and_the_service_goes_on(binary: Path) -> None:
    with started(binary) as service:
        assert_problem(service.ask("GET", "/panic"), 500)
        assert service.get("/health") == (200, "OK")
        _, stderr = service.end(signal.SIGTERM)
    assert len(re.findall(r"panicked at src/routes\.rs:\d+:\d+:\nat work\n", stderr)) == 1
    assert stderr.endswith(f"\n{binary.name}: GET /panic: 500 Internal Server Error\n")


# -------------------------------------------------------------------------------------- limits


def test_a_body_has_a_limit(binary: Path) -> None:
    with started(binary) as service:
        most = service.ask("POST", "/length", b"x" * BODY_LIMIT)
        assert (most.status, most.body) == (200, str(BODY_LIMIT))
        assert_problem(service.ask("POST", "/length", b"x" * (BODY_LIMIT + 1)), 413)


def test_a_head_has_a_limit(binary: Path) -> None:
    with started(binary) as service:
        assert service.ask("GET", "/health", headers={"x": "x" * (HEAD_LIMIT - 200)}).status == 200
        assert_problem(service.ask("GET", "/health", headers={"x": "x" * HEAD_LIMIT}), 431)
        assert_problem(service.ask("GET", f"/health?{'x' * HEAD_LIMIT}"), 431)


def test_a_request_has_a_limit_of_time(binary: Path) -> None:
    # What a client has begun to send is waited for as long as what a handler does.
    half = "POST /length HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 99\n\n"
    with started(binary) as service, service.send(half + "x" * 50) as connection:
        assert_problem(service.ask("GET", "/stuck"), 503)
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        _, stderr = service.end(signal.SIGTERM)
    late = f"no answer within {faults.REQUEST}s"
    assert sorted(stderr.splitlines()) == [
        f"{binary.name}: {request}: {late}" for request in ("GET /stuck", "POST /length")
    ]


# Rocket 0.5 waits for a head without end.
KNOWS_NO_LIMIT_FOR_A_HEAD = {"rocket-probe"}


def test_half_a_head_is_cut_off(binary: Path) -> None:
    half = "GET /health HTTP/1.1\nHo"
    with started(binary) as service, service.send(half) as connection:
        connection.settimeout(faults.HEAD + 1)
        if binary.name in KNOWS_NO_LIMIT_FOR_A_HEAD:
            with pytest.raises(TimeoutError):
                connection.recv(4096)
        else:
            assert connection.recv(4096).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert connection.recv(4096) == b""


# ----------------------------------------------------------------------------------------- end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_ends_at_once_and_says_one_line(number: int, binary: Path) -> None:
    with started(binary) as service, service.send("GET /health HTTP/1.1\nHost: x\n\n") as kept:
        assert kept.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        begin = time.monotonic()
        assert service.end(number) == ("", "")
        assert time.monotonic() - begin < faults.SHUTDOWN / 2


def test_a_request_in_flight_survives_sigterm(binary: Path) -> None:
    answers: list[tuple[int, str]] = []
    with started(binary) as service:
        client = threading.Thread(target=lambda: answers.append(service.get("/slow")))
        client.start()
        time.sleep(0.5)  # the request takes 2 s
        begin = time.monotonic()
        assert service.end(signal.SIGTERM) == ("", "")
        assert time.monotonic() - begin < 2.5
        client.join()
    assert answers == [(200, "finished")]


def test_it_ends_in_time_whoever_is_connected(binary: Path) -> None:
    length = "POST /length HTTP/1.1\nHost: x\nContent-Length: 99\n\n"
    sent = (
        "",
        "GET /health HTTP/1.1\nHo",
        length,
        f"{length}{'x' * 50}",
        "GET /large HTTP/1.1\nHost: x\n\n",  # and nobody reads it
        "GET /stuck HTTP/1.1\nHost: x\n\n",
    )
    with started(binary) as service, ExitStack() as connections:
        for text in sent:
            connections.enter_context(service.send(text))
        time.sleep(0.3)
        begin = time.monotonic()
        stdout, _ = service.end(signal.SIGTERM)
        assert stdout == ""
        assert time.monotonic() - begin < faults.SHUTDOWN + 1.5


def test_it_drains_before_it_stops_to_listen(binary: Path) -> None:
    with started(binary, DRAIN_SECONDS="2") as service:
        service.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        time.sleep(0.1)
        assert_problem(service.ask("GET", "/readyz"), 503)
        assert service.ask("HEAD", "/readyz").status == 503
        assert service.get("/livez") == (200, "OK")
        time.sleep(1.4)
        assert service.get("/health") == (200, "OK")
        wait_until_refused(service)
        assert 1.9 < time.monotonic() - begin < 2.5
        assert service.process.communicate(timeout=10) == ("", "")
        assert service.process.returncode == 0


def test_a_second_signal_ends_the_draining(binary: Path) -> None:
    with started(binary, DRAIN_SECONDS="3600") as service:
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert service.ask("GET", "/readyz").status == 503
        assert service.end(signal.SIGINT) == ("", "")


# ------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("[::1]", ["::1"]),
        ("0.0.0.0", ["127.0.0.1"]),  # noqa: S104
        ("[::]", ["127.0.0.1", "::1"]),
    ],
)
def test_it_listens_where_the_environment_says(
    address: str, asked: list[str], binary: Path
) -> None:
    with started(binary, LISTEN_ADDRESS=address) as service:
        assert service.host == address.strip("[]")
        for host in asked:
            assert Running(service.process, host, service.port).get("/health") == (200, "OK")
        port = str(service.port)
        healthy = run(binary, "healthcheck", LISTEN_ADDRESS=address, PORT=port)
        assert (healthy.returncode, healthy.stdout, healthy.stderr) == (0, "", "")


def test_the_port_is_what_port_says_and_host_says_nothing(binary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    # As the compilers of conda export it.
    with started(binary, PORT=str(port), HOST="x86_64-conda-linux-gnu") as service:
        assert (service.host, service.port) == ("127.0.0.1", port)
        assert service.get("/health") == (200, "OK")


def test_healthcheck_finds_a_service_of_both_families_where_one_is_missing(binary: Path) -> None:
    for host in ("127.0.0.1", "::1"):
        with started(binary, LISTEN_ADDRESS=host) as service:
            healthy = run(binary, "healthcheck", LISTEN_ADDRESS="[::]", PORT=str(service.port))
            assert (healthy.returncode, healthy.stderr) == (0, "")


def test_a_service_that_has_ended_is_unhealthy(binary: Path) -> None:
    with started(binary) as service:
        port = str(service.port)
    unhealthy = run(binary, "healthcheck", LISTEN_ADDRESS="127.0.0.1", PORT=port)
    assert unhealthy.returncode == 1
    assert unhealthy.stderr.startswith(f"{binary.name}: 127.0.0.1:{port} is unhealthy: ")
    assert unhealthy.stderr.count("\n") == 1


def test_a_silent_service_is_unhealthy(binary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        unhealthy = run(binary, "healthcheck", LISTEN_ADDRESS="127.0.0.1", PORT=port)
    assert unhealthy.returncode == 1


ADDRESS = "expected an IP address such as 127.0.0.1, 0.0.0.0 or [::]"


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ([], {"PORT": "http"}, "PORT=http: expected a port from 0 to 65535"),
        ([], {"PORT": "65536"}, "PORT=65536: expected a port from 0 to 65535"),
        ([], {"LISTEN_ADDRESS": "localhost"}, f"LISTEN_ADDRESS=localhost: {ADDRESS}"),
        ([], {"LISTEN_ADDRESS": ""}, f"LISTEN_ADDRESS=: {ADDRESS}"),
        ([], {"LISTEN_ADDRESS": "a\nb"}, f"LISTEN_ADDRESS=a\\nb: {ADDRESS}"),
        ([], {"DRAIN_SECONDS": "1.5"}, "DRAIN_SECONDS=1.5: expected whole seconds"),
        ([], {"DRAIN_SECONDS": "-1"}, "DRAIN_SECONDS=-1: expected whole seconds"),
        (["serve"], {}, 'unknown command "serve", expected healthcheck or none'),
        (["healthcheck"], {"PORT": "0"}, "PORT=0: healthcheck cannot know the port; set PORT to"),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(
    arguments: list[str], environment: dict[str, str], message: str, binary: Path
) -> None:
    ended = run(binary, *arguments, **environment)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"{binary.name}: {message}")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROCKET_WORKERS", "abc"),
        ("ROCKET_WORKERS", "0"),
        ("ROCKET_LOG_LEVEL", "nope"),
        ("ROCKET_LOG_LEVEL", "nope\nnope"),
    ],
)
def test_a_mistake_in_what_one_framework_reads_is_one_line_too(
    name: str, value: str, binary: Path
) -> None:
    if not binary.name.startswith("rocket"):
        with started(binary, **{name: value}) as service:
            assert service.get("/health") == (200, "OK")
        return
    ended = run(binary, **{name: value})
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"{binary.name}: ")
    assert ended.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_line_and_exit_1(binary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = run(binary, LISTEN_ADDRESS="127.0.0.1", PORT=str(port))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{binary.name}: cannot serve on 127.0.0.1:{port}: ")
    assert ended.stderr.count("\n") == 1
