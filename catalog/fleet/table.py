"""Rows as text: a line each for other programs; `terminal.py` lays them out for a terminal."""

from collections.abc import Iterator
from itertools import chain

from rich.cells import cell_len

from catalog.fleet.status import Data, Ordered
from catalog.visible import visible

COLUMNS = ("service", "state", "version", "behind", "framework", "runtime", "why")


def table(ordered: Ordered) -> Iterator[str]:
    """Yield lines of text whose columns stand below each other; only the last is not padded."""
    sizes = widths(ordered)
    for line in chain([COLUMNS], map(cells, ordered.rows())):
        padded = [
            cell + " " * (size - cell_len(cell)) for cell, size in zip(line, sizes, strict=True)
        ]
        yield "  ".join(padded).rstrip() + "\n"


def cells(row: Data) -> tuple[str, ...]:
    """Return what the columns say of a row."""
    behind = "" if row["behind"] is None else str(row["behind"])
    found = (row["place"], row["state"], row["version"], behind, row["framework"], row["runtime"])
    return tuple(visible(cell).replace("\n", " ") for cell in (*found, why(row)))


def widths(ordered: Ordered) -> list[int]:
    """Return how wide the columns are."""
    found = [cell_len(name) for name in COLUMNS]
    for row in ordered.rows():
        found = [max(size, cell_len(cell)) for size, cell in zip(found, cells(row), strict=True)]
    return found


def why(row: Data) -> str:
    """Say in a line what there is to know of a service beyond its state."""
    said = [row["reason"], *row["violations"], *row["ended"]]
    named = [
        ("conflict in", row["conflicts"]),
        ("stale:", [f"{path} as {tag}" for path, tag in row["stale"].items()]),
        ("edited:", [path for path in row["edited"] if path not in row["conflicts"]]),
        ("missing:", row["missing"]),
        ("another mode:", row["modes"]),
    ]
    said += [f"{what} {', '.join(paths)}" for what, paths in named if paths]
    return "; ".join(filter(None, said))
