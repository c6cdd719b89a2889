"""The tables of the page: what is in their cells is data, which one function fills in."""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from benchmarks import fleet, observability
from benchmarks.budgets import BARE, OURS, judge
from benchmarks.figures import ROUND, Record, counted, find, in_group, rounded
from benchmarks.images import ANSWERS, SCENARIOS, SIZE, WHOLE_SIZE
from benchmarks.results import Part, of_budgets
from benchmarks.variants import RELEASE, SHIPPED
from extensions.registry import frameworks, runtimes
from maintenance.tables import markdown

RIGHT = "---:"
# What a cell shows: `group`, `subject` and `what` of a record, the `form`, and another record that
# it is beside, which has another subject, its `peer`, or is of another thing, the `other`.
Words = Mapping[str, str]
# Labels with their words, or a field of the records for all that is in it.
Axis = str | Mapping[str, Words]


class Table(NamedTuple):
    """A table, whose cells have its own words, those of the row, and those of the column.

    A {framework} stands for each of them. Rows and columns are products of axes; a label of a row
    with a | fills several columns. Where there is no group, an axis says it.
    """

    part: str
    group: str
    corner: Sequence[str]
    rows: Sequence[Axis]
    columns: Sequence[Axis]
    words: Words


LTO_AND_ONE_UNIT = {"subject": "lto and codegen-units alone"}
RATE = {"what": "requests/s, 64 connections", "form": "ratio"}
MEMORY = {each: {"what": each} for each in ("idle memory", "loaded memory")}
TO_NONE = {"form": "spread (ratio)", "peer": observability.NONE.name}
MORE = {**TO_NONE, "form": "figure (difference)"}
TABLES = (
    Table("images-{framework}", "images: {framework}", ["build"], [{
        **{each: {"what": each, "other": f"{each}, compiled", "form": "both"}
           for each in SCENARIOS},
        f"the image starts and {ANSWERS}": {"what": ANSWERS, "form": "answers"},
        **{each: {"what": each} for each in (SIZE, WHOLE_SIZE)},
    }], ["subject"], {}),
    Table("sizes", "", ["framework, profile", "runtime"], ["group", "subject"], [{
        "binary": {"what": "binary"},
        "added to the base": {"what": "image"},
        "compressed": {"what": "compressed"},
        "the base": {"what": "image", "form": "base"},
    }], {}),
    Table("settings", "", ["settings"], ["subject"], ["group", {
        "binary": {"what": "binary"},
        "change": {"what": "binary", "form": "change"},
        "cold": {"what": "cold", "form": "figure (ratio)"},
    }], {"peer": RELEASE.name}),
    # What the document says that settings give, and the figure in which that would be seen.
    Table("settings", "", ["", "said"], [{
        "stripping | 47% smaller": {"subject": "strip alone"},
        "LTO and one codegen unit | 20 to 40% smaller": LTO_AND_ONE_UNIT,
        "LTO and one codegen unit | 2 to 3 times the seconds":
            {**LTO_AND_ONE_UNIT, "what": "cold", "form": "times"},
        "all five settings | up to 60% smaller": {"subject": SHIPPED.name},
    }], ["group"], {"what": "binary", "form": "smaller", "peer": RELEASE.name}),
    Table("running", "run time: {framework}", [""], ["what"], ["subject"],
          {"form": "spread (ratio)", "peer": BARE}),
    Table("observability", "", ["framework", "observability"], ["group", "subject"], [{
        "binary": {"what": "binary", **MORE},
        "requests/s": {"what": "requests/s, 64 connections", **TO_NONE},
        "p99, ms": {"what": "p99, 64 connections", **TO_NONE},
        **{each: {**words, **MORE} for each, words in MEMORY.items()},
        observability.TAKEN: {"what": observability.TAKEN},
    }], {}),
    Table("copies", "", ["seconds"], ["group"], [{
        "ours": {"subject": OURS},
        "plain": {"subject": "plain"},
        "ratio": {"subject": OURS, "peer": "plain", "form": "ratio"},
    }], {"what": "copy", "form": "spread (ratio)"}),
    Table("tried", "tried", [""], ["subject"], [{
        "binary": {"what": "binary"},
        **{each: {"what": each, "form": "figure (ratio)"} for each in ("cold", "an edit")},
        f"requests/s, to {SHIPPED.name}": RATE,
        **MEMORY,
    }], {"peer": SHIPPED.name}),
    Table("tried", "allocator", [""], ["subject"], [{"requests/s, to as shipped": RATE, **MEMORY}],
          {"peer": "as shipped"}),
    Table("fleet", fleet.STATUS, [""], ["subject"], ["what"],
          {"form": "spread (times as fast)", "peer": fleet.LOOP}),
    Table("fleet", fleet.MEMORY, ["format"], ["subject"], ["what"], {"form": "value"}),
    Table("fleet", fleet.UPDATES, [""], ["subject"], [{
        "services moved": {"what": fleet.NUMBER, "form": "number"},
        fleet.SECONDS: {"what": fleet.SECONDS},
        fleet.RATE: {"what": fleet.RATE, "form": "figure (ratio)"},
    }], {"peer": fleet.ONE_AT_A_TIME}),
    Table("fleet", fleet.PLANS, ["a plan of"], ["subject"], ["what"], {"form": "value"}),
)  # fmt: skip


