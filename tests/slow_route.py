"""An owner's edit that tests share: a route that takes 2 s, so that a request can be in flight."""

import subprocess
from pathlib import Path

from extensions.registry import SLOW, frameworks


def add(folder: Path, framework: str) -> None:
    """Add `GET /slow`, which answers `finished`, to a service."""
    patch = frameworks()[framework].folder / SLOW
    subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True)
