"""Seconds of `copier copy` without a smoke build, beside a template of that size without Python."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.workshop import Workshop
from lab.rendering import COPIER, render_service

NAME, CRATE = "order-api", "order_api"
# How often each is timed.
TIMES = 5
# No emitted file has these signs for a reason of its own.
SIGNS = {
    "variable_start_string": "@{", "variable_end_string": "}@",
    "block_start_string": "@%", "block_end_string": "%@",
    "comment_start_string": "@#", "comment_end_string": "#@",
}  # fmt: skip


def plain(template: Path, folder: Path) -> Path:
    """Make a template that asks our questions and emits our files, with none of our Python.

    Every file goes through Jinja, as ours do. A question has its answer for a default.
    """
    emitted = folder / "template"
    render_service(template, emitted, service_name=NAME, smoke="none")
    answers = yaml.safe_load((emitted / ".copier-answers.yml").read_text("utf-8"))
    for path in [*emitted.rglob("*")]:
        if path.is_file():
            text = path.read_text("utf-8").replace(NAME, "@{ service_name }@")
            text = text.replace(CRATE, "@{ service_name | replace('-', '_') }@")
            path.with_name(f"{path.name}.jinja").write_text(text, "utf-8")
            path.unlink()
    config = {"_subdirectory": "template", "_envops": SIGNS}
    config |= {
        name: {"type": "yaml", "default": answers[name]} for name in answers if name[0] != "_"
    }
    (folder / "copier.yml").write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    return folder


def larger(template: Path, folder: Path, times: int) -> Path:
    """Copy a template and let it emit its files so many times over."""
    shutil.copytree(template, folder, symlinks=True)
    # There is one answers file, however large the template is, and its name is rendered.
    once = shutil.ignore_patterns("*_copier_conf*")
    for number in range(1, times):
        shutil.copytree(template / "template", folder / "template" / f"again-{number}", ignore=once)
    return folder


def measure(workshop: Workshop, growth: Sequence[int]) -> None:
    """Time both templates in turn, as processes of their own.

    Both are made so many times larger, each number of `growth` in a group of its own.
    """
    folder = workshop.place("copies")
    pair = {"ours": workshop.template, "plain": plain(workshop.template, folder / "plain")}
    command = [COPIER, "copy", "--trust", "--quiet", "--defaults", "--skip-tasks"]
    command += [f"--data=service_name={NAME}"]
    for factor in growth:
        group = "template" if factor == 1 else f"template, {factor} times the files"
        sources = {each: larger(pair[each], folder / f"{each}-{factor}", factor) for each in pair}
        for number in range(TIMES + 1):
            for name, source in sources.items():
                begin = time.monotonic()
                subprocess.run([*command, source, folder / "made"], check=True)
                if number:  # the first one warms the disk cache
                    workshop.sheet.note(group, name, "copy", time.monotonic() - begin, "s")
                shutil.rmtree(folder / "made")
