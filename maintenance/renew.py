"""Renews generated text: lock files, what the catalog publishes, tables of the docs, pictures.

Run it as `bin/renew`; then run the tests and read the difference before you commit it.
"""

import argparse
import sys

from maintenance import locks, pictures, published, tables

PARTS = {
    "locks": locks.renew_all,
    "catalog": published.write,
    "tables": tables.write,
    "pictures": pictures.catalog_index,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="bin/renew", description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="renew this alone")
    part = parser.parse_args(arguments).part
    for name, renew in PARTS.items():
        if part in (None, name):
            renew()
    return 0


if __name__ == "__main__":
    sys.exit(main())
