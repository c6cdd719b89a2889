"""The process that moves one service: an order in a file, an outcome on standard output.

It has limits of its own, and does not outlive what started it.
"""

import fcntl
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from catalog.move.attempt import attempt
from catalog.move.order import of_data
from hooks.processes import Stopped, stoppable

# A stranger's remote must not fill the disk; no file of a build is that large, in bytes.
LARGEST = 2 * 2**30


def limit(what: int, wanted: int) -> None:
    """Limit what this process and those that it starts may take, unless less is set already."""
    _, most = resource.getrlimit(what)
    resource.setrlimit(
        what, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
    )


def main() -> int:
    """Carry out the order in a file, in the folder of that, with the template in another one."""
    file, kept = map(Path, sys.argv[1:3])
    work = file.parent
    order = of_data(json.loads(file.read_text("utf-8")))
    limit(resource.RLIMIT_AS, order.memory * 2**20)
    limit(resource.RLIMIT_FSIZE, LARGEST)
    # Another run does not take the folder away while this one is alive.
    fcntl.flock(os.open(work, os.O_RDONLY), fcntl.LOCK_SH)
    outcome = sys.stdout
    sys.stdout = sys.stderr
    try:
        with stoppable():
            made = attempt(order, work, kept)
    except Stopped as stopped:
        # What it started is in its group, or in one that has ended with it.
        with suppress(ProcessLookupError):
            os.killpg(0, signal.SIGKILL)
        return 128 + stopped.number
    json.dump(made.as_data(), outcome, default=str)
    return 0


if __name__ == "__main__":
    sys.exit(main())
