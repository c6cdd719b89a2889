"""A registry of images on 127.0.0.1, which Debian's package docker-registry is.

Source: https://distribution.github.io/distribution/about/configuration/
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from hooks.processes import started
from lab.servers import free_port

SECONDS_TO_START = 10.0


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start an empty registry that takes every user, and end it with the block.

    Args:
        folder: Gets its configuration, its log and what is pushed.

    Yields:
        Its address as host:port.
    """
    address = f"127.0.0.1:{free_port()}"
    configuration = folder / "config.yml"
    configuration.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'storage'}}}}}\n"
        f"http: {{addr: {address}}}\n"
    )
    log = (folder / "log").open("wb")
    with log, started(["docker-registry", "serve", configuration], stdout=log, stderr=log):
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/v2/").close()
            except OSError:
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            else:
                break
        yield address


def tags(address: str, repository: str) -> set[str]:
    """Return the tags that a repository of the registry has; none where nothing was pushed."""
    try:
        with urllib.request.urlopen(f"http://{address}/v2/{repository}/tags/list") as answer:
            return set(json.load(answer)["tags"] or ())
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        return set()
