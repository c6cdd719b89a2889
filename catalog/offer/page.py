"""Shows the released versions to people: as a page that needs nothing else, and as a table.

What is shown was written by others: Markdown may hold no HTML and link to the web alone, and
`catalog/html.py` escapes the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup
from rich.table import Table
from rich.text import Text

from catalog import html
from catalog.visible import visible
from extensions.text import shell

PAGES = Path(__file__).parent / "pages"
LONGEST_LINE = 160


def page(index: Mapping[str, Any]) -> str:
    """Return the released versions as one HTML page without a script or another file.

    Args:
        index: What `catalog.offer.index.index` returned.
    """
    functions: dict[str, Callable[..., Any]] = {
        "changed": changed,
        "changelog": changelog,
        "first_line": first_line,
        "in_short": in_short,
        "shell": shell,
    }
    return "".join(html.page(PAGES, "index", index, functions))


def table(index: Mapping[str, Any]) -> Table:
    """Return the released versions as a table for a terminal, newest first."""
    made = Table("version", "date", "Rust", "changelog", "changes")
    for row in index["versions"]:
        cells = (
            row["version"] + (" (prerelease)" if row["prerelease"] else ""),
            row["date"] or "unknown",
            row["rust"] or "unknown",
            first_line(row["changelog"]),
            in_short(row),
        )
        made.add_row(*(Text(visible(cell).replace("\n", " ")) for cell in cells))
    return made


def changelog(text: str) -> Markup:
    """Return a section of a changelog as HTML; its headings are of one level, below the page's own.

    Links that lead elsewhere than to the web stay text.

    Source: https://spec.commonmark.org/0.31.2/
    """
    tokens = _markdown().parse(text)
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.type == "heading_open":
            before.tag = after.tag = "h4"
            before.hidden = after.hidden = not token.content
    made: str = _markdown().renderer.render(tokens, _markdown().options, {})
    # Entities stand for characters too, and none of what is replaced is syntax.
    return Markup(visible(made))  # noqa: S704 (it has no HTML but that of the renderer)


def first_line(text: str) -> str:
    """Return the first words of a section of a changelog, in plain text."""
    for before, token in pairwise(_markdown().parse(text)):
        if token.type == "inline" and before.type != "heading_open":
            parts = token.children or []
            line = "".join(" " if each.type.endswith("break") else each.content for each in parts)
            return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE].rstrip()}…"
    return ""


def in_short(row: Mapping[str, Any]) -> str:
    """Say in a few words what a version changes.

    Args:
        row: A version, as `catalog.offer.index.index` has it.
    """
    if row["rust"] is None:
        return "unknown"
    changes = row["changes"]
    if changes is None:
        return "nothing earlier"
    asked = set(changes["choices"]).union(*changes["questions"].values())
    crates = sum(
        len(each["new"]) + len(each["gone"]) + len(each["changed"]) + each["others"]
        for each in changes["crates"].values()
    )
    counted = {
        "question": len(asked),
        "image": sum(map(len, changes["images"].values())),
        "crate": crates,
    }
    said = ["Rust"] if changes["rust"] else []
    said += [f"{count} {what}{'s' * (count > 1)}" for what, count in counted.items() if count]
    return ", ".join(said) or "no question, image or crate"


def changed(changes: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what a version changes: what kind of thing, its name, and how it changes."""
    said = []
    if changes["rust"]:
        said.append(("", "Rust", " to ".join(changes["rust"])))
    said += _said("question", changes["questions"], "default ")
    for question, choices in changes["choices"].items():
        said += [("choice", f"{question}={each}", "is new") for each in choices["new"]]
        said += [("choice", f"{question}={each}", "is gone") for each in choices["gone"]]
    said += _said("image", changes["images"])
    for framework, crates in changes["crates"].items():
        said += _said(f"{framework} crate", crates)
        if others := crates["others"]:
            said.append(("", framework, f"{others} other locked crate{'s' * (others > 1)}"))
    return said


def _said(kind: str, compared: Mapping[str, Any], what: str = "") -> list[tuple[str, str, str]]:
    pairs = compared["changed"].items()
    return [
        *((kind, name, f"{what}{_one(was)} to {_one(now)}") for name, (was, now) in pairs),
        *((kind, name, f"is new, {what}{_one(now)}") for name, now in compared["new"].items()),
        *((kind, name, "is gone") for name in compared["gone"]),
    ]


def _one(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


@cache
def _markdown() -> MarkdownIt:
    """Return a reader of Markdown without HTML and images, whose links lead to the web alone."""
    markdown = MarkdownIt("commonmark", {"html": False}).disable("image")
    markdown.validateLink = lambda url: url.lower().startswith(("https://", "http://"))  # type: ignore[method-assign]
    return markdown
