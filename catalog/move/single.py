"""Moves one service in a process of its own, with a log, a time limit and a memory limit."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

from catalog.move.order import Order
from catalog.move.outcome import Outcome, of_data
from extensions.pins import ROOT
from hooks.processes import SECONDS_BETWEEN_LOOKS, started

CACHE = user_cache_path("catalog")
TEMPLATES = CACHE / "templates"
# How much of a log goes to another machine.
MOST_LOG = 200_000
WORKER = ROOT / "catalog" / "move" / "worker.py"


@dataclass(frozen=True)
class Place:
    """Where the move of one service leaves what.

    Attributes:
        work: A folder for a folder to work in, which goes again.
        kept: A folder for the template, which moves of other services share.
        log: The file that gets what is printed.
        stop: Ends the move when it is set.
    """

    work: Path
    kept: Path
    log: Path
    stop: threading.Event = field(default_factory=threading.Event)


def moved(order: Order, place: Place) -> Outcome:
    """Move a service and wait for it.

    Args:
        order: What to do.
        place: Where.

    Returns:
        How it ended.

    Raises:
        OSError: There is no place for the work or the log.
    """
    with tempfile.TemporaryDirectory(
        dir=place.work, prefix="move-", ignore_cleanup_errors=True
    ) as folder:
        given, told = Path(folder) / "order.json", Path(folder) / "told.json"
        given.write_text(json.dumps(order.as_data()), "utf-8")
        command: list[str | Path] = [sys.executable, "-I", WORKER, given, place.kept]
        with place.log.open("wb") as printed, told.open("wb") as outcome:
            printed.write(f"{order.service}\n".encode())
            printed.flush()
            with started(command, stdout=outcome, stderr=printed) as process:
                code = _waited(process, order.seconds, place.stop)
        if code is None:
            return failed(order, f"did not end within {order.seconds} s")
        if code:
            return failed(order, f"its process ended with {code}; {place.log.name} says more")
        return of_data(json.loads(told.read_text("utf-8")))


def _waited(process: subprocess.Popen[bytes], seconds: float, stop: threading.Event) -> int | None:
    """Return the exit code of a process, None if it takes longer or is to stop."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not stop.is_set():
        with suppress(subprocess.TimeoutExpired):
            return process.wait(SECONDS_BETWEEN_LOOKS)
    return None


def moved_for_another(order: Order) -> tuple[Outcome, bytes]:
    """Move a service for another machine, and return how it ended and the end of the log.

    Raises:
        OSError: There is no place for the work.
    """
    with tempfile.TemporaryDirectory(prefix="catalog-") as name:
        work = Path(name)
        outcome = moved(order, Place(work, TEMPLATES, work / "log"))
        return outcome, (work / "log").read_bytes()[-MOST_LOG:]


def swept(work: Path) -> None:
    """Take away what runs that were killed have left, but for what is still alive.

    Args:
        work: The folder that `moved` works in.
    """
    for folder in work.glob("move-*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def failed(order: Order, reason: str) -> Outcome:
    """Return the outcome of a move that could not say how it ended."""
    return Outcome(
        order.service, order.name, "failed", after=order.to, wave=order.wave, reason=reason
    )
