"""What the processes of a program hold in memory, as Linux counts it."""

import re
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from extensions.pins import ROOT
from hooks.processes import started

SECONDS_BETWEEN_LOOKS = 0.02


def watched(
    command: Sequence[str | Path], env: Mapping[str, str], fine: Collection[int] = (0,)
) -> tuple[str, float]:
    """Run a program to its end, and look at it and at all that it starts every 20 ms.

    Args:
        command: The program and its arguments, which runs in the root of this repository.
        env: Its environment.
        fine: The exit codes that it may end with.

    Returns:
        What it printed, and the most that one process of them held of anonymous memory, in MB: of
        what it has beside the pages of files, which it shares with others.

    Raises:
        CalledProcessError: It ended with another code.
    """
    most = 0.0
    with TemporaryFile() as printed:
        with started(command, env=env, folder=ROOT, stdout=printed) as process:
            while process.poll() is None:
                most = max(most, *map(_anonymous, _family(process.pid)))
                time.sleep(SECONDS_BETWEEN_LOOKS)
        if process.returncode not in fine:
            raise subprocess.CalledProcessError(process.returncode, command)
        printed.seek(0)
        return printed.read().decode(), most


def _family(number: int) -> Iterator[int]:
    """Yield a process and all that it has started and not yet lost.

    Source: https://man7.org/linux/man-pages/man5/proc_tid_children.5.html
    """
    yield number
    for children in Path(f"/proc/{number}/task").glob("*/children"):
        with suppress(OSError):  # it has ended
            for child in children.read_text().split():
                yield from _family(int(child))


def _anonymous(number: int) -> float:
    """Return the MB of a process, 0 if it has ended.

    Source: https://www.kernel.org/doc/Documentation/ABI/testing/procfs-smaps_rollup
    """
    with suppress(OSError):
        rollup = Path(f"/proc/{number}/smaps_rollup").read_text()
        if found := re.search(r"^Anonymous:\s+(\d+) kB$", rollup, re.MULTILINE):
            return int(found[1]) * 1024 / 1e6
    return 0.0
