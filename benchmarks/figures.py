"""Measured figures, and what they are to one another."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Self

# Between the name of a group and the number of its round.
ROUND = ", round "


@dataclass(frozen=True)
class Record:
    """One thing that was measured, once or several times.

    Attributes:
        group: What was measured side by side, in alternation; too many for that are in groups of
            their own with the peer of all, such as `tried, round 2`.
        subject: Whose figure it is.
        what: What was measured.
        unit: Of the values.
        values: In the order they were measured.
    """

    group: str
    subject: str
    what: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value, or the mean of the two in the middle."""
        return median(self.values)

    @property
    def spread(self) -> str:
        """Minimum, median and maximum, as in `1.00 / 1.20 / 1.90`."""
        ends = (min(self.values), self.median, max(self.values))
        return " / ".join(rounded(value) for value in ends)

    @property
    def shown(self) -> str:
        """The middle value with its unit."""
        return f"{rounded(self.median)} {self.unit}".strip()

    def to(self, peer: Self) -> float:
        """Return what it is to a peer's, whose values were measured in turn with its own.

        That is the median of the ratios pair by pair, which a machine that slows down moves little.
        """
        return median(own / other for own, other in zip(self.values, peer.values, strict=True))


class Sheet:
    """Takes figures down as they are measured, to five digits, and shows them."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)

    def note(self, group: str, subject: str, what: str, value: float, unit: str = "") -> None:
        """Take one figure down; `Record` says what the arguments are."""
        self._values[group, subject, what, unit].append(float(f"{value:.5g}"))
        print(f"benchmarks: {group} / {subject} / {what}: {rounded(value)} {unit}", file=sys.stderr)

    def take(self) -> list[Record]:
        """Return all that was taken down, each thing where it was first, and begin anew."""
        values, self._values = self._values, defaultdict(list)
        return [Record(*thing, tuple(each)) for thing, each in values.items()]


def rounded(value: float) -> str:
    """Return a value with three digits that say something, and all those before the point."""
    if value == 0 or abs(value) >= 100:
        return counted(round(value))
    return f"{value:.{2 if abs(value) < 10 else 1}f}"


def counted(number: int) -> str:
    """Return a number with a narrow space before each three digits."""
    return f"{number:,}".replace(",", "\u202f")


def in_group(records: Iterable[Record], group: str) -> list[Record]:
    """Return the records of a group, or of all its rounds."""
    return [each for each in records if f"{each.group}{ROUND}".startswith(f"{group}{ROUND}")]


def find(records: Iterable[Record], group: str, subject: str, what: str) -> Record | None:
    """Return the record of a thing; where several rounds have it, with the values of all of them.

    It is None where that was not measured.
    """
    found = [r for r in in_group(records, group) if (r.subject, r.what) == (subject, what)]
    if len(found) < 2:
        return found[0] if found else None
    values = tuple(value for record in found for value in record.values)
    return replace(found[0], group=group, values=values)
