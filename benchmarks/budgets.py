"""The budgets: what ours may cost, mostly as a ratio to a peer measured in turn with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from benchmarks import fleet
from benchmarks.figures import Record, rounded
from extensions.registry import frameworks

OURS, OURS_WITHOUT_LTO = "ours", "ours, LTO off"
# The peer as people have it, on the usual example with no release profile; and on our service.
PEER, PEER_ON_OURS = "docker init", "docker init, our service"
BARE = "bare"


@dataclass(frozen=True)
class Budget:
    """A bound on a figure.

    Attributes:
        name: What is bounded.
        limit: The bound.
        figure: Which figure, as `group / subject / what` or a pattern for such names as shells have
            them; the largest of several.
        peer: What it is divided by, likewise; empty for the figure itself.
        unit: Of the bound, empty for a ratio.
        at_least: Whether the bound is from below.
        full: Whether only the full mode measures it.
    """

    name: str
    limit: float
    figure: str
    peer: str = ""
    unit: str = ""
    at_least: bool = False
    full: bool = False


FEW, MANY = (fleet.of(number) for number in fleet.FULL.services)
LOOK, CHECK = (f"{fleet.STATUS} / {name} / {FEW}" for name in (fleet.COLD, fleet.LOOP))
# docker init has nothing but its cache mounts: on a fresh runner, an edit is a cold build to it.
BUDGETS = (
    Budget("Actix on scratch", 1.25, "sizes / actix scratch size / image", unit="MB"),
    Budget("Rocket on scratch", 2.3, "sizes / rocket scratch size / image", unit="MB"),
    Budget("cold image build, to docker init's of the example", 0.6,
           f"images / {OURS} / cold", f"images / {PEER} / cold"),
    Budget("cold image build, to docker init's of our service", 1.1,
           f"images / {OURS} / cold", f"images / {PEER_ON_OURS} / cold"),
    Budget("one-line edit, to docker init's of our service with its warm mount", 1.0,
           f"images / {OURS} / an edit", f"images / {PEER_ON_OURS} / an edit"),
    Budget("one-line edit without LTO, to docker init's of the example, which has none", 0.4,
           f"images / {OURS_WITHOUT_LTO} / an edit", f"images / {PEER} / an edit"),
    Budget("edit on a fresh runner, docker init's to ours", 5.0,
           f"images / {PEER} / cold", f"images / {OURS} / an edit, mounts gone", at_least=True),
    *(
        Budget(f"requests a second of {name}, to the bare framework on glibc", 0.95,
               f"run time: {name} / {OURS}, speed / requests/s, 64 connections",
               f"run time: {name} / {BARE} / requests/s, 64 connections", at_least=True)
        for name in frameworks()
    ),
    Budget("start to the first 200", 20, f"run time: * / {OURS}, * / start", unit="ms"),
    Budget("memory when idle", 4, f"run time: * / {OURS}, * / idle memory", unit="MB"),
    Budget("copier copy, to a template without Python", 1.2,
           f"template / {OURS} / copy", "template / plain / copy"),
    Budget(f"catalog status of {FEW}, a loop of copier check-update to it", 60,
           CHECK, LOOK, at_least=True),
    Budget(f"catalog status of {FEW} the second time, that loop to it", 1_000,
           CHECK, f"{fleet.STATUS} / {fleet.AGAIN} / {FEW}", at_least=True),
    Budget("memory of a process of catalog status", 64, f"{fleet.MEMORY} / * / *", unit="MB"),
    Budget(f"that memory, {MANY} to {FEW}", 1.1,
           f"{fleet.MEMORY} / * / {MANY}", f"{fleet.MEMORY} / * / {FEW}", full=True),
    Budget(f"catalog status, {MANY} to {FEW}", 10,
           f"{fleet.STATUS} / {fleet.COLD} / {MANY}", LOOK, full=True),
)  # fmt: skip


Verdict = tuple[str, str, str, str]


def judge(records: Sequence[Record], *, full: bool = True) -> list[Verdict]:
    """Return each budget's name, figure, bound, and whether it `holds`, in words."""
    return [_verdict(budget, records) for budget in BUDGETS if full or not budget.full]


def _verdict(budget: Budget, records: Sequence[Record]) -> Verdict:
    bound = f"at {'least' if budget.at_least else 'most'} {budget.limit:g} {budget.unit}".strip()
    own, peer = (_largest(records, pattern) for pattern in (budget.figure, budget.peer))
    if own is None or (peer is None and budget.peer):
        return budget.name, "-", bound, "**not measured**"
    value = own.to(peer) if peer else own.median
    held = value >= budget.limit if budget.at_least else value <= budget.limit
    shown = f"{rounded(value)} {budget.unit}".strip()
    return budget.name, shown, bound, "holds" if held else "**missed**"


def _largest(records: Sequence[Record], pattern: str) -> Record | None:
    found = [r for r in records if fnmatchcase(f"{r.group} / {r.subject} / {r.what}", pattern)]
    return max(found, key=lambda record: record.median, default=None)


def report(records: Sequence[Record], *, full: bool = True) -> bool:
    """Print the verdict on every budget, then a line with the names of those that do not hold.

    Args:
        records: What was measured.
        full: Whether it was in the full mode.

    Returns:
        Whether all of them hold.
    """
    verdicts = judge(records, full=full)
    for name, shown, bound, word in verdicts:
        print(f"{word:<16}  {name}: {shown} ({bound})")
    failed = [name for name, _, _, word in verdicts if word != "holds"]
    named = f"; not: {'; '.join(failed)}" if failed else ""
    print(f"{len(verdicts) - len(failed)} of {len(verdicts)} budgets hold{named}")
    return not failed
