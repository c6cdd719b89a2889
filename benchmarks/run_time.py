"""What running services cost: requests a second, latency, start, memory and stop, each in turn."""

import http.client
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Sheet
from hooks.processes import started
from lab.servers import HOST, free_port

# The service has one processor and what asks it the other, so that neither waits for the other.
SERVER, CLIENT = (["taskset", "--cpu-list", processor] for processor in "01")
SECONDS_TO_START = 10
SECONDS_TO_REST = 1.0
# A service that has not read yet that its client is gone waits for it when it stops.
SECONDS_TO_CLOSE = 0.05
SECONDS_TO_WARM_UP = 1
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Program:
    """A service that can be started.

    Attributes:
        name: How it is called in the results.
        binary: The program.
        variables: What it is told beside where to listen.
        port: Where it listens on 127.0.0.1.
    """

    name: str
    binary: Path
    variables: Mapping[str, str]
    port: int = field(default_factory=free_port)


@dataclass(frozen=True)
class Rounds:
    """How much is asked of services that run side by side.

    Attributes:
        connections: How many at once, each number in turn.
        seconds: How long each of them asks.
        times: How often a figure is taken, each time of a new process; start and stop are taken
            twice as often.
    """

    connections: Sequence[int] = (64,)
    seconds: int = 2
    times: int = 5


USUAL = Rounds()


@contextmanager
def serving(program: Program, *before: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Start a service, by a command before it if there is one, and wait for its first answer.

    Yields:
        The process, and the milliseconds from its start to the first 200.
    """
    port, silent = str(program.port), subprocess.DEVNULL
    # By our names and by Rocket's; metrics have whichever port is free.
    listen = {"LISTEN_ADDRESS": HOST, "PORT": port, "ROCKET_PORT": port, "METRICS_PORT": "0"}
    variables = {**listen, **program.variables}
    command: list[str | Path] = [*before, program.binary]
    begin = time.perf_counter()
    with started(command, env=variables, stdout=silent, stderr=silent) as process:
        while ask(program.port) is None:
            assert process.poll() is None, f"{program.name} ended"
            assert time.perf_counter() - begin < SECONDS_TO_START, f"{program.name} is silent"
            time.sleep(0.0002)
        yield process, (time.perf_counter() - begin) * 1e3


def ask(port: int) -> str | None:
    """Return what the health route on a port of 127.0.0.1 answers with 200, None if it does not."""
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_TO_START)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        return response.read().decode() if response.status == 200 else None
    except OSError:
        return None
    finally:
        connection.close()


def resident(process: subprocess.Popen[bytes]) -> float:
    """Return the megabytes of memory that a process holds, as the kernel counts them."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (kilobytes,) = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) * 1024 / 1e6


def parse_load(printed: str) -> tuple[float, float]:
    """Return requests a second, and the 99th percentile of the latency in ms, as wrk prints them.

    Raises:
        ValueError: An answer was not 200, or there is no figure.
    """
    rate = re.search(r"^Requests/sec:\s+([0-9.]+)$", printed, re.MULTILINE)
    slowest = re.search(r"^\s+99%\s+([0-9.]+)(us|ms|s)$", printed, re.MULTILINE)
    if rate is None or slowest is None or "Non-2xx" in printed or "Socket errors" in printed:
        raise ValueError(printed)
    return float(rate[1]), float(slowest[1]) * MILLISECONDS[slowest[2]]


def load(port: int, connections: int, seconds: int) -> tuple[float, float]:
    """Ask a service as fast as it answers, and return what `parse_load` does."""
    options = ["--threads=1", "--latency", f"--connections={connections}", f"--duration={seconds}s"]
    command = [*CLIENT, "wrk", *options, f"http://{HOST}:{port}/health"]
    return parse_load(subprocess.check_output(command, text=True))


def measure(sheet: Sheet, group: str, programs: Sequence[Program], rounds: Rounds = USUAL) -> None:
    """Measure services side by side, and file the figures under a group."""
    for _ in range(rounds.times * 2):
        for program in programs:
            with serving(program) as (process, milliseconds):
                sheet.note(group, program.name, "start", milliseconds, "ms")
                time.sleep(SECONDS_TO_CLOSE)
                begin = time.perf_counter()
                process.terminate()
                process.wait()
                stopped = (time.perf_counter() - begin) * 1e3
                sheet.note(group, program.name, "stop", stopped, "ms")
    for _ in range(rounds.times):
        with ExitStack() as stack:
            running = [(each, stack.enter_context(serving(each, *SERVER))[0]) for each in programs]
            time.sleep(SECONDS_TO_REST)
            for program, process in running:
                sheet.note(group, program.name, "idle memory", resident(process), "MB")
            for count in rounds.connections:
                many = f"{count} connection{'' if count == 1 else 's'}"
                for program in programs:
                    load(program.port, count, SECONDS_TO_WARM_UP)
                    rate, slowest = load(program.port, count, rounds.seconds)
                    sheet.note(group, program.name, f"requests/s, {many}", rate)
                    sheet.note(group, program.name, f"p99, {many}", slowest, "ms")
            for program, process in running:
                sheet.note(group, program.name, "loaded memory", resident(process), "MB")
