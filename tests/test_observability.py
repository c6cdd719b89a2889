"""What a service tells of itself by choice, read back as those read it who collect it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from extensions.rules import OBSERVABILITY
from lab.rendering import render_service
from lab.servers import free_port, serving
from tests import faults
from tests.answers import FRAMEWORKS
from tests.conftest import Copy
from tests.running import Running, run, started

pytestmark = pytest.mark.slow

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
NO_TRACES = {"OTEL_SDK_DISABLED": "true"}
QUIET = {"METRICS_PORT": "0", **NO_TRACES}
# How a route is written in each framework.
PATTERN = {"actix": "/missing/{what}", "rocket": "/missing/<what>"}


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def binary(
    framework: str, template: Path, cargo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a service with all options, whose owner has added routes that fail."""
    return built(framework, OBSERVABILITY, template, cargo, tmp_path_factory.mktemp(framework))


def built(framework: str, told: tuple[str, ...], template: Path, cargo: Path, folder: Path) -> Path:
    name = f"{framework}-{'-'.join(told)}"
    answers = {"framework": framework, "profile": "speed", "observability": list(told)}
    render_service(template, folder / "service", service_name=name, **answers)
    faults.add(folder / "service", framework)
    subprocess.run(["cargo", "build", "--locked"], cwd=folder / "service", check=True)
    return cargo / "debug" / name


def lines_of(printed: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in printed.splitlines()]
    for line in found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])
    return found


# ------------------------------------------------------------------------------------------- logs


def test_the_lines_of_a_request_are_found_by_its_id(framework: str, binary: Path) -> None:
    with started(binary, LOG_FORMAT="json", **QUIET) as service:
        answer = service.ask("GET", "/fail/it?a=b", headers={"x-request-id": "order-17"})
        stdout, stderr = service.end(signal.SIGTERM)
    assert (answer.status, answer.headers["x-request-id"]) == (500, "order-17")
    failed, answered = (each for each in lines_of(stdout) if each.get("request_id") == "order-17")
    assert (failed["level"], failed["message"]) == ("ERROR", "GET /fail/it: cannot do it")
    assert failed["target"] == f"{binary.name.replace('-', '_')}::failures"
    assert answered.pop("duration_ms") > 0
    assert {key: answered[key] for key in answered if key not in ("timestamp", "target")} == {
        "level": "INFO",
        "message": "answered",
        "method": "GET",
        "path": "/fail/it",
        "route": PATTERN[framework].replace("missing", "fail"),
        "status": 500,
        "request_id": "order-17",
    }
    assert stderr == ""


def test_an_id_that_could_be_more_than_a_word_is_made_anew(binary: Path) -> None:
    with started(binary, **QUIET) as service:
        made = {
            service.ask("GET", "/unknown", headers=headers).headers["x-request-id"]
            for headers in ({}, {"x-request-id": 'a" b'}, {"x-request-id": "x" * 129})
        }
        stdout, _ = service.end(signal.SIGTERM)
    assert len(made) == 3
    for each in made:
        assert re.fullmatch("[0-9a-f]{32}", each)
        line = r"^\S+Z INFO  \S+: answered method=GET path=/unknown status=404 duration_ms=\S+"
        assert re.search(rf"{line} request_id={each}$", stdout, re.MULTILINE)


def test_a_panic_is_a_line_of_its_request(binary: Path) -> None:
    with started(binary, LOG_FORMAT="json", **QUIET) as service:
        given = service.ask("GET", "/panic", headers={"x-request-id": "1"})
        stdout, stderr = service.end(signal.SIGTERM)
    assert given.status == 500
    panic, *_ = (each for each in lines_of(stdout) if each.get("request_id") == "1")
    assert re.fullmatch(r"panicked at src/routes\.rs:\d+:\d+:\nat work", panic["message"])
    assert (panic["level"], stderr) == ("ERROR", "")


def test_a_start_is_a_line_too(binary: Path) -> None:
    with started(binary, LOG_FORMAT="json", **QUIET) as service:
        begin = lines_of("".join(service.begin))
    assert begin[-1]["message"] == f"{binary.name} listening on http://127.0.0.1:{service.port}"


# ---------------------------------------------------------------------------------------- metrics


def metrics_port(service: Running) -> int:
    (port,) = re.findall(r"serves metrics on 127\.0\.0\.1:(\d+)", "".join(service.begin))
    return int(port)


