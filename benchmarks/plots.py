"""Pictures of what was measured, as SVG."""

from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.budgets import OURS
from benchmarks.figures import Record
from benchmarks.images import ANSWERS, SCENARIOS, WHOLE_SIZE
from benchmarks.results import Part
from extensions.registry import frameworks

RUST, GREY, PALE = "#b7410e", "#8a8f98", "#d9dbdf"
LEGEND = {RUST: "ours", GREY: "others", PALE: "its image does not start"}
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
# Bars by the titles above them.
Panels = Mapping[str, Sequence[Record]]


def draw(parts: Mapping[str, Part]) -> dict[str, bytes]:
    """Draw every picture of what has been measured.

    Returns:
        SVG by the name of its file.
    """
    pictures, sizes, running = {}, {}, {}
    for name in frameworks():
        label = name.capitalize()
        if f"images-{name}" in parts:
            records = parts[f"images-{name}"]["records"]
            broken = {r.subject for r in records if r.what == ANSWERS and not all(r.values)}
            builds = {each: [r for r in records if r.what == each] for each in SCENARIOS}
            height = 0.9 + 0.4 * len(builds["cold"])
            drawn = _svg(builds, broken, height, nrows=2, ncols=3, sharex=True)
            pictures[f"builds-{name}.svg"] = drawn
            whole = [r for r in records if r.what == WHOLE_SIZE and r.subject not in broken]
            sizes[f"our {label} service: MB of the image"] = whole
        ran = [r for r in parts["running"]["records"] if r.group == f"run time: {name}"]
        for what in ("requests/s, 64 connections", "loaded memory") if ran else ():
            running[f"{label}: {what}"] = [r for r in ran if r.what == what]
    pictures["sizes.svg"] = _svg(sizes, (), 2, ncols=len(sizes))
    pictures["running.svg"] = _svg(running, (), 3.4, nrows=len(running) // 2, ncols=2)
    return pictures


def _svg(panels: Panels, pale: Collection[str], height: float, ncols: int, **grid: Any) -> bytes:
    """Draw panels row by row; the names of bars stand once where neighbours have the same."""
    file, left = BytesIO(), None
    with rc_context(STYLE):
        figure = Figure(figsize=(9, height))
        places = figure.subplots(ncols=ncols, squeeze=False, **grid).flat
        for number, ((title, bars), axes) in enumerate(zip(panels.items(), places, strict=True)):
            names = _bars(axes, bars, pale)
            axes.set_title(title)
            if number % ncols and names == left:
                axes.set_yticklabels([])
            left = names
        _legend(figure)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    # Matplotlib ends lines of paths with a space.
    return b"\n".join(line.rstrip() for line in file.getvalue().splitlines()) + b"\n"


def _legend(figure: Figure) -> None:
    """Say below the bars what their colours mean, of those that are there."""
    bars = {to_hex(bar.get_facecolor()) for axes in figure.axes for bar in axes.patches}
    handles = [Patch(color=colour, label=LEGEND[colour]) for colour in LEGEND if colour in bars]
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), frameon=False)


def _bars(axes: Axes, bars: Sequence[Record], pale: Collection[str]) -> list[str]:
    """Draw a bar for each record, the first one on top, and return the names beside them."""
    names = [bar.subject for bar in bars]
    colours = [RUST if each.startswith(OURS) else PALE if each in pale else GREY for each in names]
    drawn = axes.barh(names, [bar.median for bar in bars], color=colours, height=0.7)
    axes.bar_label(drawn, [bar.shown for bar in bars], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.28)
    axes.tick_params(left=False, bottom=False, labelbottom=False)
    return names
