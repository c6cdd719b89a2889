"""What is set around a copy or an update does not decide what it does, or is named in one line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lab.rendering import COPIER
from lab.repository import commit, git
from tests.conftest import Make

COPY = ("copy", "--trust", "--defaults", "--data=service_name=order-api", "--data=smoke=none")
Ended = subprocess.CompletedProcess[str]


def ran(command: list[str | Path], folder: Path, **variables: str) -> Ended:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def commit_of(folder: Path) -> object:
    return yaml.safe_load((folder / ".copier-answers.yml").read_text("utf-8"))["_commit"]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return a repository of the owner's, with a tag of its own."""
    folder = tmp_path / "mine"
    git(tmp_path, "init", "--quiet", str(folder))
    (folder / "file").write_text("mine\n")
    commit(folder)
    git(folder, "tag", "9.9.9")
    return folder


def test_a_copy_takes_the_version_of_the_template(
    two_versions: Path, mine: Path, tmp_path: Path, bin_copier: Path
) -> None:
    url = f"git+file://{two_versions}"
    around = {"GIT_DIR": str(mine / ".git"), "COPIER_CACHE_DIR": str(tmp_path / "cache")}
    plain = ran([COPIER, *COPY, url, tmp_path / "plain"], mine, **around)
    assert plain.returncode == 1
    assert "GIT_DIR: is set, so git would take the version of another repository" in plain.stderr
    assert not (tmp_path / "plain").exists()
    ours = ran([bin_copier, *COPY, url, tmp_path / "ours"], mine, **around)
    assert ours.returncode == 0, ours.stderr
    assert commit_of(tmp_path / "ours") == "2.0.0"


def test_a_copy_without_history_says_that_it_has_none(template: Path, tmp_path: Path) -> None:
    ended = ran([COPIER, *COPY, template, tmp_path / "service"], tmp_path)
    assert ended.returncode == 0
    assert "The template has no git history here, so the service cannot be updated" in ended.stderr


