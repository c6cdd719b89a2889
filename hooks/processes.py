"""Child processes that never outlive this one, with their output shown and logged."""

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

SECONDS_TO_STOP = 3.0
SECONDS_BETWEEN_LOOKS = 0.1

# Colours and cursor movements, https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


class Stopped(Exception):
    """A signal asked for the end; `number` is that signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def stoppable(*, outlives_parent: bool = False) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and the death of the parent process into `Stopped`, once.

    Args:
        outlives_parent: Whether the parent may end before this does.
    """

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    if not outlives_parent:
        threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
    yield


def _follow_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def started(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a process group of its own, and end the whole group with the block.

    Args:
        command: The program and its arguments.
        env: Its environment, that of this process by default.
        folder: Where it runs, the current folder by default.
        stdout: Where its output goes, as `subprocess.Popen` takes it.
        stderr: Where its errors go, likewise.

    Yields:
        The running process.
    """
    process = subprocess.Popen(
        command,
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End all that a process has started, and itself if it runs: SIGTERM first, then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS: no permission to kill the dead
            break
        deadline = time.monotonic() + SECONDS_TO_STOP
        while time.monotonic() < deadline and _has_group(process):
            time.sleep(SECONDS_BETWEEN_LOOKS / 10)
    process.wait()


def _has_group(process: subprocess.Popen[bytes]) -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def run_logged(
    command: Sequence[str | Path],
    log: IO[bytes],
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdout: IO[bytes] | None = None,
) -> int:
    """Run a program to its end; show what it prints on stderr as it comes, and log it.

    Args:
        command: The program and its arguments.
        log: Gets the same text without colours and with one line for each state of a progress bar.
        env: Its environment, that of this process by default.
        folder: Where it runs, the current folder by default.
        stdout: If given, gets the program's standard output instead, which is not shown.

    Returns:
        The exit code, negative for a signal.
    """
    into = (subprocess.PIPE, subprocess.STDOUT) if stdout is None else (stdout, subprocess.PIPE)
    with started(command, env=env, folder=folder, stdout=into[0], stderr=into[1]) as process:
        pipe = process.stdout or process.stderr
        assert pipe is not None
        while True:
            if not select.select([pipe], [], [], SECONDS_BETWEEN_LOOKS)[0]:
                # What the program leaves running may hold the pipe for as long as it likes.
                if process.poll() is not None:
                    break
                continue
            if not (chunk := os.read(pipe.fileno(), 65536)):
                break
            sys.stderr.buffer.write(chunk)
            sys.stderr.buffer.flush()
            log.write(ESCAPES.sub(b"", chunk).replace(b"\r", b"\n"))
        log.flush()
        return process.wait()


def run(
    *command: str, env: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in a folder if one is given, and return what it printed."""
    return subprocess.run(
        command,
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def run_within(
    seconds: float | None,
    *command: str,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Do what `run` does, and end with the program all that it has started.

    Args:
        seconds: How long it may take; None for as long as it likes.
        command: The program and its arguments.
        env: Its environment, that of this process by default.
        folder: Where it runs, the current folder by default.

    Raises:
        TimeoutExpired: It takes longer.
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(command, env=env, folder=folder, **pipes) as process:
        printed = process.communicate(timeout=seconds)
    texts = [each.decode("utf-8", "replace") for each in printed]
    return subprocess.CompletedProcess(command, process.returncode, *texts)


def run_whole(*command: str) -> subprocess.CompletedProcess[str]:
    """Do what `run` does, to the end even if a signal is to stop this process.

    When a client dies, its engine still does what the client asked. So a container that is being
    started can be removed only once its client has ended.
    """
    # Unlike subprocess.run, this waits for the program when an exception ends the block.
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def last_line(text: str) -> str:
    """Return the last line that a program printed, which mostly says why it failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