def scraped(service: Running) -> dict[str, float]:
    """Return the samples by their names with their labels, but for the histogram's buckets."""
    connection = http.client.HTTPConnection("127.0.0.1", metrics_port(service), timeout=10)
    connection.request("GET", "/metrics")
    response = connection.getresponse()
    media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert (response.status, response.headers["content-type"]) == (200, media_type)
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(response.read().decode())
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def test_requests_are_counted_and_timed(framework: str, binary: Path) -> None:
    pattern = PATTERN[framework]
    with started(binary, METRICS_PORT="0", **NO_TRACES) as service:
        for method, path in [
            ("GET", "/missing/1"),
            ("GET", "/missing/2"),
            ("GET", "/unknown/1"),
            ("BREW", "/missing/1"),
            ("HEAD", "/health"),
        ]:
            service.ask(method, path)
        waiting = threading.Thread(target=service.get, args=("/slow",))
        waiting.start()
        while (found := scraped(service))["http_server_requests_in_flight"] == 0:
            pass
        waiting.join()
        later = scraped(service)
    counted = {name: value for name, value in found.items() if "_requests_total " in name}
    brewed = {
        # Rocket does not know the word, and asks no route.
        "actix": {f"http_server_requests_total other {pattern} 405": 1},
        "rocket": {},
    }
    assert counted == {
        f"http_server_requests_total GET {pattern} 404": 2,
        "http_server_requests_total GET none 404": 1,
        "http_server_requests_total HEAD /health 200": 1,
        **brewed[framework],
    }
    assert found[f"http_server_request_duration_seconds_count GET {pattern}"] == 2
    assert found["http_server_requests_in_flight"] == 1
    assert later["http_server_requests_in_flight"] == 0
    assert 1.9 < later["http_server_request_duration_seconds_sum GET /slow"] < 10


def test_the_readme_asks_for_them_where_they_are(
    binary: Path, framework: str, render: Copy
) -> None:
    readme = (render(framework=framework, observability=["metrics"]) / "README.md").read_text()
    (command,) = re.findall("^curl .*/metrics$", readme, re.MULTILINE)
    with socket.socket() as other:
        if other.connect_ex(("127.0.0.1", 9090)) == 0:
            pytest.skip("somebody listens on the port 9090 of this machine")
    with started(binary, **NO_TRACES):
        printed = subprocess.check_output(["sh", "-c", f"{command} --silent"], text=True)
    assert printed.endswith("# EOF\n")


def test_the_port_of_the_metrics_has_nothing_else(binary: Path) -> None:
    with started(binary, METRICS_PORT="0", **NO_TRACES) as service:
        # Who says nothing must not keep others out.
        with socket.create_connection(("127.0.0.1", metrics_port(service))):
            assert "http_server_requests_in_flight" in scraped(service)
        for method, path in [("GET", "/health"), ("POST", "/metrics")]:
            other = Running(service.process, service.host, metrics_port(service))
            assert other.ask(method, path).status == 404
        assert service.ask("GET", "/metrics").status == 404


# ----------------------------------------------------------------------------------------- traces