def test_an_update_from_an_alias_in_a_worktree(
    make: Make, tmp_path: Path, bin_copier: Path
) -> None:
    folder = make()
    git(folder, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    alias = f"alias.up=!{bin_copier} update --trust --defaults"
    ended = ran(["git", "-c", alias, "up"], tmp_path / "tree")
    assert ended.returncode == 0, ended.stderr
    assert commit_of(tmp_path / "tree") == "2.0.0"
    git(tmp_path / "tree", "checkout", "--quiet", "--", ".")
    around = {
        "GIT_DIR": git(tmp_path / "tree", "rev-parse", "--absolute-git-dir").strip(),
        "GIT_INDEX_FILE": str(tmp_path / "another-index"),
    }
    git(tmp_path / "tree", "clean", "--quiet", "-fd")
    again = ran([bin_copier, "update", "--trust", "--defaults"], tmp_path / "tree", **around)
    assert again.returncode == 0, again.stderr
    assert not (tmp_path / "another-index").exists()


def test_an_update_through_a_symbolic_link(make: Make, tmp_path: Path, bin_copier: Path) -> None:
    folder = make()
    (tmp_path / "link").symlink_to(folder)
    plain = ran([COPIER, "update", "--trust", "--defaults", "link"], tmp_path)
    assert plain.returncode == 1
    assert f"link: leads through a symbolic link; update {folder}\n" in plain.stderr
    assert git(folder, "status", "--short") == ""
    (tmp_path / "anywhere").symlink_to(bin_copier)
    command: list[str | Path] = [tmp_path / "anywhere", "update", "--trust", "--defaults", "link"]
    ended = ran(command, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert commit_of(folder) == "2.0.0"


def test_modules_of_a_relative_pythonpath_are_not_imported(make: Make, bin_copier: Path) -> None:
    folder = make()
    (folder / "yaml.py").write_text("raise SystemExit('mine')\n")
    commit(folder)
    command: list[str | Path] = [bin_copier, "update", "--trust", "--defaults"]
    ended = ran(command, folder, PYTHONPATH=".:relative")
    assert ended.returncode == 0, ended.stderr


def test_text_that_the_locale_cannot_read(
    two_versions: Path, tmp_path: Path, bin_copier: Path
) -> None:
    made = tmp_path / "service"
    arguments: list[str | Path] = [*COPY, "--data=description=Größe 🦀", two_versions, made]
    plain = ran([COPIER, *arguments], tmp_path, LC_ALL="POSIX", PYTHONUTF8="0")
    assert plain.returncode == 1
    assert "cannot be read in this locale; LC_ALL=C.UTF-8 in the environment" in plain.stderr
    assert not made.exists()
    ended = ran([bin_copier, *arguments], tmp_path, LC_ALL="POSIX", PYTHONUTF8="0")
    assert ended.returncode == 0, ended.stderr
    assert "Größe 🦀" in (made / "README.md").read_text("utf-8")


def test_a_bad_default_in_the_settings_of_copier(template: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults:\n  port: 80\n  owner: a b\n  stranger: 1\n")
    command: list[str | Path] = [COPIER, *COPY, "-d", "port=9000", template, tmp_path / "service"]
    ended = ran(command, tmp_path, COPIER_SETTINGS_PATH=str(settings))
    assert ended.returncode == 1
    assert "owner: 'a b' " in ended.stderr
    assert "; Copier's settings say so" in ended.stderr
    assert "port" not in ended.stderr
    assert not (tmp_path / "service").exists()


def test_a_bad_default_in_the_settings_does_not_matter_once_answered(
    service: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults:\n  owner: a b\n")
    command: list[str | Path] = [COPIER, "update", "--trust", "--defaults"]
    ended = ran(command, service, COPIER_SETTINGS_PATH=str(settings))
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("arguments", "content", "line"),
    [
        (["-d", "port"], "", "-d port: must be QUESTION=ANSWER, such as -d port=8080\n"),
        (["--data-file=a.yml"], "port: [\n", "--data-file a.yml: is no YAML at line 2\n"),
        (["--data-file=a.yml"], "- port\n", "--data-file a.yml: must be a mapping of questions"),
        (["--data-file=b.yml"], "", "--data-file b.yml: cannot be read: [Errno 2]"),
    ],
)
def test_answers_that_cannot_be_read(
    arguments: list[str], content: str, line: str, tmp_path: Path, bin_copier: Path, template: Path
) -> None:
    (tmp_path / "a.yml").write_text(content)
    ended = ran([bin_copier, *COPY, *arguments, template, tmp_path / "service"], tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "service").exists()


def test_nothing_is_written_over_what_is_there(template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "service"
    (folder / "src").mkdir(parents=True)
    (folder / "README.md").write_text("mine\n")
    (folder / "src" / "main.rs").write_text("mine\n")
    before = sorted(folder.rglob("*"))
    command: list[str | Path] = [COPIER, *COPY, template, folder]
    ended = ran(command, tmp_path)
    assert ended.returncode == 1
    line = (
        "src/main.rs, README.md: would be overwritten; --overwrite allows it, --skip FILE does not"
    )
    assert sorted(line.split(":", maxsplit=1)[0].split(", ")) == ["README.md", "src/main.rs"]
    assert any(
        said.startswith(("src/main.rs, README.md: would", "README.md, src/main.rs: would"))
        for said in ended.stderr.splitlines()
    ), ended.stderr
    assert sorted(folder.rglob("*")) == before
    assert (folder / "README.md").read_text() == "mine\n"
    kept = ran([*command[:-2], "--skip=README.md", "--skip=main.rs", *command[-2:]], tmp_path)
    assert kept.returncode == 0, kept.stderr
    assert (folder / "README.md").read_text() == "mine\n"
    forced = ran([*command, "--overwrite"], tmp_path)
    assert forced.returncode == 0, forced.stderr
    again = ran(command, tmp_path)
    assert again.returncode == 0, again.stderr
    shutil.rmtree(folder)
