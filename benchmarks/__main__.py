"""Measures ours beside its peers; the last line and the exit code say which budgets hold.

Run it as `bin/bench`. It takes under ten minutes when the base images and the programs that are
only run are there; what is not is made first, and kept for the next time.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import page, quick
from benchmarks.budgets import judge, last_line
from benchmarks.figures import Record
from benchmarks.full import PARTS
from benchmarks.results import keep, load, measured
from benchmarks.workshop import Workshop
from hooks.engine import NoEngine
from tests.stand_ins import CannotMake


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
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        workshop = Workshop(Path(name))
        try:
            print(f"base images: {workshop.docker.provided}")
        except (NoEngine, CannotMake) as reason:
            print(f"bin/bench: {reason}", file=sys.stderr)
            return 2
        if wanted is None:
            return report(quick.measure(workshop))
        for part in wanted or PARTS:
            records = PARTS[part](workshop)
            keep(measured(part, records, str(workshop.docker.provided)))
            page.write()
    parts = load()
    return report(parts["budgets"].records) if "budgets" in parts else 0


if __name__ == "__main__":
    sys.exit(main())
