"""The doctor on machines that lack something."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from extensions.pins import ROOT

NAMES = [
    "Python",
    "git",
    "git identity",
    "Copier",
    "extension loader",
    "Rust",
    "crates",
    "engine",
    "images",
    "disk",
]
Machine = Callable[[pytest.MonkeyPatch, Path], dict[str, str]]


def doctor(*arguments: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Run the doctor and return its exit code, and for each thing `ok` or `LACKS` and the text."""
    ended = subprocess.run(
        # Without site-packages: it runs before anything is installed.
        [sys.executable, "-S", ROOT / "hooks" / "doctor.py", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = {}
    for line in ended.stdout.splitlines():
        found, _, rest = line.partition(" ")
        name, _, text = rest.strip().partition(": ")
        lines[name] = (found, text)
    return ended.returncode, lines


def test_a_machine_that_makes_a_service(cargo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    for index, (key, value) in enumerate((("user.name", "Jane"), ("user.email", "j@x.org"))):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{index}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{index}", value)
    code, lines = doctor("--smoke=build")
    assert list(lines) == [name for name in NAMES if name not in {"engine", "images"}]
    assert code == 0, lines
    assert {found for found, _ in lines.values()} == {"ok"}
    assert lines["git identity"] == ("ok", "Jane <j@x.org>")


def test_every_level_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(doctor()[1]) == NAMES
    assert list(doctor("--smoke=none")[1]) == NAMES[:5]
    assert list(doctor("--smoke=image")[1]) == [*NAMES[:5], *NAMES[7:]]


def _nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setenv("PATH", str(tmp_path))
    return {
        "git": "it is not installed; on Debian, apt-get install git",
        "git identity": 'there is no user.name; git config --global user.name "Jane Doe"',
        "Rust": "cargo is not installed; https://rustup.rs installs it",
        "crates": "cargo is not installed, so nothing was tried",
        "engine": "docker is not installed; https://docs.docker.com/engine/install/ says how",
        "images": "there is no engine to pull them with",
    }


def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    for variable in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(variable, "/dev/null")
    monkeypatch.chdir(tmp_path)
    return {"git identity": 'there is no user.name; git config --global user.name "Jane Doe"'}


def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo-home"))
    monkeypatch.setenv("CARGO_HTTP_PROXY", "127.0.0.1:1")
    monkeypatch.setenv("CARGO_NET_RETRY", "0")
    return {"crates": "the crates cannot be downloaded: "}


def _engine_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    if shutil.which("docker") is None:
        return {}
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    return {"engine": "the container engine does not answer: "}


def _old_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.37.1\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return {"git": "2.37.1 is too old; `copier update` needs 2.38 or later to merge"}


@pytest.mark.parametrize("machine", [_nothing, _nobody, _offline, _engine_down, _old_git])
def test_what_is_lacking_has_its_remedy(
    machine: Machine, cargo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = machine(monkeypatch, tmp_path)
    code, lines = doctor()
    assert code == 1
    for name, text in lacking.items():
        assert lines[name][0] == "LACKS"
        assert lines[name][1].startswith(text)


def test_a_wrong_command_line() -> None:
    assert doctor("--smoke=all")[0] == 2


@pytest.mark.parametrize("found", [(3, 8, 1), (3, 10, 12)])
def test_an_older_python(found: tuple[int, int, int]) -> None:
    """No older Python is here: this one says it is one, and 3.8 can read the file."""
    file = ROOT / "hooks" / "doctor.py"
    ast.parse(file.read_text("utf-8"), feature_version=(3, 8))
    code = (
        f"import sys, runpy; sys.version_info = {(*found, 'final', 0)}\n"
        "sys.modules['tomllib'] = None\n"
        f"runpy.run_path({str(file)!r}, run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    version = ".".join(map(str, found))
    assert ended.stdout == f"LACKS  Python: {version} is too old; Copier needs 3.11 or later\n"
    assert ended.stderr == ""


@pytest.mark.parametrize(
    "first", ["#!/usr/bin/env python3", "#!/usr/bin/env bash", "#! /bin/sh -e", "\x7fELF\x00\xff"]
)
def test_a_copier_behind_a_shim(
    first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tmp_path / "copier"
    shim.write_bytes(f"{first}\nexit 1\n".encode("latin-1"))
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    _, lines = doctor("--smoke=none")
    assert list(lines) == NAMES[:5]
    assert lines["Copier"][0] == "ok"
