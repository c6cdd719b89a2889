"""How an update ends is one word, on the last line of its own and in a file for programs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.rendering import COPIER
from lab.repository import commit, git
from lab.versions import replace
from tests.conftest import Make, path_without

pytestmark = pytest.mark.slow


def update(folder: Path, *arguments: str, **variables: str) -> tuple[int, dict[str, object], str]:
    """Update a service; return the exit code, the outcome, and what was printed."""
    file = folder.with_name("outcome.json")
    file.unlink(missing_ok=True)
    ended = subprocess.run(
        [COPIER, "update", "--trust", "--defaults", *arguments],
        cwd=folder,
        env={**os.environ, "OUTCOME_FILE": f"../{file.name}", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(file.read_text("utf-8"))
    assert f"\nupdate: {told['outcome']}, " in ended.stderr
    assert told["seconds"] >= 0
    assert "Traceback" not in ended.stderr
    return ended.returncode, told, ended.stderr


def test_merged_then_current(make: Make) -> None:
    folder = make()
    code, told, _ = update(folder)
    assert (code, told["outcome"]) == (0, "merged")
    assert (told["before"], told["after"]) == ("1.0.0", "2.0.0")
    assert told["files"] == sorted(
        [".copier-answers.yml", ".dockerignore", "NOTES.md", "README.md", "src/routes.rs"]
    )
    commit(folder)
    code, told, stderr = update(folder, SMOKE="")
    assert (code, told["outcome"], told["files"]) == (0, "merged", [])
    assert "update: merged, at 2.0.0: nothing was proven, as was asked for\n" in stderr


def test_a_level_for_one_run(make: Make, cargo: Path) -> None:
    folder = make()
    code, told, _ = update(folder, SMOKE="check")
    assert (code, told["outcome"], told["reason"]) == (0, "proven", "")
    assert "smoke: none" in (folder / ".copier-answers.yml").read_text()
    commit(folder)
    replace(folder / ".copier-answers.yml", "smoke: none", "smoke: build")
    commit(folder)
    code, told, _ = update(folder)
    assert (code, told["outcome"]) == (0, "current")
    ended = subprocess.run(
        [COPIER, "update", "--trust", "--defaults"],
        cwd=folder,
        env={**os.environ, "SMOKE": "all"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert (
        "smoke: 'all' must be one of image, build, check, none; SMOKE of the environment"
        in ended.stderr
    )


def test_a_conflict(make: Make) -> None:
    folder = make()
    replace(folder / "README.md", "## Ship it", "## My way")
    commit(folder)
    code, told, _ = update(folder)
    assert (code, told["outcome"]) == (1, "conflict")
    assert str(told["reason"]).startswith("README.md; nothing was built")


def test_a_proof_that_fails(make: Make, cargo: Path) -> None:
    folder = make()
    with (folder / "src" / "main.rs").open("a") as main:
        main.write("fn broken( {}\n")
    commit(folder)
    code, told, _ = update(folder, SMOKE="check")
    assert (code, told["outcome"]) == (1, "failed")
    assert told["reason"] == "not proven: cargo check --locked ended with 101"


@pytest.mark.parametrize("by_name", [False, True])
def test_what_was_asked_for_by_name_and_not_done(
    by_name: bool, make: Make, cargo: Path, tmp_path: Path
) -> None:
    folder = make()
    replace(folder / ".copier-answers.yml", "smoke: none", "smoke: build")
    commit(folder)
    path = path_without("cargo", tmp_path / "bin")
    if by_name:
        ended = subprocess.run(
            [COPIER, "update", "--trust", "--defaults", "--data=smoke=build"],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 1
        assert "smoke: build cannot run here: cargo is not installed" in ended.stderr
        shutil.rmtree(tmp_path / "bin")
    else:
        code, told, _ = update(folder, PATH=path)
        assert (code, told["outcome"]) == (0, "merged")
        assert str(told["reason"]).startswith("not proven: build cannot run here: cargo is not")


def test_a_refusal(make: Make) -> None:
    folder = make()
    git(folder, "update-index", "--skip-worktree", "README.md")
    (folder / "README.md").write_text("mine\n")
    code, told, _ = update(folder)
    assert (code, told["outcome"], told["files"]) == (1, "refused", [])
    assert str(told["reason"]).startswith("README.md: has an edit that git is told not to show")
