"""Where all services of a fleet stand: which are meant, in which order, and as a table."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob as paths
from glob import has_magic
from pathlib import Path

from rich.table import Table
from rich.text import Text

from catalog.fleet.look import STATES, Row
from catalog.visible import visible
from extensions.patterns import glob


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


def places(given: Sequence[str]) -> Iterator[Path]:
    """Yield the folders that a command line names.

    Args:
        given: Folders; patterns that the shell left alone; `-` for a line each on standard input.
    """
    for each in given:
        if each == "-":
            yield from (Path(line.strip()) for line in sys.stdin if line.strip())
        elif has_magic(each) and not Path(each).exists():
            yield from map(Path, sorted(paths(each, recursive=True)))  # noqa: PTH207
        else:
            yield Path(each)


def ordered(found: Iterable[Row]) -> list[Row]:
    """Return rows by what needs a person most, then by how far behind, then by place."""
    return sorted(found, key=lambda row: (STATES.index(row.state), -(row.behind or 0), row.place))


def summary(found: Sequence[Row]) -> str:
    """Return one line with how many services are in which state."""
    counts = Counter(row.state for row in found)
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return f"{len(found)} services: {said}" if found else "no services"


def table(found: Iterable[Row]) -> Table:
    """Return rows as a table for a terminal."""
    made = Table("service", "state", "version", "behind", "framework", "runtime", "why")
    for row in found:
        behind = "" if row.behind is None else str(row.behind)
        cells = (row.place, row.state, row.version, behind, row.framework, row.runtime, why(row))
        made.add_row(*(Text(visible(cell).replace("\n", " ")) for cell in cells))
    return made


def why(row: Row) -> str:
    """Say in a line what there is to know of a service beyond its state."""
    said = [row.reason, *row.violations, *row.ended]
    seen = row.seen
    named = [
        ("conflict in", seen.conflicts),
        ("stale:", [f"{path} as {tag}" for path, tag in seen.stale.items()]),
        ("edited:", [path for path in seen.edited if path not in seen.conflicts]),
        ("missing:", seen.missing),
        ("another mode:", seen.modes),
    ]
    said += [f"{what} {', '.join(paths)}" for what, paths in named if paths]
    return "; ".join(filter(None, said))
