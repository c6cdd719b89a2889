"""Measures ours beside its peers; the last line says which budgets hold, and the exit code too.

Run it as `bin/bench`, which takes under ten minutes once the base images are there. With `--full`
it measures everything, over hours, and writes docs/benchmarks.md.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import parts
from benchmarks.budgets import judge, last_line
from hooks.engine import NoEngine
from tests.stand_ins import CannotMake


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 when every budget holds."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__.splitlines()[0])
    parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        workshop = parts.Workshop(Path(name))
        try:
            print(f"base images: {workshop.docker.provided}")
        except (NoEngine, CannotMake) as reason:
            print(f"bin/bench: {reason}", file=sys.stderr)
            return 2
        records = parts.quick(workshop)
    verdicts = judge(records)
    print(*verdicts, sep="\n")
    print(last_line(verdicts))
    return 0 if all(verdict.held for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
