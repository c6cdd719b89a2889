"""Which services are meant, which of them are shown, and in which order."""

import json
import os
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob as paths
from glob import has_magic
from pathlib import Path
from typing import Any

from catalog.fleet.look import FINDINGS, STATES, Row
from extensions.patterns import glob
from hooks.check_recorded import ADDRESS

# A row as JSON has it: see `Row.as_data`.
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """Which rows a person wants to see.

    Attributes:
        states: Those in one of these states.
        owner: Those of such owners; `*` and `?` are wildcards.
        framework: Those with this framework.
        runtime: Those on this runtime.
    """

    states: frozenset[str]
    owner: str | None = None
    framework: str | None = None
    runtime: str | None = None

    def shows(self, row: Row) -> bool:
        """Tell whether a row is one of them."""
        return (
            row.state in self.states
            and (self.owner is None or re.fullmatch(glob(self.owner), row.owner) is not None)
            and self.framework in {None, row.framework}
            and self.runtime in {None, row.runtime}
        )


def places(given: Sequence[str]) -> Iterator[str]:
    """Yield the folders and URLs that a command line names.

    Args:
        given: Folders and URLs; patterns that the shell left alone; files with a folder or a URL a
            line; `-` for the lines of standard input.

    Raises:
        OSError: A file cannot be read.
    """
    for each in given:
        if each == "-":
            yield from _listed(sys.stdin.fileno())
        elif ADDRESS.match(each) or os.path.isdir(each):  # noqa: PTH112 (of many thousands)
            yield each
        elif Path(each).is_file() or Path(each).is_fifo():
            yield from _listed(each)
        elif has_magic(each):
            yield from filter(os.path.isdir, sorted(paths(each, recursive=True)))  # noqa: PTH207
        else:
            yield each


def _listed(file: int | str) -> Iterator[str]:
    """Yield the places in the lines of a file, one each; empty ones and comments are none."""
    # A path may have bytes that are no text.
    with open(file, encoding="utf-8", errors="surrogateescape", closefd=file != 0) as lines:
        for line in lines:
            if (place := line.strip()) and not place.startswith("#"):
                yield place


class Ordered:
    """Rows by what needs a person most, then by how far behind, then by place.

    They wait on the disk, so that many thousands take no more memory than a few.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        """Take all rows."""
        # A name that is empty stands for a file that nobody else sees, and that ends with this.
        self._file = sqlite3.connect("", isolation_level=None)
        self.counts = Counter[str]()
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("CREATE TABLE rows (state INT, ahead INT, place BLOB, row TEXT)")
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", map(self._stored, rows))
        self._file.execute("COMMIT")

    def _stored(self, row: Row) -> tuple[int, int, bytes, str]:
        self.counts[row.state] += 1
        place = row.place.encode("utf-8", "surrogatepass")
        return STATES.index(row.state), -(row.behind or 0), place, json.dumps(row.as_data())

    def lines(self, state: str | None = None) -> Iterator[str]:
        """Yield the rows as JSON, those in one state or all of them."""
        asked = (
            "SELECT row FROM rows WHERE ?1 IS NULL OR state = ?1 ORDER BY state, ahead, place, row"
        )
        given = None if state is None else STATES.index(state)
        for (line,) in self._file.execute(asked, (given,)):
            yield line

    def rows(self, state: str | None = None) -> Iterator[Data]:
        """Yield the rows as data, those in one state or all of them."""
        return map(json.loads, self.lines(state))

    @property
    def findings(self) -> int:
        """How many of them need a person."""
        return sum(self.counts[state] for state in FINDINGS)


def summary(counts: Mapping[str, int]) -> str:
    """Return one line with how many services are in which state."""
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    number = sum(counts.values())
    return f"{number} service{'s' * (number != 1)}: {said}" if number else "no services"


def as_json(ordered: Ordered) -> Iterator[str]:
    """Yield a JSON list piece by piece, a row each line."""
    before = "[\n"
    for line in ordered.lines():
        yield before + line
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"
