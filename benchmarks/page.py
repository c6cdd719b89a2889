"""Writes docs/benchmarks.md and its pictures from the results of the full mode."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from benchmarks import figures, plots, tables
from benchmarks.results import Part, load
from extensions.pins import ROOT

DOCS = ROOT / "docs"
PAGE = "benchmarks.md"
PICTURES = "images"
TEMPLATE = ROOT / "benchmarks" / "page.md.jinja"


def render(parts: Mapping[str, Part]) -> str:
    """Return the page in Markdown; a part that has not been measured has no section."""
    environment = Environment(  # noqa: S701  it is Markdown, and of our own numbers
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.update(tables=tables, find=figures.find, ratio=figures.ratio)
    environment.filters["rounded"] = figures.rounded
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(parts=parts)


def write(folder: Path = DOCS) -> None:
    """Write page and pictures of what has been measured so far."""
    parts = load()
    (folder / PAGE).write_text(render(parts), "utf-8")
    (folder / PICTURES).mkdir(exist_ok=True)
    for name, picture in plots.draw(parts).items():
        (folder / PICTURES / name).write_bytes(picture)
