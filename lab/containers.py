"""Images and containers, as people make them with the docker command."""

import http.client
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hooks.image import LOCKED_DOWN, SECONDS_TO_TURN_HEALTHY
from hooks.toolchain import numbers
from lab.stand_ins import IMAGES, Provided

# For tests that need no link-time optimisation, which takes most of an edit's seconds.
WITHOUT_LTO = "--build-arg=CARGO_PROFILE_RELEASE_LTO=off"


@dataclass(frozen=True)
class Built:
    """What a build printed and made."""

    image: str
    log: str

    @property
    def compiled(self) -> list[str]:
        """The crates that Cargo compiled, in order."""
        return re.findall(r"^#\d+ [\d.]+ +Compiling (\S+) v", self.log, re.MULTILINE)

    @property
    def downloaded(self) -> list[str]:
        """The crates that Cargo downloaded."""
        return re.findall(r"^#\d+ [\d.]+ +Downloaded (\S+) v", self.log, re.MULTILINE)


class BuildFailed(Exception):
    """A build ended with an error; the message is all that it printed."""


@dataclass(frozen=True)
class Docker:
    """A client, and the base images that its engine has."""

    provided: Provided

    @property
    def client(self) -> str:
        """The program."""
        return self.provided.engine.client

    def __call__(self, *arguments: str | Path) -> str:
        """Run a command and return what it printed."""
        ended = subprocess.run(
            [self.client, *arguments], capture_output=True, check=False, text=True
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def readable(self, dockerfile: str) -> str:
        """Return a Dockerfile without its `# syntax` line, if the engine cannot pull a frontend."""
        return dockerfile if self.provided.frontend else re.sub(r"\A# syntax=.*\n+", "", dockerfile)

    def build(
        self, folder: Path, *options: str, dockerfile: str | None = None, **environment: str
    ) -> Built:
        """Build the image of a service.

        Args:
            folder: The context, with a Dockerfile.
            options: More options of `docker build`.
            dockerfile: What to build instead of the Dockerfile.
            environment: Variables for the client.

        Raises:
            BuildFailed: The build did not end well.
        """
        process = self.start_build(folder, *options, dockerfile=dockerfile, **environment)
        return self.end_build(process)

    def start_build(
        self, folder: Path, *options: str, dockerfile: str | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        """Start what `build` does, and return while it runs."""
        text = self.readable(dockerfile or (folder / "Dockerfile").read_text("utf-8"))
        process = subprocess.Popen(
            [self.client, "build", "--progress=plain", *options, "--file=-", folder],
            env={**os.environ, "DOCKER_BUILDKIT": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin
        process.stdin.write(text)
        process.stdin.close()
        process.stdin = None
        return process

    def end_build(self, process: subprocess.Popen[str]) -> Built:
        """Wait for a build that was started."""
        log, _ = process.communicate()
        if process.returncode:
            raise BuildFailed(log)
        # Where containerd stores images, they are called as their manifest, or the list of those.
        exported = r"(?:writing image|exporting manifest(?: list)?) (sha256:[0-9a-f]{64})"
        images = re.findall(exported, log)
        return Built(images[-1], log)

    def inspect(self, thing: str) -> dict[str, Any]:
        """Return what the engine knows of an image or a container."""
        result: dict[str, Any] = json.loads(self("inspect", thing))[0]
        return result

    def file(self, image: str, path: str, to: Path) -> Path:
        """Copy a file out of an image and return where it is now."""
        container = self("create", image, "none")
        try:
            self("cp", "--follow-link", f"{container}:{path}", to)
        finally:
            self("rm", container)
        return to

    def archives(self, image: str, base: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of an image's configuration, then of each layer as an archive.

        Args:
            image: The image.
            base: Another image; its layers are left out.
        """
        skip = self.inspect(base)["RootFS"]["Layers"] if base else []
        with tempfile.NamedTemporaryFile(suffix=".tar") as file:
            self("save", "--output", file.name, image)
            with tarfile.open(file.name) as saved:
                (manifest,) = json.loads(_read(saved, "manifest.json"))
                config = _read(saved, manifest["Config"])
                yield manifest["Config"], config
                digests = json.loads(config)["rootfs"]["diff_ids"]
                for name, digest in zip(manifest["Layers"], digests, strict=True):
                    if digest not in skip:
                        yield name, _read(saved, name)

    def layers(self, image: str, base: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of an image's configuration, then of every file in its layers.

        Args:
            image: The image.
            base: Another image; its layers are left out.
        """
        config, *archives = self.archives(image, base)
        yield config
        for _, archive in archives:
            with tarfile.open(fileobj=io.BytesIO(archive)) as layer:
                for member in layer:
                    if member.isfile():
                        yield member.name, _read(layer, member)

    @contextmanager
    def started(self, image: str, port: int, *options: str) -> Iterator["Container"]:
        """Run an image locked down and with its port published, and wait until it is healthy."""
        container = self(
            "run", "--detach", *LOCKED_DOWN, "--health-interval=1s", *options,
            f"--publish=127.0.0.1::{port}", image,
        )  # fmt: skip
        try:
            running = Container(self, container, port)
            running.wait_until_healthy()
            yield running
        finally:
            self("rm", "--force", container)


def _read(archive: tarfile.TarFile, member: str | tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file
    return file.read()


@dataclass(frozen=True)
class Container:
    """A container that runs a service."""

    docker: Docker
    name: str
    port: int

    def wait_until_healthy(self) -> None:
        """Wait until HEALTHCHECK has found the service well."""
        deadline = time.monotonic() + SECONDS_TO_TURN_HEALTHY
        while True:
            state = self.docker.inspect(self.name)["State"]
            if state["Health"]["Status"] == "healthy":
                return
            assert state["Running"], self.docker("logs", self.name)
            assert time.monotonic() < deadline, state["Health"]
            time.sleep(0.1)

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        """Ask the service from outside, on its own port or another, and return status and body."""
        published = self.docker("port", self.name, str(port or self.port)).splitlines()[0]
        host, _, outside = published.rpartition(":")
        connection = http.client.HTTPConnection(host, int(outside), timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, body

    def process(self) -> dict[str, str]:
        """Return what the kernel says of the first process, from `/proc/PID/status`."""
        pid = self.docker.inspect(self.name)["State"]["Pid"]
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def huge_pages(self) -> int:
        """Return the kB of memory that the first process holds in transparent huge pages.

        https://docs.kernel.org/admin-guide/mm/transhuge.html
        """
        # To us, the kernel may refuse it; a container of the same user may read it.
        user = self.docker.inspect(self.name)["Config"]["User"]
        same = [f"--pid=container:{self.name}", f"--user={user}"]
        text = self.docker("run", "--rm", *same, IMAGES["alpine"], "cat", "/proc/1/smaps_rollup")
        found = re.search(r"^AnonHugePages: +(\d+) kB$", text, re.MULTILINE)
        assert found
        return int(found[1])

    def exit_code(self) -> int:
        """Wait for the end and return how it ended."""
        return int(self.docker("wait", self.name))


def elf(binary: Path) -> str:
    """Return what readelf says of a program: its header, its segments and what it needs."""
    command = ["readelf", "--wide", "--file-header", "--segments", "--dynamic", str(binary)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def newest_symbol(binary: Path, prefix: str = "GLIBC_") -> tuple[int, ...]:
    """Return the newest version of glibc that a program asks for."""
    command = ["readelf", "--wide", "--version-info", str(binary)]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return max(numbers(found) for found in re.findall(rf"{prefix}([0-9.]+)", text))
