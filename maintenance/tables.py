"""Writes tables of README.md and the docs from the registry, the questions and a rendered service.

A table stands between two comments of its page, such as `<!-- table: runtimes -->` and
`<!-- end of table -->`.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from extensions.pins import ROOT
from extensions.questions import default_in_words, default_of, questions
from extensions.registry import runtimes
from extensions.rules import CHOICES, SEVERAL
from maintenance.tree import tree

BEGIN, END = "<!-- table: {} -->\n", "<!-- end of table -->"
PAGES = (ROOT / "README.md",)


def runtimes_table() -> str:
    """Return every runtime with what its image has."""
    return markdown(
        ("`runtime`", "base", "C library", "CA certificates", "shell", "MB of the base"),
        (
            (
                f"`{each.name}`",
                f"`{each.base}`" if each.image else "nothing",
                "musl, static" if each.libc == "musl" else f"{each.libc}, dynamic",
                "yes" if each.certificates else "with `ca_certificates`",
                "yes" if each.shell else "no",
                f"{each.megabytes:g}",
            )
            for each in runtimes().values()
        ),
    )


def questions_table() -> str:
    """Return every question with its default, its choices and what it decides."""
    return markdown(
        ("name", "default", "choices", "what it decides"),
        (
            (f"`{name}`", _default(name), _choices(name), question["help"])
            for name, question in questions().items()
        ),
    )


TABLES: dict[str, Callable[[], str]] = {
    "tree": tree,
    "runtimes": runtimes_table,
    "questions": questions_table,
}


def written(page: str) -> str:
    """Return a page with its tables as they are now.

    Raises:
        ValueError: A table has no end.
    """
    for name, table in TABLES.items():
        before, begin, after = page.partition(BEGIN.format(name))
        if begin:
            _, end, rest = after.partition(END)
            if not end:
                raise ValueError(f"the table {name} has no end")
            page = f"{before}{begin}{table()}\n{end}{rest}"
    return page


def write(pages: Iterable[Path] = PAGES) -> None:
    """Write the tables of all pages."""
    for page in pages:
        page.write_text(written(page.read_text("utf-8")), "utf-8")


def _default(name: str) -> str:
    """Return the default of a question, a choice as code."""
    default = default_of(name)
    values = default if isinstance(default, list) else [default]
    if not _choices(name) and name != "owner":
        return default_in_words(name)
    return ", ".join(f"`{each}`" for each in values) or "none"


def _choices(name: str) -> str:
    offered = {**CHOICES, **SEVERAL}.get(name, ())
    return ", ".join(f"`{choice}`" for choice in offered)


def markdown(headers: Sequence[str], rows: Iterable[Sequence[str]], align: str = "---") -> str:
    """Return a table in GitHub's Markdown.

    Args:
        headers: Of the columns.
        rows: The cells of each row.
        align: How all columns but the first are aligned; `---:` is to the right.

    Source: https://github.github.com/gfm/#tables-extension-
    """
    lines = [headers, ["---", *[align] * (len(headers) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
