"""Seconds of `copier copy` without a smoke build, beside a template of that size without Python."""

import shutil
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import yaml

from benchmarks.figures import Record, tell
from lab.rendering import COPIER, render_service

NAME = "order-api"


def plain(template: Path, folder: Path) -> Path:
    """Make a template that asks our questions and emits our files, with none of our Python.

    Every file goes through Jinja, as ours do.
    """
    render_service(template, folder / "template", service_name=NAME, smoke="none")
    for path in [*(folder / "template").rglob("*")]:
        if path.is_file():
            text = path.read_text("utf-8").replace(NAME, "@{ service_name }@")
            path.with_name(f"{path.name}.jinja").write_text(text, "utf-8")
            path.unlink()
    asked = yaml.safe_load((template / "copier.yml").read_text("utf-8"))
    questions = {name: value for name, value in asked.items() if not name.startswith("_")}
    for question in questions.values():
        question.pop("validator", None)
        question.pop("when", None)
    questions["port"]["default"] = "8080"
    questions["rust_version"]["default"] = "1.98.0"
    questions["cargo_registry_index"]["default"] = ""
    questions["description"]["default"] = "The @{ service_name }@ web service."
    # No emitted file has these signs for a reason of its own.
    signs = {
        "variable_start_string": "@{", "variable_end_string": "}@",
        "block_start_string": "@%", "block_end_string": "%@",
        "comment_start_string": "@#", "comment_end_string": "#@",
    }  # fmt: skip
    config = {"_subdirectory": "template", "_envops": signs, **questions}
    (folder / "copier.yml").write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    return folder


def larger(template: Path, folder: Path, times: int) -> Path:
    """Copy a template and let it emit its files so many times over."""
    shutil.copytree(template, folder, symlinks=True)
    emitted = template / "template"
    for number in range(1, times):
        # The answers file has a name that is rendered, and there is one of it.
        ignored = shutil.ignore_patterns("*_copier_conf*")
        shutil.copytree(emitted, folder / "template" / f"again-{number}", ignore=ignored)
    return folder


def measure(template: Path, folder: Path, *, times: int, growth: tuple[int, ...]) -> list[Record]:
    """Time both templates in turn, as processes of their own.

    Args:
        template: Ours, without its history.
        folder: Where to work.
        times: How often each is timed.
        growth: How many times larger both are made, a number a group of results.
    """
    pair = {"ours": template, "plain": plain(template, folder / "plain")}
    records = []
    for factor in growth:
        group = "template" if factor == 1 else f"template, {factor} times the files"
        sources = {
            name: larger(source, folder / f"{name}-{factor}", factor)
            for name, source in pair.items()
        }
        seconds = defaultdict(list)
        for number in range(times + 1):
            for name, source in sources.items():
                target = folder / f"made-{factor}-{name}-{number}"
                begin = time.monotonic()
                subprocess.run(
                    [COPIER, "copy", "--trust", "--quiet", "--defaults", "--skip-tasks",
                     f"--data=service_name={NAME}", str(source), str(target)],
                    check=True,
                )  # fmt: skip
                if number:  # the first one warms the disk cache
                    seconds[name].append(time.monotonic() - begin)
                shutil.rmtree(target)
        found = [
            Record(group, name, "copy", "s", tuple(values)) for name, values in seconds.items()
        ]
        tell(found)
        records += found
    return records
