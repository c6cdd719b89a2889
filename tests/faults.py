"""An owner's edit that tests share: routes for all that can go wrong, and limits to wait for."""

import re
from pathlib import Path

from extensions.registry import FAULTS
from tests import slow_route
from tests.owners import apply

# How long a client may take to send the head of a request, where the framework has a limit; how
# long the rest may take; how long a service may take to end.
HEAD, REQUEST, SHUTDOWN = 1, 4, 3
SECONDS = {"HEAD_TIME": HEAD, "REQUEST_TIME": REQUEST, "SHUTDOWN_SECONDS": SHUTDOWN}


def add(folder: Path, framework: str) -> None:
    """Add `/slow` and the routes that fail to a service, and lower its limits of time."""
    slow_route.add(folder, framework)
    apply(folder, framework, FAULTS)
    limits = folder / "src" / "limits.rs"
    text = limits.read_text()
    for name, seconds in SECONDS.items():
        text = re.sub(rf"(const {name}: .*?)\d+(\)?;)", rf"\g<1>{seconds}\2", text)
    limits.write_text(text)
