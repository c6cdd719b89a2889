"""A container engine whose builds go through BuildKit."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path


def _clients() -> list[str]:
    folders = os.environ["PATH"].split(os.pathsep)
    found = [shutil.which("docker", path=folder) for folder in folders]
    return [client for client in dict.fromkeys(found) if client]


def _builds_with_buildkit(client: str) -> bool:
    """Tell whether a client can: before 23.0 it has BuildKit inside, after that it is a plugin."""
    version = subprocess.run([client, "--version"], capture_output=True, text=True, check=False)
    major = re.search(r"version ([0-9]+)\.", version.stdout)
    if major and int(major[1]) < 23:
        return True
    plugin = subprocess.run([client, "buildx", "version"], capture_output=True, check=False)
    return plugin.returncode == 0


@cache
def client() -> str | None:
    """Return the first docker client that reaches an engine and builds with BuildKit."""
    for candidate in _clients():
        info = subprocess.run([candidate, "info"], capture_output=True, check=False)
        if info.returncode == 0 and _builds_with_buildkit(candidate):
            return candidate
    return None


def labels(dockerfile: str, folder: Path) -> dict[str, str]:
    """Build a Dockerfile that needs no base image and return the labels of the image."""
    program = client()
    assert program
    (folder / "Dockerfile").write_text(dockerfile, "utf-8")
    image_file = folder / "image"
    subprocess.run(
        [program, "build", "--quiet", "--iidfile", image_file, "."],
        cwd=folder,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        check=True,
        capture_output=True,
    )
    image = image_file.read_text()
    inspected = subprocess.run(
        [program, "image", "inspect", image], capture_output=True, check=True, text=True
    )
    subprocess.run([program, "image", "rm", "--force", image], capture_output=True, check=False)
    result: dict[str, str] = json.loads(inspected.stdout)[0]["Config"]["Labels"]
    return result
