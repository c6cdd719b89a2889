"""The commands in the README of a service, as its owner pastes them, one after the other."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from extensions.pins import ROOT
from hooks.processes import started
from hooks.service import SECONDS_TO_START
from lab.containers import Docker
from lab.servers import free_port
from tests.conftest import Copy

# What tests/test_compose.py runs, with a service that is ready and drains.
DEPLOYED = ("docker compose ", "deploy/compose/")
# Commands that go on until they are stopped, while the next one asks what they started.
SERVERS = ("cargo run", "docker run")


def test_each_command_does_what_it_says(
    docker: Docker, cargo: Path, render_tiny: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    folder = render_tiny(service_name="pasted", port=port)
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(docker.readable(dockerfile.read_text()))
    # `docker` is the client that reaches BuildKit here.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").symlink_to(docker.client)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_BUILDKIT", "1")

    readme = (folder / "README.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    found = [line for block in blocks for line in block.splitlines()]
    lines = [line for line in found if not line.startswith(DEPLOYED)]
    elsewhere = (ROOT / "tests" / "test_compose.py").read_text()
    for line in set(found) - set(lines):
        assert f'"{line}"' in elsewhere
    asked = next(line for line in lines if line.startswith("curl "))
    pasted = []
    for line in lines:
        if line.startswith(SERVERS):
            with started(["sh", "-c", f"exec {line}"], folder=folder):
                assert answer(f"{asked} --silent --fail") == "OK"
        elif line != asked:
            subprocess.run(["sh", "-c", line], cwd=folder, check=True)
        pasted.append(" ".join(line.split()[:2]))
    assert pasted == ["cargo run", asked, "cargo test", "cargo build", "docker build", "docker run"]
    docker("image", "rm", "--force", "pasted")


def answer(command: str) -> str:
    """Run a command until it succeeds, and return what it printed."""
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        ended = subprocess.run(["sh", "-c", command], capture_output=True, check=False, text=True)
        if not ended.returncode:
            return ended.stdout
        assert time.monotonic() < deadline, ended.stderr
        time.sleep(0.2)
