"""Rows as a table for a terminal, in pieces, so that thousands of them take no memory."""

from collections.abc import Iterator
from itertools import islice

from rich import box
from rich.table import Table
from rich.text import Text

from catalog.fleet.status import Ordered
from catalog.fleet.table import COLUMNS, cells, widths

# So many rows are laid out at a time.
PIECE = 200
SPACE_BETWEEN = 2
# What two columns share if not all fits: where a service is, and why it is in its state.
LEAST_PLACE, PLACE = 16, 0.5
COLOURS = {
    "broken": "bold red",
    "conflict": "bold red",
    "violation": "red",
    "ended": "red",
    "stale": "yellow",
    "behind": "yellow",
    "foreign": "magenta",
    "edited": "cyan",
    "current": "green",
}


def tables(ordered: Ordered, width: int) -> Iterator[Table]:
    """Yield tables that look like one when they are printed below each other.

    Args:
        ordered: The rows.
        width: How many characters a line of the terminal has.
    """
    sizes = widths(ordered)
    left = width - sum(sizes[1:-1]) - SPACE_BETWEEN * (len(sizes) - 1)
    if sizes[0] + sizes[-1] > left:
        sizes[0] = min(sizes[0], max(LEAST_PLACE, int(left * PLACE), left - sizes[-1]))
        sizes[-1] = max(len(COLUMNS[-1]), left - sizes[0])
    waiting = map(cells, ordered.rows())
    is_first = True
    while some := list(islice(waiting, PIECE)):
        made = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            show_header=is_first,
            # The box has a space of its own between columns.
            padding=(0, SPACE_BETWEEN - 1, 0, 0),
            pad_edge=False,
            collapse_padding=True,
        )
        for name, size in zip(COLUMNS, sizes, strict=True):
            made.add_column(name, width=size, overflow="fold")
        for place, state, *rest in some:
            made.add_row(Text(place), Text(state, COLOURS[state]), *map(Text, rest))
        yield made
        is_first = False
