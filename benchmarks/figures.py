"""Measured figures, and what they are to one another."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

# Between the name of a group and the number of its round.
ROUND = ", round "


class Unmeasured(Exception):
    """A figure that was asked for is not among those that were measured."""


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
        """Minimum, median and maximum, as in `1.0 / 1.2 / 1.9`; of a single value that alone."""
        ends = (min(self.values), self.median, max(self.values))
        shown = [rounded(value) for value in (ends if len(self.values) > 1 else ends[:1])]
        return " / ".join(shown)

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.group}: {self.subject}: {self.what}: {self.spread} {self.unit}".rstrip()


def tell(records: Iterable[Record]) -> None:
    """Show what has just been measured."""
    for record in records:
        print(f"benchmarks: {record}", file=sys.stderr)


def rounded(value: float) -> str:
    """Return a value with three digits that say something, and all those before the point."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}".replace(",", "\u202f")
    digits = 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}"


def find(records: Iterable[Record], group: str, subject: str, what: str) -> Record:
    """Return the one record of a thing.

    Raises:
        Unmeasured: There is none.
    """
    for record in records:
        if (record.group, record.subject, record.what) == (group, subject, what):
            return record
    raise Unmeasured(f"{what} of {subject} in {group}")


def in_group(record: Record, group: str) -> bool:
    """Tell whether a record is of a group or of one of its rounds."""
    return record.group.partition(ROUND)[0] == group


def beside(
    records: Sequence[Record], group: str, subject: str, peer: str, what: str
) -> tuple[Record, Record]:
    """Return a figure and the peer's that was measured in turn with it.

    Args:
        records: Have both.
        group: Both are in it, or in the same one of its rounds.
        subject: Whose figure it is; the peer itself has it from all rounds.
        peer: What it is measured against.
        what: What was measured.

    Raises:
        Unmeasured: One of them was not.
    """
    found = [
        record
        for record in records
        if in_group(record, group) and (record.subject, record.what) == (subject, what)
    ]
    if not found:
        raise Unmeasured(f"{what} of {subject} in {group}")
    if subject != peer:
        return found[0], find(records, found[0].group, peer, what)
    values = tuple(value for record in found for value in record.values)
    whole = replace(found[0], group=group, values=values)
    return whole, whole


def ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """Return what ours is to the peer's.

    Args:
        ours: Figures in the order they were measured.
        peers: Those measured in turn with them.

    Returns:
        The median of the ratios pair by pair, which a machine that slows down moves little; of the
        medians where the two are not of one length.

    Raises:
        ValueError: There are no figures, or the peer has one of nothing.
    """
    if not ours or not peers or not all(peers):
        raise ValueError("a ratio needs figures on both sides, and none of nothing below")
    if len(ours) != len(peers):
        return median(ours) / median(peers)
    return median(our / peer for our, peer in zip(ours, peers, strict=True))
