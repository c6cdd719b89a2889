"""The report of a move: for people as Markdown or as a page, and for programs.

Names and reasons come from repositories of strangers. In Markdown they are code, which makes no
link, image, mention, table or HTML of them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from catalog.move.causes import flat
from catalog.move.findings import (
    Group,
    Report,
    TookDefault,
    WaveCount,
    counted,
    duration,
    first_line,
)
from extensions.rules import said

# How much Markdown shows: a summary on GitHub has at most 1 MiB, and a person reads less.
MOST_GROUPS, MOST_SERVICES, LONGEST = 50, 100, 300
ANSWER = (
    "In a clone that has the branch, `copier update --trust --defaults --vcs-ref=:current: "
    "-d QUESTION=ANSWER` answers otherwise."
)


def as_markdown(report: Report) -> str:
    """Return a report as Markdown.

    Source: https://github.github.com/gfm/#code-spans
    """
    sections = [
        first_line(report, _plain),
        *_failures(report.groups),
        *_questions(report.defaults),
        *_left_out(report),
        *_waves(report.waves),
        f"All moves together took {duration(report.seconds)}. The branch is {code(report.branch)}.",
    ]
    return "\n\n".join(sections) + "\n"


def as_html(report: Report) -> str:
    """Return a report as one HTML page without a script or another file."""
    from catalog.move.report_page import page  # noqa: PLC0415 (Jinja is for pages alone)

    return page(report)


def code(text: str) -> str:
    """Return a text of strangers as code of Markdown, which shows it and does nothing."""
    line = flat(text)
    line = line if len(line) <= LONGEST else f"{line[:LONGEST].rstrip()}…"
    if not line:
        return "(nothing)"
    ticks = "`" * (max(map(len, re.findall(r"`+", line)), default=0) + 1)
    # One blank at both ends is taken off again.
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def default(taken: TookDefault) -> str:
    """Return the default that a question took, as people read it."""
    return flat(said(taken.default))


def count(wave: WaveCount) -> str:
    """Say how far a wave is."""
    numbers = [
        (wave.branches, counted(wave.branches, "branch", "branches")),
        (wave.had, f"{wave.had} had it"),
        (wave.failed, f"{wave.failed} failed"),
        (wave.skipped, f"{wave.skipped} skipped"),
        (wave.untried, f"{wave.untried} not tried yet"),
    ]
    of = ", ".join(words for number, words in numbers if number)
    return f"{counted(wave.services, 'service')}{f': {of}' if of else ''}"


def _plain(text: str) -> str:
    """Return a name as it is if it means nothing in Markdown, and as code otherwise."""
    means_nothing = re.fullmatch(r"[a-z][a-z0-9-]{0,60}|v?[0-9][a-z0-9.+-]{0,60}", text, re.I)
    return text if means_nothing else code(text)


def _failures(groups: Sequence[Group]) -> Iterator[str]:
    if not groups:
        return
    yield "## What needs a person"
    for group in groups[:MOST_GROUPS]:
        yield f"### {counted(len(group.services), 'service')}: {code(group.cause)}"
        first = group.services[0]
        if first.reason and first.reason not in group.cause:
            yield f"Such as {code(first.name)}: {code(first.reason)}"
        yield _block(group.retry)
        yield _list(
            " ".join(filter(None, [code(each.name), code(each.version), _place(each.remote)]))
            + (f", folder {code(each.folder)}" if each.folder else "")
            for each in group.services
        )
    if rest := groups[MOST_GROUPS:]:
        services = sum(len(group.services) for group in rest)
        yield (
            f"And {counted(len(rest), 'cause')} more, of {counted(services, 'service')}; "
            "`catalog report --format json` has all of them."
        )


def _place(remote: str) -> str:
    return code(remote) if remote else ""


def _questions(defaults: Sequence[TookDefault]) -> Iterator[str]:
    if not defaults:
        return
    yield "## New questions that took their default"
    yield _list(
        f"{code(each.question)}: {code(default(each))}, in {counted(each.services, 'service')}"
        for each in defaults
    )
    yield ANSWER


def _left_out(report: Report) -> Iterator[str]:
    if not report.left_out:
        return
    yield "## What the plan leaves out"
    lines = []
    for each in report.left_out[:MOST_GROUPS]:
        shown = ", ".join(map(code, each.services[:MOST_SERVICES]))
        more = len(each.services) - MOST_SERVICES
        services = f"{shown}{f' and {more} more' if more > 0 else ''}"
        lines.append(f"- {counted(len(each.services), 'service')}, {code(each.reason)}: {services}")
    if (more := len(report.left_out) - MOST_GROUPS) > 0:
        lines.append(f"- and {counted(more, 'reason')} more; the plan has all of them")
    yield "\n".join(lines)


def _waves(waves: Sequence[WaveCount]) -> Iterator[str]:
    if waves:
        yield "## Waves"
        yield "\n".join(f"- {code(wave.wave)}, {count(wave)}" for wave in waves)


def _list(lines: Iterable[str]) -> str:
    every = [f"- {line}" for line in lines]
    if (more := len(every) - MOST_SERVICES) > 0:
        every = [*every[:MOST_SERVICES], f"- and {more} more"]
    return "\n".join(every)


def _block(command: str) -> str:
    """Return a command as a block of code, with a fence that nothing in it can close."""
    fence = "`" * max(3, max(map(len, re.findall(r"`+", command)), default=0) + 1)
    return f"{fence}sh\n{command}\n{fence}"
