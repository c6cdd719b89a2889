"""Pictures of what was measured, as SVG."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import images
from benchmarks.budgets import OURS
from benchmarks.figures import Record, find, rounded
from benchmarks.results import Part
from benchmarks.tables import subjects
from extensions.registry import frameworks

RUST, GREY, PALE = "#b7410e", "#8a8f98", "#d9dbdf"
# The same bytes from the same figures, whenever it is drawn.
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.bottom": False,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
}


def draw(parts: Mapping[str, Part]) -> dict[str, bytes]:
    """Draw every picture whose parts have been measured.

    Returns:
        SVG by the name of its file.
    """
    pictures = {}
    with rc_context(STYLE):
        built = {
            framework: parts[f"images-{framework}"].records
            for framework in frameworks()
            if f"images-{framework}" in parts
        }
        for framework, records in built.items():
            name = f"builds-{framework}.svg"
            pictures[name] = _svg(builds(records, f"images: {framework}"))
        if built:
            pictures["sizes.svg"] = _svg(sizes(built))
        if "running" in parts:
            pictures["running.svg"] = _svg(running(parts["running"].records))
    return pictures


def _svg(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    # Matplotlib ends lines of paths with a space.
    return b"\n".join(line.rstrip() for line in file.getvalue().splitlines()) + b"\n"


def _bars(
    axes: Axes, title: str, values: Mapping[str, float], labels: Sequence[str], pale: Sequence[str]
) -> None:
    """Draw a bar for each subject, ours in a colour of its own, the first one on top."""
    names = list(values)
    colours = [RUST if name.startswith(OURS) else PALE if name in pale else GREY for name in names]
    drawn = axes.barh(names, list(values.values()), color=colours, height=0.7)
    axes.bar_label(drawn, labels=labels, padding=3)
    axes.set_title(title)
    axes.invert_yaxis()
    axes.margins(x=0.28)
    axes.tick_params(left=False, bottom=False, labelbottom=False)


def builds(records: Sequence[Record], group: str) -> Figure:
    """Draw the seconds of every build; pale where the image does not answer what the edit says."""
    names = subjects(records, group)
    broken = [n for n in names if not all(find(records, group, n, images.ANSWERS).values)]
    figure = Figure(figsize=(9, 0.9 + 0.4 * len(names)))
    for number, (scenario, axes) in enumerate(
        zip(images.SCENARIOS, figure.subplots(2, 3, sharex=True).flat, strict=True)
    ):
        seconds = {name: find(records, group, name, scenario).median for name in names}
        _bars(
            axes, scenario, seconds, [f"{rounded(value)} s" for value in seconds.values()], broken
        )
        if number % 3:
            axes.set_yticklabels([])
    return figure


def sizes(built: Mapping[str, Sequence[Record]]) -> Figure:
    """Draw the megabytes of every image that works, with its base as published."""
    figure = Figure(figsize=(9, 2))
    columns = figure.subplots(1, len(built), squeeze=False).flat
    for (framework, records), axes in zip(built.items(), columns, strict=True):
        group = f"images: {framework}"
        values = {
            name: find(records, group, name, images.WHOLE_SIZE).median
            for name in subjects(records, group)
            if all(find(records, group, name, images.ANSWERS).values)
        }
        labels = [f"{rounded(value)} MB" for value in values.values()]
        _bars(axes, f"our {framework.capitalize()} service: MB of the image", values, labels, [])
    return figure


def running(records: Sequence[Record]) -> Figure:
    """Draw requests a second and memory of every program."""
    figure = Figure(figsize=(9, 3.4))
    for framework, row in zip(frameworks(), figure.subplots(len(frameworks()), 2), strict=True):
        group = f"run time: {framework}"
        names = subjects(records, group)
        for number, (axes, what, unit) in enumerate(
            zip(row, ("requests/s, 64 connections", "loaded memory"), ("", " MB"), strict=True)
        ):
            values = {name: find(records, group, name, what).median for name in names}
            labels = [f"{rounded(value)}{unit}" for value in values.values()]
            _bars(axes, f"{framework.capitalize()}: {what}", values, labels, [])
            if number:
                axes.set_yticklabels([])
    return figure
