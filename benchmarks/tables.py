"""Tables in Markdown of what was measured."""

from collections.abc import Callable, Iterable, Sequence

from benchmarks import images
from benchmarks.budgets import judge
from benchmarks.figures import Record, Unmeasured, beside, find, in_group, ratio, rounded
from benchmarks.variants import LTO_AND_ONE_UNIT, RELEASE, STRIP, WHOLE, Variant
from extensions.registry import frameworks, runtimes

NOTHING = "-"
# What the settings are said to give, and in which figure of which of them that would be seen.
CLAIMS: tuple[tuple[str, str, Variant, str], ...] = (
    ("stripping", "47% smaller", STRIP, "binary"),
    ("LTO and one codegen unit", "20 to 40% smaller", LTO_AND_ONE_UNIT, "binary"),
    ("LTO and one codegen unit", "2 to 3 times the seconds", LTO_AND_ONE_UNIT, "cold"),
    ("all five settings", "up to 60% smaller", WHOLE, "binary"),
)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in GitHub's Markdown, all columns but the first to the right.

    https://github.github.com/gfm/#tables-extension-
    """
    lines = [headers, ["---", *["---:"] * (len(headers) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def subjects(records: Iterable[Record], group: str) -> list[str]:
    """Return what was measured in a group, in the order it was."""
    return list(dict.fromkeys(record.subject for record in records if in_group(record, group)))


def _groups(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(record.group for record in records))


def _measured(show: Callable[[str, str], str], subject: str, what: str) -> str:
    """Show a figure, or that there is none."""
    try:
        return show(subject, what)
    except Unmeasured:
        return NOTHING


def budgets(records: Sequence[Record]) -> str:
    """Return every budget with its figure and its bound."""
    return table(
        ["budget", "measured", "bound", ""],
        (
            [
                verdict.budget.name,
                NOTHING
                if verdict.value is None
                else f"{rounded(verdict.value)} {verdict.budget.unit}".strip(),
                verdict.budget.bound,
                "holds" if verdict.held else "**missed**",
            ]
            for verdict in judge(records)
        ),
    )


def builds(records: Sequence[Record], group: str) -> str:
    """Return seconds, and crates that were compiled, of every build of every subject."""
    names = subjects(records, group)

    def row(label: str, what: str, show: Callable[[Record], str]) -> list[str]:
        def cell(name: str, what: str) -> str:
            return show(find(records, group, name, what))

        return [label, *(_measured(cell, name, what) for name in names)]

    def seconds(record: Record) -> str:
        compiled = find(records, group, record.subject, f"{record.what}, compiled")
        return f"{rounded(record.median)} s, {compiled.median:.0f}"

    def answers(record: Record) -> str:
        return "yes" if all(record.values) else "**no**"

    def megabytes(record: Record) -> str:
        return f"{rounded(record.median)} MB"

    return table(
        ["build", *names],
        [
            *(row(scenario, scenario, seconds) for scenario in images.SCENARIOS),
            row("the image starts and answers what the edit says", images.ANSWERS, answers),
            *(row(what, what, megabytes) for what in (images.SIZE, images.WHOLE_SIZE)),
        ],
    )


def sizes(records: Sequence[Record]) -> str:
    """Return the megabytes of every image."""
    return table(
        ["framework, profile", "runtime", "binary", "added to the base", "compressed", "the base"],
        (
            [
                group.partition(": ")[2],
                runtime,
                *(
                    f"{rounded(find(records, group, runtime, what).median)} MB"
                    for what in ("binary", "image", "compressed")
                ),
                f"{runtimes()[runtime].megabytes:g} MB",
            ]
            for group in _groups(records)
            for runtime in subjects(records, group)
        ),
    )


def _seconds(own: Record, peers: Record) -> str:
    """Return seconds, and what they are to those of the peer, if it is another."""
    shown = f"{rounded(own.median)} s"
    return shown if own is peers else f"{shown} ({rounded(ratio(own.values, peers.values))})"


def _with_settings(records: Sequence[Record]) -> list[str]:
    """Return the frameworks whose settings were measured."""
    return [name for name in frameworks() if subjects(records, f"settings: {name}")]


def claims(records: Sequence[Record]) -> str:
    """Return what the settings are said to give beside what they gave."""

    def found(framework: str, variant: Variant, what: str) -> str:
        own, release = beside(records, f"settings: {framework}", variant.name, RELEASE.name, what)
        share = ratio(own.values, release.values)
        return f"{1 - share:.0%} smaller" if what == "binary" else f"{share:.1f} times the seconds"

    measured = _with_settings(records)
    return table(
        ["", "said", *measured],
        (
            [name, said, *(found(framework, variant, what) for framework in measured)]
            for name, said, variant, what in CLAIMS
        ),
    )


def settings(records: Sequence[Record]) -> str:
    """Return megabytes and seconds with every setting alone and without it."""

    def cells(framework: str, variant: str) -> list[str]:
        group = f"settings: {framework}"
        binary, release = beside(records, group, variant, RELEASE.name, "binary")
        share = ratio(binary.values, release.values) - 1
        return [
            f"{rounded(binary.median)} MB",
            NOTHING if variant == RELEASE.name else f"{share:+.0%}".replace("-", "\N{MINUS SIGN}"),
            _seconds(*beside(records, group, variant, RELEASE.name, "cold")),
        ]

    measured = _with_settings(records)
    headers = [f"{name} {what}" for name in measured for what in ("binary", "change", "cold")]
    return table(
        ["settings", *headers],
        (
            [variant, *(cell for name in measured for cell in cells(name, variant))]
            for variant in subjects(records, f"settings: {measured[0]}")
        ),
    )


def spreads(records: Sequence[Record], group: str, peer: str) -> str:
    """Return minimum, median and maximum of everything, and the ratio to a peer."""
    names = subjects(records, group)
    whats = {
        record.what: record.unit
        for record in records
        if record.group == group and record.subject == names[0]
    }

    def show(name: str, what: str) -> str:
        record = find(records, group, name, what)
        if name == peer:
            return record.spread
        to_peer = ratio(record.values, find(records, group, peer, what).values)
        return f"{record.spread} ({rounded(to_peer)})"

    return table(
        ["", *names],
        (
            [f"{what}, {unit}".removesuffix(", "), *(show(name, what) for name in names)]
            for what, unit in whats.items()
        ),
    )


def copies(records: Sequence[Record]) -> str:
    """Return the seconds of `copier copy` of both templates, and their ratio."""
    rows = []
    for group in _groups(records):
        ours, plain = (find(records, group, name, "copy") for name in ("ours", "plain"))
        rows.append([group, ours.spread, plain.spread, rounded(ratio(ours.values, plain.values))])
    return table(["seconds", "ours", "plain", "ratio"], rows)


def tried(records: Sequence[Record], group: str, shipped: str) -> str:
    """Return what each alternative gave beside what is shipped."""
    rate = "requests/s, 64 connections"
    measured = {record.what for record in records if in_group(record, group)}
    columns = [
        what
        for what in ("binary", "cold", "an edit", rate, "idle memory", "loaded memory")
        if what in measured
    ]

    def show(name: str, what: str) -> str:
        own, others = beside(records, group, name, shipped, what)
        if own.unit == "s":
            return _seconds(own, others)
        if own.unit:
            return f"{rounded(own.median)} {own.unit}"
        return rounded(ratio(own.values, others.values))

    headers = [f"requests/s, to {shipped}" if what == rate else what for what in columns]
    return table(
        ["", *headers],
        (
            [name, *(_measured(show, name, what) for what in columns)]
            for name in subjects(records, group)
        ),
    )
