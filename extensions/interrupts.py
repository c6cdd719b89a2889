"""Turns Ctrl-C and SIGTERM, while Copier writes, into an error that Copier cleans up after.

Copier removes a half-made project after an exception, but not after a KeyboardInterrupt or a
SIGTERM. It also kills a task at once, before the task can stop what it has started.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from copier import Phase
from copier.errors import UserMessageError

from .way_back import way_back

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_before: dict[int, Any] = {}
_state: dict[str, Any] = {"updating": False, "folder": "."}


def is_command() -> bool:
    """Tell whether this process is Copier's command; if not, its signals belong to the program."""
    return "copier._cli" in sys.modules


def follow(phase: Phase, operation: str | None, folder: object) -> None:
    """Hold SIGINT and SIGTERM while Copier renders and runs tasks, and then give them back.

    Args:
        phase: What Copier does now.
        operation: What it was asked for, `copy` or `update`, where that is known.
        folder: Where the service is.
    """
    if operation is not None:
        _state["updating"] = operation == "update"
    if phase is Phase.MIGRATE:  # then it is the service itself, not a folder to compare it with
        _state["folder"] = folder
    if threading.current_thread() is not threading.main_thread():
        return
    if phase in {Phase.RENDER, Phase.TASKS}:
        for number in SIGNALS:
            if number not in _before:
                _before[number] = signal.signal(number, _stop)
    elif phase is Phase.PROMPT:
        _give_back()


def left_behind() -> str:
    """Say what a run that ended too early has left behind, and how to go back."""
    if _state["updating"]:
        return f"nothing of yours is lost, and {way_back(_state['folder'])} goes back."
    return "nothing is left behind."


def _give_back() -> None:
    for number, handler in _before.items():
        signal.signal(number, handler)
    _before.clear()


def _stop(number: int, _frame: FrameType | None) -> None:
    phase = Phase.current()
    name = signal.Signals(number).name
    if phase in {Phase.TASKS, Phase.MIGRATE} and (children := _children()):
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
    elif signal.getsignal(signal.SIGINT) is not _stop:
        # A prompt has SIGINT: in an update, the earlier version still holds SIGTERM while the new
        # one asks. A prompt takes an exception for one more error, but Ctrl-C ends it well.
        os.kill(os.getpid(), signal.SIGINT)
    elif _state["updating"] or phase is Phase.RENDER:
        raise UserMessageError(f"Stopped by {name}; {left_behind()}")
    else:
        _give_back()
        os.kill(os.getpid(), number)


def _children() -> list[int]:
    """Return the processes that this one has started."""
    listing = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    if listing.exists():
        return [int(child) for child in listing.read_text().split()]
    return children_by_ps()


def children_by_ps() -> list[int]:
    """Return the processes that this one has started, where there is no /proc, as on macOS."""
    command = ["ps", "-A", "-o", "pid=,ppid="]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ps:
        table, _ = ps.communicate()
    pairs = [(int(pid), int(parent)) for pid, parent in map(str.split, table.splitlines())]
    return [pid for pid, parent in pairs if parent == os.getpid() and pid != ps.pid]
