"""Edits that owners make to their services, as several tests need them."""

import os
import subprocess
from pathlib import Path

from extensions.registry import frameworks


def write_answer(folder: Path, expression: str) -> None:
    """Let the health route of the toy answer with what a Rust expression says."""
    routes = folder / "src" / "routes.rs"
    before, start, rest = routes.read_text().partition("fn health() -> &'static str {\n")
    assert start
    _, _, after = rest.partition("\n}\n")
    routes.write_text(f"{before}{start}    {expression}\n}}\n{after}")


def lock(folder: Path, **environment: str) -> None:
    """Bring the lock file of a service in step with its manifest."""
    subprocess.run(
        ["cargo", "metadata", "--quiet", "--format-version=1"],
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def apply(folder: Path, framework: str, patch: str) -> None:
    """Make an edit of a framework's folder in a service of that framework."""
    file = frameworks()[framework].folder / patch
    subprocess.run(["git", "apply", str(file)], cwd=folder, check=True)
