"""The programs of a clone install what the command at hand needs, and no more."""

import os
import subprocess
from pathlib import Path

import pytest

from extensions.pins import ROOT
from hooks.proof_asked_for import level
from tests.conftest import path_without


@pytest.mark.parametrize(
    ("arguments", "environment", "wanted"),
    [
        ("copy . x", {}, None),
        ("copy -d smoke=none . x", {}, "none"),
        ("copy -dsmoke=image . x", {}, "image"),
        ("copy --data=smoke=none --data smoke=check . x", {}, "check"),
        ("copy -d smoke=none . x", {"SMOKE": "build"}, "build"),
        ("copy . x", {"SMOKE": "none"}, "none"),
        ("copy --data-file=answers.yml . x", {}, "none"),
        ("copy --data-file=answers.yml -d smoke=build . x", {}, "build"),
        ("copy --data-file=there-is-none.yml . x", {}, None),
        ("copy --skip-tasks . x", {"SMOKE": "build"}, "none"),
    ],
)
def test_what_decides_how_far_a_proof_goes(
    arguments: str,
    environment: dict[str, str],
    wanted: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("answers.yml").write_text("smoke: none\n")
    assert level(arguments.split(), environment) == wanted


@pytest.mark.parametrize(("smoke", "installs"), [("none", False), ("check", True)])
def test_rust_is_installed_where_cargo_proves(
    smoke: str, installs: bool, bin_copier: Path, template: Path, tmp_path: Path
) -> None:
    """The machine lacks Rust, and its package manager notes what it is asked for."""
    programs = Path(path_without("cargo", tmp_path / "path"))
    for name, line in (("apt-get", 'echo "$@" >> "$ASKED"'), ("id", "echo 0")):
        (programs / name).unlink(missing_ok=True)
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    asked = tmp_path / "asked"
    around = {"PATH": str(programs), "HOME": str(tmp_path), "ASKED": str(asked)}
    ended = subprocess.run(
        [bin_copier, "copy", "--trust", "--defaults", "--data=service_name=order-api",
         f"--data=smoke={smoke}", template, tmp_path / "made"],
        cwd=ROOT, env={**os.environ, **around}, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert asked.exists() == installs
    assert not installs or "cargo-web" in asked.read_text()
    assert (ended.returncode == 0) == (tmp_path / "made").exists() == (not installs), ended.stderr
