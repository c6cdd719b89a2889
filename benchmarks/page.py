"""Fills the results of the full mode into docs/benchmarks.md, and draws its pictures.

The prose of the page is written there and nowhere else.
"""

from collections.abc import Mapping

from benchmarks.plots import draw
from benchmarks.results import Part, load
from benchmarks.tables import tables
from extensions.pins import ROOT

PAGE, PICTURES = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "images"


def filled(page: str, parts: Mapping[str, Part]) -> str:
    """Return a page with its tables, and the list that ends it, as the results have them.

    Raises:
        ValueError: It has more or fewer tables than there are to show; a line with | is one.
    """
    blocks = page.split("\n\n")
    places = [number for number, block in enumerate(blocks) if block.startswith("|")]
    for number, table in zip(places, tables(parts), strict=True):
        blocks[number] = table
    machines: dict[str, list[str]] = {}
    for name, part in parts.items():
        machines.setdefault(part["machine"], []).append(f"\n  {name} ({part['day']})")
    blocks[-1] = "\n".join(f"- {each}:{','.join(machines[each])}." for each in sorted(machines))
    return "\n\n".join(blocks) + "\n"


def write() -> None:
    """Bring page and pictures in step with what has been measured."""
    parts = load()
    PAGE.write_text(filled(PAGE.read_text("utf-8"), parts), "utf-8")
    for name, picture in draw(parts).items():
        (PICTURES / name).write_bytes(picture)
