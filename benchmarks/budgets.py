"""The budgets: what ours may cost, mostly as a ratio to a peer measured in turn with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.figures import Record, Unmeasured, find, ratio, rounded
from extensions.registry import frameworks

OURS, OURS_WITHOUT_LTO = "ours", "ours, LTO off"
# The peer as people have it, on the usual example with no release profile; and on our service.
PEER, PEER_ON_OURS = "docker init", "docker init, our service"
BARE = "bare"
IMAGES = "images"

Records = Sequence[Record]


@dataclass(frozen=True)
class Budget:
    """A bound on a figure.

    Attributes:
        name: What is bounded.
        limit: The bound.
        unit: Of the bound, empty for a ratio.
        at_least: Whether the bound is from below.
        value: Computes the figure.
    """

    name: str
    limit: float
    unit: str
    at_least: bool
    value: Callable[[Records], float]

    def holds(self, value: float) -> bool:
        """Tell whether a figure is within the budget."""
        return value >= self.limit if self.at_least else value <= self.limit

    @property
    def bound(self) -> str:
        """The bound, as in `at most 1.25 MB`."""
        return f"at {'least' if self.at_least else 'most'} {self.limit:g} {self.unit}".strip()


@dataclass(frozen=True)
class Verdict:
    """A budget beside the figure that was measured, which is None where there was none."""

    budget: Budget
    value: float | None

    @property
    def held(self) -> bool:
        """Whether the figure was measured and is within the budget."""
        return self.value is not None and self.budget.holds(self.value)

    def __str__(self) -> str:
        """Say it in a line."""
        if self.value is None:
            return f"NOT MEASURED  {self.budget.name} ({self.budget.bound})"
        shown = f"{rounded(self.value)} {self.budget.unit}".strip()
        word = "holds" if self.held else "MISSED"
        return f"{word:<12}  {self.budget.name}: {shown} ({self.budget.bound})"


def _relative(
    what: str, ours: tuple[str, str], peer: tuple[str, str]
) -> Callable[[Records], float]:
    """Return what computes the ratio of two figures, each of a group and a subject."""

    def value(records: Records) -> float:
        return ratio(find(records, *ours, what).values, find(records, *peer, what).values)

    return value


def _worst(group: str, subject: str, what: str) -> Callable[[Records], float]:
    """Return what computes the largest of the medians that all groups of a kind have."""

    def value(records: Records) -> float:
        found = [
            record.median
            for record in records
            if record.group.startswith(group)
            and record.subject.startswith(subject)
            and record.what == what
        ]
        if not found:
            raise Unmeasured(f"{what} in {group}")
        return max(found)

    return value


def _fresh_runner(records: Records) -> float:
    """Return how much faster an edit is than the peer's when the cache mounts are gone.

    The peer has nothing but its mounts, so that its build is a cold one then; where that was not
    measured of itself, its cold build stands for it.
    """
    ours = find(records, IMAGES, OURS, "an edit, mounts gone").values
    try:
        peer = find(records, IMAGES, PEER, "an edit, mounts gone").values
    except Unmeasured:
        peer = find(records, IMAGES, PEER, "cold").values
    return ratio(peer, ours)


BUDGETS: tuple[Budget, ...] = (
    Budget("Actix on scratch", 1.25, "MB", False, _worst("sizes", "actix scratch size", "image")),
    Budget("Rocket on scratch", 2.3, "MB", False, _worst("sizes", "rocket scratch size", "image")),
    Budget(
        "cold image build, to docker init's of the example",
        0.6, "", False, _relative("cold", (IMAGES, OURS), (IMAGES, PEER)),
    ),
    Budget(
        "cold image build, to docker init's of our service",
        1.1, "", False, _relative("cold", (IMAGES, OURS), (IMAGES, PEER_ON_OURS)),
    ),
    Budget(
        "one-line edit, to docker init's of our service with its warm mount",
        1.0, "", False, _relative("an edit", (IMAGES, OURS), (IMAGES, PEER_ON_OURS)),
    ),
    Budget(
        "one-line edit without LTO, to docker init's of the example, which has none",
        1.0, "", False, _relative("an edit", (IMAGES, OURS_WITHOUT_LTO), (IMAGES, PEER)),
    ),
    Budget("edit on a fresh runner, docker init's to ours", 5.0, "", True, _fresh_runner),
    *(
        Budget(
            f"requests a second of {framework}, to the bare framework on glibc",
            0.95, "", True,
            _relative(
                "requests/s, 64 connections",
                (f"run time: {framework}", f"{OURS}, speed"),
                (f"run time: {framework}", BARE),
            ),
        )
        for framework in frameworks()
    ),
    Budget("start to the first 200", 20, "ms", False, _worst("run time", OURS, "start")),
    Budget("memory when idle", 4, "MB", False, _worst("run time", OURS, "idle memory")),
    Budget(
        "copier copy, to a template without Python",
        1.5, "", False, _relative("copy", ("template", OURS), ("template", "plain")),
    ),
)  # fmt: skip


def judge(records: Records) -> list[Verdict]:
    """Return the verdict on every budget."""
    verdicts = []
    for budget in BUDGETS:
        try:
            verdicts.append(Verdict(budget, budget.value(records)))
        except Unmeasured:
            verdicts.append(Verdict(budget, None))
    return verdicts


def last_line(verdicts: Sequence[Verdict]) -> str:
    """Sum the verdicts up in the line that ends a run."""
    missed = [verdict.budget.name for verdict in verdicts if not verdict.held]
    held = f"{len(verdicts) - len(missed)} of {len(verdicts)} budgets hold"
    return f"{held}; not: {'; '.join(missed)}" if missed else held
