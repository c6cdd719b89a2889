"""Renews what is made: lock files, what the catalog publishes, tables, examples, pictures.

Run it as `bin/renew`; then run the tests and read the difference before you commit it. Pictures
are taken when they are asked for by name.
"""

import argparse
import sys

from maintenance import examples, locks, pictures, published, tables

PARTS = {
    "locks": locks.renew_all,
    "catalog": published.write,
    "tables": tables.write,
    "examples": examples.write,
    "pictures": pictures.take,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="bin/renew", description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="renew this alone")
    part = parser.parse_args(arguments).part
    # A picture is another one each time.
    for name in [part] if part else [name for name in PARTS if name != "pictures"]:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
