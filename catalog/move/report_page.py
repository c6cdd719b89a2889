"""The report of a move as a page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog import html
from catalog.move.findings import Report, counted, duration, first_line
from catalog.move.report import ANSWER, count, default

PAGES = Path(__file__).parent / "pages"


def page(report: Report) -> str:
    """Return a report as one HTML page without a script or another file."""
    functions: dict[str, Callable[..., Any]] = {
        "count": count,
        "counted": counted,
        "default": default,
        "duration": duration,
    }
    # What is code in Markdown is every second part.
    values = {"report": report, "line": first_line(report), "answer": ANSWER.split("`")}
    return "".join(html.page(PAGES, "report", values, functions))
