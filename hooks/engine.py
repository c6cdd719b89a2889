"""A container engine that builds through BuildKit, and the client that drives it."""

import os
import re
import shutil
from dataclasses import dataclass

from hooks.processes import run

# Before this release the client itself has BuildKit; from then on its plugin buildx has it:
# https://docs.docker.com/engine/release-notes/23.0/
FIRST_WITHOUT_BUILDKIT = 23


@dataclass(frozen=True)
class Engine:
    """A client and the engine it reaches."""

    client: str
    client_version: str
    version: str

    def __str__(self) -> str:
        """Name both, as in `docker 28.1.1 (/usr/local/bin/docker) with engine 20.10.24`."""
        return f"docker {self.client_version} ({self.client}) with engine {self.version}"


class NoEngine(Exception):
    """There is no engine to build with; the message says why, and what would help."""


def find() -> Engine:
    """Return the first docker client on the PATH that can build through BuildKit.

    Raises:
        NoEngine: No client reaches an engine, or none that does can use BuildKit.
    """
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    clients = [shutil.which("docker", path=folder) for folder in folders]
    reason = "docker is not installed; https://docs.docker.com/engine/install/ says how"
    for client in dict.fromkeys(clients):
        if client is None:
            continue
        answer = run(client, "version", "--format", "{{.Client.Version}} {{.Server.Version}}")
        if answer.returncode:
            lines = answer.stderr.strip().splitlines() or ["it does not say why"]
            reason = f"the container engine does not answer: {lines[-1]}"
            continue
        client_version, version = answer.stdout.split()
        if _has_buildkit(client, client_version):
            return Engine(client, client_version, version)
        reason = (
            f"docker {client_version} ({client}) cannot use BuildKit without its plugin buildx; "
            "https://github.com/docker/buildx#installing says how"
        )
    raise NoEngine(reason)


def _has_buildkit(client: str, version: str) -> bool:
    major = re.match(r"[0-9]+", version)
    if major and int(major[0]) < FIRST_WITHOUT_BUILDKIT:
        return True
    return run(client, "buildx", "version").returncode == 0
