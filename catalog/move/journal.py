"""The journal of a move: what is known already, so that a run after this one need not ask again.

The branches in the remotes are the truth. A journal that is lost costs questions alone.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from catalog.move.outcome import Outcome, of_data
from catalog.move.plan import Plan

FILE = "journal.jsonl"


class Busy(Exception):
    """Another run carries out the same plan; the message says which."""


class OtherPlan(Exception):
    """A journal belongs to another plan; the message is one line that says what helps."""


@dataclass
class Known:
    """What a journal says.

    Attributes:
        outcomes: The last outcome of each service, by its key.
        opened: The commits of branches for which `--open` was called.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)


def folder_of(plan: Path) -> Path:
    """Return the folder beside a plan that has its journal, its logs and its work."""
    return plan.with_suffix(".run")


def read(file: Path, plan: Plan) -> Known:
    """Read a journal; a line that was torn, as by a full disk, is as if it were not there.

    Args:
        file: It; one that is not there says nothing.
        plan: The plan that it must belong to.

    Raises:
        OSError: It cannot be read.
        OtherPlan: It belongs to another one.
    """
    found = Known()
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return found
    # Lines count in their order: clocks go back.
    for line in lines:
        try:
            entry = json.loads(line)
            if "plan" in entry and entry["plan"] != _identity(plan):
                raise OtherPlan(
                    f"{file}: is of a move to {entry['plan'].get('to')} on the branch "
                    f"{entry['plan'].get('branch')}; give the plan another name"
                )
            if "opened" in entry:
                found.opened.add(entry["opened"])
            if "outcome" in entry:
                outcome = of_data(entry)
                found.outcomes[outcome.service] = outcome
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


class Journal:
    """A journal that is written: each line is on the disk before the next thing is done."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write to the end of an open file."""
        self._file = file

    def add(self, outcome: Outcome, time: str) -> None:
        """Note how the move of a service ended, and when."""
        self._write({**outcome.as_data(), "time": time})

    def opened(self, outcome: Outcome, time: str) -> None:
        """Note that the command for a pushed branch was called."""
        self._write({"opened": outcome.commit, "service": outcome.service, "time": time})

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry, default=str).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def kept(folder: Path, plan: Plan) -> Iterator[tuple[Journal, Known]]:
    """Open the journal of a plan, for one run at a time.

    Args:
        folder: That of the plan, which is made.
        plan: The plan.

    Raises:
        Busy: Another run has it.
        OSError: It cannot be written.
        OtherPlan: It belongs to another plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+b") as lock, (folder / FILE).open("a+b") as file:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            number = lock.read(20).decode("ascii", "replace").strip()
            raise Busy(f"process {number or '(unknown)'} carries out this plan") from None
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        known = read(folder / FILE, plan)
        journal = Journal(file)
        file.seek(0, os.SEEK_END)
        if file.tell() and not _ends_whole(file):
            file.write(b"\n")
        journal._write({"plan": _identity(plan)})
        yield journal, known


def _ends_whole(file: IO[bytes]) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _identity(plan: Plan) -> dict[str, str]:
    """Return what makes one plan another one: services and waves may change between runs."""
    return {"to": plan.to, "commit": plan.commit, "branch": plan.branch}
