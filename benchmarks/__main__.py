"""Measures ours beside its peers; the last line and the exit code say which budgets hold.

Run it as `bin/bench`. It takes under ten minutes when the base images and the programs that are
only run are there; what is not is made first, and kept for the next time.
"""

import argparse
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import page, quick
from benchmarks.budgets import judge, last_line
from benchmarks.figures import Record
from benchmarks.full import PARTS
from benchmarks.results import keep, load, measured
from benchmarks.workshop import Workshop
from hooks.engine import NoEngine
from lab.stand_ins import CannotMake

# An abstract address is of the whole machine, and gone with the process.
# https://man7.org/linux/man-pages/man7/unix.7.html
ADDRESS = "\0rust-service-template bench"


class NotAlone(Exception):
    """Something else measures on this machine."""


@contextmanager
def alone() -> Iterator[None]:
    """Keep others from measuring here meanwhile, who would have half of the machine as we would.

    Raises:
        NotAlone: One is at it.
    """
    with socket.socket(socket.AF_UNIX) as holder:
        try:
            holder.bind(ADDRESS)
        except OSError:
            raise NotAlone("another bin/bench is measuring on this machine; wait for it") from None
        yield


def report(records: Sequence[Record]) -> int:
    """Print the verdict on every budget, and return the exit code: 0 when all of them hold."""
    verdicts = judge(records)
    print(*verdicts, sep="\n")
    print(last_line(verdicts))
    return 0 if all(verdict.held for verdict in verdicts) else 1


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--full",
        nargs="*",
        choices=PARTS,
        metavar="PART",
        help=f"measure for docs/benchmarks.md, all parts or some: {', '.join(PARTS)}",
    )
    wanted = parser.parse_args(arguments).full
    try:
        with alone(), tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
            workshop = Workshop(Path(name))
            print(f"base images: {workshop.docker.provided}")
            if wanted is None:
                return report(quick.measure(workshop))
            for part in wanted or PARTS:
                records = PARTS[part](workshop)
                keep(measured(part, records, str(workshop.docker.provided)))
                page.write()
    except (NotAlone, NoEngine, CannotMake) as reason:
        print(f"bin/bench: {reason}", file=sys.stderr)
        return 2
    parts = load()
    return report(parts["budgets"].records) if "budgets" in parts else 0


if __name__ == "__main__":
    sys.exit(main())
