"""What running services cost: requests a second, latency, start, memory and stop, each in turn."""

import http.client
import os
import re
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Record, tell
from hooks.processes import started

HOST = "127.0.0.1"
# The service has one processor and what asks it the other, so that neither waits for the other.
SERVER, CLIENT = "0", "1"
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
        port: Where it listens on 127.0.0.1.
        environment: What tells it so.
    """

    name: str
    binary: Path
    port: int
    environment: Mapping[str, str]


@contextmanager
def serving(
    program: Program, *, pinned: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Start a service and wait for its first answer.

    Args:
        program: The service.
        pinned: Leave it one processor.

    Yields:
        The process, and the milliseconds from its start to the first 200.
    """
    command = ["taskset", "--cpu-list", SERVER] if pinned else []
    begin = time.perf_counter()
    with started(
        [*command, program.binary],
        env=program.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not _answers(program.port):
            assert process.poll() is None, f"{program.name} ended"
            assert time.perf_counter() - begin < SECONDS_TO_START, f"{program.name} is silent"
            time.sleep(0.0002)
        yield process, (time.perf_counter() - begin) * 1e3


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_TO_START)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()


def resident(pid: int) -> float:
    """Return the megabytes of memory that a process holds, as the kernel counts them."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024 / 1e6


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
    """Ask a service as fast as it answers.

    Returns:
        Requests a second, and the 99th percentile of the latency in ms.
    """
    command = ["taskset", "--cpu-list", CLIENT, "wrk", "--threads=1", "--latency"]
    command += [f"--connections={connections}", f"--duration={seconds}s"]
    ended = subprocess.run(
        [*command, f"http://{HOST}:{port}/health"], capture_output=True, check=True, text=True
    )
    return parse_load(ended.stdout)


def measure(
    group: str,
    programs: Sequence[Program],
    *,
    connections: Sequence[int] = (1, 64),
    times: int = 5,
    seconds: int = 3,
) -> list[Record]:
    """Measure services side by side.

    Args:
        group: What the results are filed under.
        programs: The services, each with a port of its own.
        connections: How many clients ask at once, each number in turn.
        times: How often each figure is taken, each time of a new process; start and stop are taken
            twice as often.
        seconds: How long one figure of the load takes.
    """
    figures: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for _ in range(times * 2):
        for program in programs:
            with serving(program) as (process, milliseconds):
                figures[program.name, "start", "ms"].append(milliseconds)
                time.sleep(SECONDS_TO_CLOSE)
                begin = time.perf_counter()
                os.kill(process.pid, signal.SIGTERM)
                process.wait()
                figures[program.name, "stop", "ms"].append((time.perf_counter() - begin) * 1e3)
    for _ in range(times):
        with ExitStack() as stack:
            processes = [
                (program, stack.enter_context(serving(program, pinned=True))[0])
                for program in programs
            ]
            time.sleep(SECONDS_TO_REST)
            for program, process in processes:
                figures[program.name, "idle memory", "MB"].append(resident(process.pid))
            for count in connections:
                for program in programs:
                    load(program.port, count, SECONDS_TO_WARM_UP)
                    rate, slowest = load(program.port, count, seconds)
                    figures[program.name, f"requests/s, {_many(count)}", ""].append(rate)
                    figures[program.name, f"p99, {_many(count)}", "ms"].append(slowest)
            for program, process in processes:
                figures[program.name, "loaded memory", "MB"].append(resident(process.pid))
    records = [
        Record(group, subject, what, unit, tuple(values))
        for (subject, what, unit), values in figures.items()
    ]
    tell(records)
    return records


def _many(count: int) -> str:
    return f"{count} connection{'' if count == 1 else 's'}"
