"""Shows where services stand as a page that needs nothing else."""

from collections.abc import Iterator
from pathlib import Path

from catalog import html
from catalog.fleet.look import FINDINGS, STATES
from catalog.fleet.status import Data, Ordered, summary

PAGES = Path(__file__).parent / "pages"
# What each state means, for people who see it for the first time.
MEANINGS = {
    "broken": "They cannot be looked at; each says why.",
    "conflict": "A file has marks of a conflict.",
    "violation": "An answer is against the policy, or the version is older than the policy wants.",
    "ended": "A base of the image is past its end of life.",
    "stale": "A file is as another version makes it: an update was skipped or undone.",
    "behind": "Newer versions of the template are released.",
    "foreign": "They are made from another template.",
    "edited": "Their owners changed files of the template, as they may.",
    "current": "Every file is as its version makes it.",
}


def page(ordered: Ordered) -> Iterator[str]:
    """Yield rows as one HTML page, piece by piece, with a section for each state.

    Args:
        ordered: The rows.
    """
    values = {
        "states": [state for state in STATES if ordered.counts[state]],
        "findings": FINDINGS,
        "counts": ordered.counts,
        "rows": ordered.rows,
        "meanings": MEANINGS,
        "summary": summary(ordered.counts),
        "needed": ordered.findings,
    }
    return html.page(PAGES, "status", values, {"in_short": in_short, "lists": lists})


def in_short(row: Data) -> str:
    """Say in a few words what there is to know of a service."""
    if row["reason"]:
        return str(row["reason"])
    counted = {
        "in conflict": row["conflicts"],
        "against the policy": row["violations"],
        "past its end": row["ended"],
        "stale": row["stale"],
        "edited": [path for path in row["edited"] if path not in row["conflicts"]],
        "missing": row["missing"],
        "of another mode": row["modes"],
    }
    said = [f"{len(what)} {how}" for how, what in counted.items() if what]
    return ", ".join(said) or "as it was made"


def lists(row: Data) -> dict[str, list[str]]:
    """Return what there is to know of a service as lists, each with its heading."""
    found = {
        "Why": [row["reason"], *row["violations"], *row["ended"]],
        "Conflict in": row["conflicts"],
        "Stale": [f"{path}, as {tag} makes it" for path, tag in row["stale"].items()],
        "Edited": [path for path in row["edited"] if path not in row["conflicts"]],
        "Missing": row["missing"],
        "Another mode": row["modes"],
        "Images": row["images"],
        "Remote": [row["remote"]],
        "Folder": [row["folder"]],
        "Branch": [row["branch"]],
        "Commit": [row["commit"]],
    }
    filled = {heading: [each for each in lines if each] for heading, lines in found.items()}
    # A reason alone is said already.
    known = {heading: lines for heading, lines in filled.items() if lines}
    return known if known != {"Why": [row["reason"]]} else {}