@contextmanager
def collector() -> Iterator[tuple[dict[str, str], list[ExportTraceServiceRequest]]]:
    """Collect spans, and yield the environment that sends them here with what was sent."""
    sent: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            assert self.headers["content-type"] == "application/x-protobuf"
            body = self.rfile.read(int(self.headers["content-length"]))
            sent.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    with serving(Collector) as port:
        yield {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{port}"}, sent


def spans_of(sent: list[ExportTraceServiceRequest]) -> list[Span]:
    return [
        span
        for request in sent
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def values(attributes: Any) -> dict[str, object]:
    found: list[KeyValue] = list(attributes)
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in found}


def test_requests_are_spans_in_the_trace_of_the_client(framework: str, binary: Path) -> None:
    with (
        collector() as (environment, sent),
        started(binary, LOG_FORMAT="json", METRICS_PORT="0", **environment) as service,
    ):
        service.ask("GET", "/missing/1", headers=TRACEPARENT)
        service.ask("GET", "/fail/it")
        service.ask("GET", "/unknown")
        # They are sent every five seconds, and at the end.
        stdout, _ = service.end(signal.SIGTERM)
    assert values(sent[0].resource_spans[0].resource.attributes)["service.name"] == binary.name
    missing, failed, unknown = spans_of(sent)
    assert (missing.trace_id.hex(), missing.parent_span_id.hex()) == (TRACE, PARENT)
    assert (missing.name, missing.kind) == (f"GET {PATTERN[framework]}", Span.SPAN_KIND_SERVER)
    said = values(missing.attributes)
    assert (
        said.items()
        >= {
            "http.request.method": "GET",
            "http.response.status_code": 404,
            "http.route": PATTERN[framework],
            "url.path": "/missing/1",
            "url.scheme": "http",
        }.items()
    )
    assert missing.status.code == Status.STATUS_CODE_UNSET
    assert missing.end_time_unix_nano > missing.start_time_unix_nano
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert [each.name for each in failed.events] == ["GET /fail/it: cannot do it"]
    assert values(failed.attributes)["error.type"] == "500"
    assert unknown.name == "GET"
    # A line leads to its trace.
    traces = {each["path"]: each["trace_id"] for each in lines_of(stdout) if "path" in each}
    assert traces.pop("/unknown") == unknown.trace_id.hex()
    assert traces == {"/missing/1": TRACE, "/fail/it": failed.trace_id.hex()}


@contextmanager
def silent(binary: Path, port: int, **environment: str) -> Iterator[Running]:
    """Start a service that does not say when it listens."""
    address = {"LISTEN_ADDRESS": "127.0.0.1", "PORT": str(port)}
    process = subprocess.Popen(
        [binary],
        env={**os.environ, **address, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)):
                time.sleep(0.02)
            yield Running(process, "127.0.0.1", port)
        finally:
            process.kill()


def test_what_is_logged_does_not_decide_what_is_traced(binary: Path) -> None:
    port = free_port()
    with collector() as (environment, sent):
        variables = {"LOG_LEVEL": "error", "METRICS_PORT": "0", "OTEL_TRACES_SAMPLER": "always_on"}
        with silent(binary, port, **variables, **environment) as service:
            service.get("/fail/it")
            stdout, _ = service.end(signal.SIGTERM)
    (line,) = stdout.splitlines()
    assert re.search(r" ERROR \S+: GET /fail/it: cannot do it request_id=\S+ trace_id=\S+$", line)
    assert len(spans_of(sent)) == 1


@pytest.mark.parametrize(
    "variables",
    [NO_TRACES, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_TRACES_SAMPLER": "always_off"}],
    ids="".join,
)
def test_traces_can_be_turned_off(variables: dict[str, str], binary: Path) -> None:
    with (
        collector() as (environment, sent),
        started(binary, METRICS_PORT="0", **environment, **variables) as service,
    ):
        service.get("/health")
        service.end(signal.SIGTERM)
    assert spans_of(sent) == []


# ------------------------------------------------------------------------------------------ lines


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("LOG_FORMAT", "xml", "expected text or json"),
        ("LOG_LEVEL", "loud", "expected error, warn, info, debug or trace"),
        ("METRICS_PORT", "http", "expected a port from 0 to 65535"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4318", "expected a URL such as http://"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "c:4318", "expected a URL such as http://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "expected http/protobuf"),
        ("OTEL_SDK_DISABLED", "maybe", "expected true or false"),
        ("OTEL_TRACES_EXPORTER", "jaeger", "expected otlp or none"),
        ("OTEL_TRACES_SAMPLER", "some", "expected always_on, always_off, traceidratio or"),
    ],
)
def test_a_bad_value_ends_it_in_a_line(
    variable: str, value: str, expected: str, binary: Path
) -> None:
    ended = run(binary, LISTEN_ADDRESS="127.0.0.1", PORT="0", **{variable: value})
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"{binary.name}: {variable}={value}: {expected}")


def test_a_share_is_needed_where_the_sampler_takes_one(binary: Path) -> None:
    variables = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}
    ended = run(binary, LISTEN_ADDRESS="127.0.0.1", PORT="0", **variables)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"{binary.name}: OTEL_TRACES_SAMPLER_ARG=2: expected a share from 0 to 1\n"
    )


def test_a_port_that_is_taken_ends_it_in_a_line(binary: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(binary, LISTEN_ADDRESS="127.0.0.1", PORT="0", METRICS_PORT=str(port))
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"{binary.name}: cannot serve metrics on 127.0.0.1:{port}: ")


def test_without_logs_it_says_the_same_in_plain_lines(
    framework: str, template: Path, cargo: Path, tmp_path: Path
) -> None:
    binary = built(framework, ("metrics", "traces"), template, cargo, tmp_path)
    lost = f"http://127.0.0.1:{free_port()}"
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": lost, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with started(binary, METRICS_PORT="0", **variables) as service:
        assert scraped(service)["http_server_requests_in_flight"] == 0
        assert "x-request-id" not in service.ask("GET", "/fail/it").headers
        _, stderr = service.end(signal.SIGTERM)
    failure, *told = stderr.splitlines()
    assert failure == f"{binary.name}: GET /fail/it: cannot do it"
    assert [each.partition(": Conn")[0] for each in told] == [
        f"{binary.name}: cannot send traces to {lost}/v1/traces"
    ]
