"""A Dask cluster on this machine."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hooks.processes import started

DASK = str(Path(sys.executable).with_name("dask"))


@contextmanager
def cluster(
    folder: Path, workers: int, env: Mapping[str, str] | None = None, protocol: str = "tcp"
) -> Iterator[str]:
    """Start a scheduler and workers, and end them with the block.

    Args:
        folder: Where they run and leave their files; it is made.
        workers: How many workers, each of which does one thing at a time.
        env: The environment of all of them, that of this process by default.
        protocol: How they talk; `tls` needs certificates in the settings of Dask.

    Yields:
        What `catalog update --engine` takes, when the scheduler knows all workers.

    Raises:
        AssertionError: One of them ended; the message has what they printed.
    """
    folder.mkdir(parents=True)
    told, printed = folder / "scheduler.json", folder / "log"
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    scheduler = [DASK, "scheduler", f"--host={protocol}://127.0.0.1", "--port=0", *common]
    worker = [DASK, "worker", "--nthreads=1", "--no-nanny", "--death-timeout=60", *common]
    with ExitStack() as left_open, printed.open("wb") as log:
        for number, command in enumerate([scheduler, *[worker] * workers]):
            program = left_open.enter_context(
                started(command, env=env, folder=folder, stdout=log, stderr=log)
            )
            while not told.exists() or printed.read_text().count("Register worker addr") < number:
                assert program.poll() is None, printed.read_text()
                time.sleep(0.1)
        address = json.loads(told.read_text())["address"]
        yield address.replace(f"{protocol}://", "dask://")
