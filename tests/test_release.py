"""`bin/release` says what is left to do before the template is tagged."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.repository import commit, git
from lab.versions import replace
from maintenance.release import Lacks, Release, version
from tests.conftest import need

Check = Callable[..., tuple[int, dict[str, str]]]
# What is checked without a network.
HERE = ("version", "tree", "changelog", "questions", "files")


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    """Return a repository of the template with the version 1.0.0, and a changelog for 1.1.0."""
    need("cargo", "https://rustup.rs")
    folder = shutil.copytree(template, tmp_path / "template", symlinks=True)
    git(folder, "init", "--quiet")
    commit(folder)
    git(folder, "tag", "1.0.0")
    changes = folder / "CHANGELOG.md"
    changes.write_text("# Changelog\n\n## 1.1.0\n\n- Images are smaller.\n")
    commit(folder)
    return folder


@pytest.fixture
def check(repository: Path) -> Check:
    """Return a function that runs the command, and returns its exit code and lines."""

    def run(version: str, *only: str) -> tuple[int, dict[str, str]]:
        ended = subprocess.run(
            [sys.executable, "-m", "maintenance.release", version, *only],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        lines = [line for line in ended.stdout.splitlines() if line[:5] in {"ok   ", "LACKS"}]
        return ended.returncode, {line[7:].split(":")[0]: line for line in lines}

    return run


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("1.0.0", "must be newer than 1.0.0"),
        ("0.9", "must be newer than 1.0.0"),
        ("v1.1.0", "must be written 1.1.0"),
        ("next", "is no PEP 440 version"),
        ("20261126", "could be the name of a commit"),
    ],
)
def test_a_version_that_copier_would_not_find(wanted: str, reason: str) -> None:
    with pytest.raises(Lacks, match=reason):
        version(Release(wanted, "1.0.0"))


def test_what_owners_must_be_told(repository: Path, check: Check) -> None:
    code, said = check("1.1.0", *HERE)
    for name in HERE:
        assert said[name].startswith("ok   "), said[name]
    assert code == 0

    replace(repository / "copier.yml", "\nowner:\n", "\nteam:\n")
    fastest = "value: speed\n      validator: \"{{ 'speed' | refusal('profile') }}\"\n"
    replace(repository / "copier.yml", f"    Fastest binary:\n      {fastest}", "")
    git(repository, "rm", "-r", "--quiet", "frameworks/rocket")
    git(repository, "mv", "template/README.md.jinja", "template/ABOUT.md.jinja")
    code, said = check("1.2.0", *HERE)
    assert code == 1
    assert said["tree"] == "LACKS  tree: there are changes that are not committed"
    assert "CHANGELOG.md needs a section `## 1.2.0` with an entry" in said["changelog"]
    commit(repository)
    _, said = check("1.2.0", *HERE)
    assert "owner is gone: renames.toml or the changelog" in said["questions"]
    assert "README.md is gone: renames.toml or the changelog" in said["files"]

    (repository / "renames.toml").write_text(
        '[[questions]]\nwas = "owner"\nis = "team"\nsince = "1.2.0"\n\n'
        '[[files]]\nwas = "README.md"\nis = "ABOUT.md"\nsince = "1.2.0"\n'
    )
    commit(repository)
    _, said = check("1.2.0", *HERE)
    assert "must say what follows `" in said["questions"]
    assert said["files"].startswith("ok   ")
    with (repository / "CHANGELOG.md").open("a") as changes:
        changes.write("\n## 1.2.0\n\n- `profile=speed` is gone; take `size`.\n")
    commit(repository)
    _, said = check("1.2.0", *HERE)
    assert "must say what follows `framework=rocket`" in said["questions"]
    with (repository / "CHANGELOG.md").open("a") as changes:
        changes.write("- `framework=rocket` is gone; take `actix`.\n")
    commit(repository)
    _, said = check("1.2.0", *HERE)
    for name in HERE:
        assert said[name].startswith("ok   "), said[name]


@pytest.mark.slow
def test_locks_that_are_not_renewed(repository: Path, check: Check) -> None:
    lock = repository / "frameworks" / "actix" / "Cargo.lock"
    subprocess.run(
        ["cargo", "update", "--quiet", "itoa", "--precise=1.0.17"], cwd=lock.parent, check=True
    )
    text = (repository / "requirements.lock").read_text()
    (repository / "requirements.lock").write_text(text.replace("copier==", "copier==0", 1))
    code, said = check("1.1.0")
    assert set(said) == {*HERE, "crates", "packages"}
    assert code == 1
    assert "itoa" in said["crates"]
    assert "can move; bin/renew renews the locks" in said["crates"]
    assert "requirements.lock is not the newest" in said["packages"]
