"""Measures ours beside its peers; the last line and the exit code say which budgets hold.

Run it as `bin/bench`. It takes about ten minutes when the base images and the programs that are
only run are there; what is not is made first, and kept for the next time.
"""

import argparse
import signal
import socket
import sys
import tempfile
from pathlib import Path

from benchmarks import page
from benchmarks.budgets import report
from benchmarks.parts import PARTS, TOOLS, quick
from benchmarks.results import keep, load, of_budgets
from benchmarks.workshop import Workshop
from hooks.engine import NoEngine
from lab.stand_ins import CannotMake

# Whoever has it measures; two would have half of the machine each. An abstract address is of the
# whole machine, and gone with the process: https://man7.org/linux/man-pages/man7/unix.7.html
ADDRESS = "\0rust-service-template bench"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code: 0 where all budgets hold, 1 where one does not, 2 where nothing was measured.
    """
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__.splitlines()[0])
    what = f"measure for docs/benchmarks.md, all parts or some: {', '.join(PARTS)}"
    parser.add_argument("--full", nargs="*", choices=PARTS, metavar="PART", help=what)
    less = "with --full: fewer services, fewer rounds"
    parser.add_argument("--quick", action="store_true", help=less)
    given = parser.parse_args(arguments)
    parts = None if given.full is None else given.full or [*PARTS]
    with socket.socket(socket.AF_UNIX) as alone:
        try:
            alone.bind(ADDRESS)
        except OSError:
            print("bin/bench: another one is measuring on this machine; wait", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
            workshop = Workshop(Path(name), quick=given.quick)
            if parts is None or {*parts} - TOOLS.keys():
                try:
                    bases = str(workshop.docker.provided)
                except (NoEngine, CannotMake) as reason:
                    print(f"bin/bench: {reason}", file=sys.stderr)
                    return 2
                print(f"base images: {bases}")
            if parts is None:
                quick(workshop)
                return 0 if report(workshop.sheet.take(), full=False) else 1
            for part in parts:
                PARTS[part](workshop)
                tools = TOOLS[part]() if part in TOOLS else bases
                keep(part, workshop.sheet.take(), tools)
                page.write()
    return 0 if report(of_budgets(load())) else 1


if __name__ == "__main__":
    # An exception, unlike the signal, leaves no temporary folder and no program behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
