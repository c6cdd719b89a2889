"""What moves services: several at a time, on this machine."""

import hashlib
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.move.order import Order
from catalog.move.outcome import Outcome
from catalog.move.single import CACHE, TEMPLATES, Place, moved, swept


class NoEngine(Exception):
    """An engine cannot be used; the message is one line that says why."""


@dataclass(frozen=True)
class Engine:
    """What moves services.

    Attributes:
        size: How many it moves at a time.
        submit: Begins the move of one; its future has the outcome.
    """

    size: int
    submit: Callable[[Order], "Future[Outcome]"]


@contextmanager
def local(folder: Path, jobs: int) -> Iterator[Engine]:
    """Move services in processes of this machine.

    Args:
        folder: That of the plan, for the logs.
        jobs: How many are moved at a time.
    """
    # Not beside the plan, which may be in a repository or a Cargo workspace of somebody's.
    work, logs = CACHE / "work" / hashlib.sha256(bytes(folder)).hexdigest()[:16], folder / "logs"
    for each in (work, logs):
        each.mkdir(parents=True, exist_ok=True)
    swept(work)
    pool, stop = ThreadPoolExecutor(jobs), threading.Event()

    def submit(order: Order) -> Future[Outcome]:
        return pool.submit(moved, order, Place(work, TEMPLATES, log_of(logs, order), stop))

    try:
        yield Engine(jobs, submit)
    finally:
        # Nothing more begins. What has begun is waited for, unless something is wrong here.
        if sys.exc_info()[0] is not None:
            stop.set()
        pool.shutdown(cancel_futures=True)


def log_of(logs: Path, order: Order) -> Path:
    """Return the file for the log of a service."""
    plain = re.sub(r"[^a-z0-9-]", "-", order.name.lower())[:60]
    return logs / f"{plain}-{hashlib.sha256(order.service.encode()).hexdigest()[:8]}.log"
