"""Requests that go on while something else happens, each of which must be answered with 200."""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lab.servers import HOST

PAUSE = 0.01
TIMEOUT = 20.0
CLIENTS = 6


@dataclass
class Load:
    """What came of the requests.

    Attributes:
        answers: How often each body came with 200.
        failures: What came instead, or why nothing came.
    """

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@contextmanager
def under_load(port: int, *paths: str) -> Iterator[Load]:
    """Ask for paths all the time until the block ends, and until the last answer is there.

    Args:
        port: On 127.0.0.1.
        paths: Each has clients of its own: some keep their connection, some connect each time.

    Yields:
        What has come until now.
    """
    load, ending = Load(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_ask(load, port, paths, ending)))
    thread.start()
    try:
        yield load
    finally:
        ending.set()
        thread.join()


async def _ask(load: Load, port: int, paths: tuple[str, ...], ending: threading.Event) -> None:
    clients = [(path, number % 2 == 0) for path in paths for number in range(CLIENTS)]
    await asyncio.gather(*(_client(load, port, *client, ending) for client in clients))


async def _client(load: Load, port: int, path: str, is_kept: bool, ending: threading.Event) -> None:
    while not ending.is_set():
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
        except OSError as reason:
            load.failures.append(f"{path}: {reason!r}")
            await asyncio.sleep(PAUSE)
            continue
        try:
            while await _request(load, reader, writer, path) and is_kept and not ending.is_set():
                await asyncio.sleep(PAUSE)
        except (OSError, EOFError, TimeoutError) as reason:
            load.failures.append(f"{path}: {reason!r}")
        writer.close()
        await asyncio.sleep(PAUSE)


async def _request(
    load: Load, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
) -> bool:
    """Send a request, count what comes, and tell whether the connection stays."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    async with asyncio.timeout(TIMEOUT):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"^content-length: (\d+)\r$", head, re.MULTILINE)
        body = (await reader.readexactly(int(length[1]))).decode() if length else ""
    if head.startswith("http/1.1 200 "):
        load.answers[body] += 1
    else:
        load.failures.append(f"{path}: {head.splitlines()[0]}")
    return "\nconnection: close" not in head
