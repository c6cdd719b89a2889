"""Copies of the template, and services rendered from them."""

import shutil
import subprocess
import sys
from pathlib import Path

import copier

from extensions.pins import ROOT

TOYS = ("frameworks/tiny", "runtimes/slim")
# What services are not made from, so that copies of the template stay small.
LEFT_OUT = "examples/"
COPIER = str(Path(sys.executable).with_name("copier"))


def copy_template(folder: Path) -> Path:
    """Copy the files of this checkout that git tracks or does not ignore into a folder.

    The examples are left out.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        source = ROOT / name
        if name and not name.startswith(LEFT_OUT) and source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name, follow_symlinks=False)
    return folder


def with_toys(template: Path, folder: Path) -> Path:
    """Copy a template and add the toys, which are one folder each.

    Args:
        template: A copy of the template.
        folder: Where the copy with the toys is made.

    Returns:
        The folder. Its `framework=tiny` has sixteen crates, C code among them, and builds in
        seconds; its `runtime=slim` is Alpine once more.
    """
    shutil.copytree(template, folder, symlinks=True)
    for toy in TOYS:
        shutil.copytree(template / "lab" / "toys" / toy, folder / toy, symlinks=True)
    return folder


def render_service(template: Path, folder: Path, **answers: object) -> None:
    """Render a service into a folder as `copier copy --defaults` does, without tasks."""
    copier.run_copy(
        str(template),
        folder,
        data=answers,
        defaults=True,
        unsafe=True,
        quiet=True,
        skip_tasks=True,
    )