def _with_ratio(shown: str, own: Record, other: Record) -> str:
    return shown if own == other else f"{shown} ({rounded(own.to(other))})"


def _with_difference(own: Record, other: Record) -> str:
    more = own.median - other.median
    sign = "\N{MINUS SIGN}" if more < 0 else "+"
    return own.shown if own == other else f"{own.shown} ({sign}{rounded(abs(more))})"


def _change(own: Record, other: Record) -> str:
    return "-" if own == other else f"{own.to(other) - 1:+.0%}".replace("-", "\N{MINUS SIGN}")


# How a record is shown beside another, which is the same one where nothing says another.
FORMS: Mapping[str, Callable[[Record, Record], str]] = {
    "figure": lambda own, _: own.shown,
    "figure (ratio)": lambda own, other: _with_ratio(own.shown, own, other),
    "spread (ratio)": lambda own, other: _with_ratio(own.spread, own, other),
    "figure (difference)": _with_difference,
    "ratio": lambda own, other: rounded(own.to(other)),
    "both": lambda own, other: f"{own.shown}, {other.median:.0f}",
    "change": _change,
    "spread (times as fast)": lambda own, other: _with_ratio(own.spread, other, own),
    "value": lambda own, _: rounded(own.median),
    "number": lambda own, _: counted(round(own.median)),
    "smaller": lambda own, other: f"{1 - own.to(other):.0%} smaller",
    "times": lambda own, other: f"{own.to(other):.1f} times the seconds",
    "answers": lambda own, _: "yes" if all(own.values) else "**no**",
    "base": lambda own, _: f"{runtimes()[own.subject].megabytes:g} MB",
}


def tables(parts: Mapping[str, Part]) -> Iterator[str]:
    """Yield the tables of what has been measured, in Markdown and in the order of the page."""
    yield markdown(["budget", "measured", "bound", ""], judge(of_budgets(parts)), RIGHT)
    for each in TABLES:
        for framework in frameworks() if "{framework}" in each.part + each.group else [""]:
            part, group = (text.format(framework=framework) for text in (each.part, each.group))
            records = parts[part]["records"] if part in parts else []
            if those := in_group(records, group) if group else records:
                yield _filled(each._replace(words={"group": group, **each.words}), those)


def _filled(table: Table, records: Sequence[Record]) -> str:
    columns = _product(table.columns, records)
    return markdown(
        [*table.corner, *(" ".join(labels) for labels, _ in columns)],
        [
            [*labels, *(_cell(records, {**table.words, **row, **column}) for _, column in columns)]
            for labels, row in _product(table.rows, records)
        ],
        RIGHT,
    )


def _product(axes: Sequence[Axis], records: Sequence[Record]) -> list[tuple[list[str], Words]]:
    """Return labels and words of each row, or of each column."""
    labelled = [_each(axis, records) if isinstance(axis, str) else axis for axis in axes]
    return [
        ([label for label, _ in those], dict(ChainMap(*(dict(words) for _, words in those))))
        for those in product(*(axis.items() for axis in labelled))
    ]


def _each(name: str, records: Sequence[Record]) -> Mapping[str, Words]:
    """Return what a field of records holds, by labels without the prefix of a group."""
    found = {}
    for record in records:
        value = str(getattr(record, name)).partition(ROUND)[0]
        unit = f", {record.unit}" if name == "what" and record.unit else ""
        found[value.rpartition(": ")[2] + unit] = {name: value}
    return found


def _cell(records: Sequence[Record], words: Words) -> str:
    subject, what = words["subject"], words["what"]
    own = find(records, words["group"], subject, what)
    beside = words.get("peer", subject), words.get("other", what)
    other = find(records, own.group, *beside) if own else None
    return FORMS[words.get("form", "figure")](own, other) if own and other else "-"
