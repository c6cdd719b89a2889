"""Writes or reads a large plan in a process of its own, and prints what took how long, as JSON.

Run it as `python -m benchmarks.plans write NUMBER FILE` or `python -m benchmarks.plans read FILE`.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice, product
from pathlib import Path

from catalog.fleet.look import Row, Seen
from catalog.move import plan, planning
from catalog.move.journal import Known
from catalog.move.run import Choice, chosen
from extensions.registry import frameworks, runtimes

TO = "3.0.0"
# As many jobs as a matrix of GitLab or GitHub can well have.
SHARDS = 64
DEALT, WRITTEN, READ, SHARED = "dealt to waves", "written", "read", f"dealt to {SHARDS} jobs"


def write(number: int, file: Path) -> None:
    """Plan the move of so many services, and write it to a file."""
    rows = list(islice(_rows(), number))
    with _timed(DEALT):
        moved, left_out, current = planning.sorted_out(rows, TO)
        waves = planning.waves(moved, "3,10%,50%")
    head = (f"Update the template to {TO}", "gh:acme/template", TO, "0" * 40, f"template/{TO}")
    made = plan.Plan(*head, "Jane <jane@example.com>", waves, SHARDS, current, left_out)
    with _timed(WRITTEN):
        text = plan.written(made)
    file.write_text(text, "utf-8")


def read(file: Path) -> None:
    """Read a plan, and find out which services each job of a pipeline moves."""
    with _timed(READ):
        made = plan.read(file)
    with _timed(SHARED):
        for number in range(1, SHARDS + 1):
            chosen(made, Known(), Choice(shard=(number, SHARDS)))


def _rows() -> Iterator[Row]:
    """Yield what `catalog status` knows of services of every kind; the half of them have edits."""
    kinds = product(frameworks(), runtimes(), ([], ["src/routes.rs"]))
    for number, (framework, runtime, edited) in enumerate(cycle(kinds)):
        row = Row(f"https://github.com/acme/service-{number}.git", "behind", f"service-{number}")
        row.url, row.version, row.seen = row.place, "2.0.0", Seen(edited=edited)
        row.framework, row.runtime = framework, runtime
        yield row


@contextmanager
def _timed(what: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    print(json.dumps([what, time.monotonic() - begin]))


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    if task == "write":
        write(int(given[0]), Path(given[1]))
    else:
        read(Path(given[0]))
