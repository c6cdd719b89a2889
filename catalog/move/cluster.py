"""Moves services on the workers of a Dask cluster, which have this program installed too.

Whoever can talk to a scheduler can run anything on its workers, and see what they are given. So
beyond this machine, TLS with certificates of both sides is a must:
https://distributed.dask.org/en/stable/tls.html
"""

import ipaddress
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from distributed import Client
from distributed.security import Security

from catalog.move.engines import Engine, NoEngine, log_of
from catalog.move.order import Order
from catalog.move.outcome import Outcome, of_data
from catalog.move.single import failed
from hooks.processes import last_line

# What a worker runs: its scheduler and the others need nothing of this program for that.
PROGRAM = ("catalog", "move-one")


@contextmanager
def dask(url: str, folder: Path) -> Iterator[Engine]:
    """Move services on the workers of a Dask cluster, which have this program installed.

    Args:
        url: `dask://HOST:PORT` of its scheduler.
        folder: That of the plan, for the logs.

    Raises:
        NoEngine: It cannot be reached, has no worker, or is another machine without TLS.
    """
    place = urlsplit(url)
    security = Security()
    safe = all(security.get_tls_config_for_role("client").get(each) for each in ("ca_file", "cert"))
    if not safe and not _is_here(place.hostname or ""):
        raise NoEngine(
            f"--engine {url}: needs TLS, since it is another machine; set distributed.comm.tls in "
            "Dask's configuration"
        )
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    address = f"{'tls' if safe else 'tcp'}://{place.netloc}"
    try:
        client = Client(address, security=security, timeout=10, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as reason:
        line = " ".join(str(reason).split())
        raise NoEngine(f"--engine {url}: cannot be reached: {line}") from None
    with client:
        size = sum(client.nthreads().values())
        if not size:
            raise NoEngine(f"--engine {url}: has no worker")
        executor = client.get_executor(retries=3, pure=False)

        def submit(order: Order) -> Future[Outcome]:
            given = json.dumps(order.as_data()).encode()
            sent = executor.submit(subprocess.run, PROGRAM, input=given, capture_output=True)
            return _kept(sent, order, log_of(logs, order))

        try:
            yield Engine(size, submit)
        finally:
            # What waits for a worker is taken back.
            executor.shutdown(wait=False)


def _kept(
    sent: "Future[subprocess.CompletedProcess[bytes]]", order: Order, log: Path
) -> "Future[Outcome]":
    """Return a future for what a worker did, whose log is written here."""
    found: Future[Outcome] = Future()

    def done(sent: "Future[subprocess.CompletedProcess[bytes]]") -> None:
        try:
            ended = sent.result()
        except CancelledError:
            found.set_exception(NoEngine("the scheduler is gone; the same command goes on"))
        except FileNotFoundError:
            found.set_exception(NoEngine("a worker has no program `catalog` on its PATH"))
        except Exception as reason:  # noqa: BLE001 (whatever a worker raises)
            line = " ".join(str(reason).split())
            found.set_result(failed(order, f"{type(reason).__name__}: {line[:200]}"))
        else:
            try:
                log.write_bytes(ended.stderr)
                found.set_result(_outcome(order, ended))
            except OSError as reason:
                found.set_exception(reason)

    sent.add_done_callback(done)
    return found


def _outcome(order: Order, ended: subprocess.CompletedProcess[bytes]) -> Outcome:
    try:
        return of_data(json.loads(ended.stdout))
    except (ValueError, KeyError, TypeError):
        why = last_line(ended.stderr.decode("utf-8", "replace"))
        return failed(order, f"`{' '.join(PROGRAM)}` ended with {ended.returncode}: {why}")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
