"""An owner's edit that tests share: a route that takes 2 s, so that a request can be in flight."""

from pathlib import Path

from extensions.registry import SLOW
from tests.owners import apply


def add(folder: Path, framework: str) -> None:
    """Add `GET /slow`, which answers `finished`, to a service."""
    apply(folder, framework, SLOW)
