"""What must be known of this machine before the first file is written."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

from copier.errors import UserMessageError

from .pins import ROOT


def state(destination: Path) -> Literal["missing", "empty", "occupied"]:
    """Tell what a copy finds at its destination; a folder with nothing but `.git` is empty."""
    try:
        entries = {entry.name for entry in Path(destination).iterdir()}
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "occupied"
    return "occupied" if entries - {".git"} else "empty"


def require_smoke(level: str, framework: str) -> None:
    """Make sure that a smoke build can run here.

    Raises:
        UserMessageError: It cannot, with the reason and the remedy.
    """
    command = [sys.executable, str(ROOT / "hooks" / "smoke.py"), level]
    process = subprocess.run(
        [*command, "--preflight", str(ROOT / "services" / framework)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode:
        reason = process.stdout.strip() or f"hooks/smoke.py ended with {process.returncode}"
        raise UserMessageError(f"smoke: {level} cannot run here: {reason}")
