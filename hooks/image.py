"""The image of a service: built, started locked down and stopped, with nothing left behind."""

import json
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hooks import service
from hooks.engine import Engine
from hooks.processes import last_line, run, run_logged, run_whole

# How a platform team runs a container, which may write nothing and become no other user.
LOCKED_DOWN = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
SECONDS_TO_TURN_HEALTHY = 30.0
SECONDS_BETWEEN_LOOKS = 0.1
PORT = 8080  # where an image exposes none
SECONDS_TO_STOP = 10  # https://docs.docker.com/reference/cli/docker/container/stop/

# The Dockerfile mounts it as a secret; Cargo's own variable names the file.
CA_BUNDLE = "CARGO_HTTP_CAINFO"
SYNTAX = re.compile(r"\A# syntax=(\S+)\n+")


class BuildFailed(Exception):
    """The image could not be built; the message says which command failed."""


@dataclass(frozen=True)
class Image:
    """An image and what it holds."""

    engine: Engine
    name: str
    size: int
    layers: int
    user: str
    port: int

    def __str__(self) -> str:
        """Sum it up, as in `1.05 MB, 1 layer, user 65532:65532`."""
        layers = f"{self.layers} layer{'' if self.layers == 1 else 's'}"
        return f"{self.size / 1e6:.2f} MB, {layers}, user {self.user}"


@dataclass(frozen=True)
class Container:
    """A container that runs an image, with its port published as `port` of 127.0.0.1.

    The engine watches it if the image has a HEALTHCHECK.
    """

    engine: Engine
    name: str
    port: int
    is_watched: bool


def unique_name(name: str) -> str:
    """Return a name for an image or a container that nobody else has."""
    return f"{name}-smoke-{secrets.token_hex(4)}"


def build(engine: Engine, name: str, token: str, log: IO[bytes]) -> Image:
    """Build the Dockerfile of the current folder, and show what the engine prints.

    Args:
        engine: Builds it.
        name: What the image is called.
        token: The one variable that the build is lent as a secret; "" for none. What else the
            Dockerfile asks for, it does not get.
        log: Gets what the engine prints.

    Returns:
        The image.

    Raises:
        BuildFailed: It could not be built.
    """
    dockerfile = Path("Dockerfile").read_text("utf-8")
    start = log.tell()
    code = _build(engine, name, dockerfile, token, log)
    syntax = SYNTAX.match(dockerfile)
    if code and syntax and _could_not_pull(syntax[1], start, log):
        print(
            f"smoke: {syntax[1]} cannot be pulled here; building with the engine's own frontend",
            file=sys.stderr,
        )
        code = _build(engine, name, SYNTAX.sub("", dockerfile), token, log)
    if code:
        raise BuildFailed(f"docker build ended with {code}")
    found = _inspect(engine, name)
    return Image(
        engine,
        name,
        found["Size"],
        len(found["RootFS"].get("Layers") or []),
        found["Config"]["User"],
        _port(dockerfile, found["Config"].get("ExposedPorts") or {}),
    )


def _port(dockerfile: str, exposed: Iterable[str]) -> int:
    """Return the port to ask: the first that the Dockerfile exposes, which the service is told."""
    ports = [port.partition("/")[0] for port in exposed]
    named = re.findall(r"^EXPOSE\s+([0-9]+)", dockerfile, re.MULTILINE | re.IGNORECASE)
    return int(next((port for port in named if port in ports), ports[0] if ports else PORT))


def _build(engine: Engine, name: str, dockerfile: str, token: str, log: IO[bytes]) -> int:
    secret = []
    if bundle := os.environ.get(CA_BUNDLE):
        secret += ["--secret", f"id=ca_bundle,src={bundle}"]
    if token:
        secret += ["--secret", f"id={token}"]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="smoke-") as file:
        file.write(dockerfile)
        file.flush()
        return run_logged(
            [
                *(engine.client, "build", "--progress=plain", *secret),
                *("--file", file.name, "--tag", name, "."),
            ],
            log,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
        )


def _could_not_pull(frontend: str, start: int, log: IO[bytes]) -> bool:
    """Tell whether a build stopped before its first step, since it had no frontend."""
    log.seek(start)
    printed = log.read().decode("utf-8", "replace")
    return f"resolve image config for docker.io/{frontend}" in printed and "] FROM " not in printed


def _inspect(engine: Engine, thing: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run(engine.client, "inspect", thing).stdout)[0]
    return result


@contextmanager
def running(image: Image, *, keep: bool) -> Iterator[Container]:
    """Run an image locked down, and wait until it has turned healthy.

    Args:
        image: The image.
        keep: Leave the container behind.

    Yields:
        The container; the end of the block removes it.

    Raises:
        Misbehaved: It ended, or did not turn healthy in 30 s.
    """
    client = image.engine.client
    name = image.name
    try:
        started = run_whole(
            *(client, "run", "--detach", "--name", name, *LOCKED_DOWN, "--health-interval=1s"),
            *("--env", f"PORT={image.port}"),
            *("--publish", f"{service.HOST}::{image.port}", image.name),
        )
        if started.returncode:
            raise service.Misbehaved(last_line(started.stderr))
        published = run(client, "port", name, f"{image.port}/tcp").stdout.splitlines()
        port = int(published[0].rpartition(":")[2]) if published else 0
        is_watched = _wait_until_healthy(image.engine, name, port)
        yield Container(image.engine, name, port, is_watched)
    finally:
        if not keep:
            run(client, "rm", "--force", name)


def _wait_until_healthy(engine: Engine, name: str, port: int) -> bool:
    """Wait until a container is healthy, or answers where the image has no HEALTHCHECK.

    Returns:
        Whether the image has one.

    Raises:
        Misbehaved: The container ended, or did neither in 30 s.
    """
    deadline = time.monotonic() + SECONDS_TO_TURN_HEALTHY
    while True:
        state = _inspect(engine, name)["State"]
        watched = state.get("Health")
        reason = "it was never asked"
        if not state["Running"]:
            ended = run(engine.client, "logs", name)
            raise service.Misbehaved(
                f"it ended with exit {state['ExitCode']}: {last_line(ended.stderr + ended.stdout)}"
            )
        if watched and watched["Status"] == "healthy":
            return True
        if watched and watched.get("Log"):
            reason = last_line(watched["Log"][-1]["Output"])
        if not watched:
            try:
                service.ask_health(port)
            except service.Misbehaved as misbehaved:
                reason = str(misbehaved)
            else:
                return False
        if time.monotonic() > deadline:
            raise service.Misbehaved(
                f"it was not healthy within {SECONDS_TO_TURN_HEALTHY:.0f} s: {reason}"
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)


def stop(container: Container) -> str:
    """Stop a container as an engine does: SIGTERM, and SIGKILL after 10 s.

    Returns:
        How it ended: `exit 0`.

    Raises:
        Misbehaved: It ended otherwise.
    """
    run(container.engine.client, "stop", f"-t{SECONDS_TO_STOP}", container.name)
    code = _inspect(container.engine, container.name)["State"]["ExitCode"]
    if code:
        raise service.Misbehaved(f"it ended with exit {code}, not exit 0")
    return "exit 0"


def remove(engine: Engine, name: str) -> None:
    """Remove the name of an image if it exists, and the image if it has no other name."""
    run(engine.client, "image", "rm", "--force", name)
