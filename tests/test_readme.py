"""The README's commands, on a clean clone, as a new user pastes them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from extensions.pins import ROOT
from hooks.processes import started
from lab.rendering import COPIER
from lab.repository import commit, git
from lab.servers import free_port
from maintenance import sessions
from maintenance.tables import BEGIN, PAGES, TABLES, written
from maintenance.terminal import shell
from tests.answers import FRAMEWORKS
from tests.test_catalog import FORK, lead
from tests.test_emitted_readme import answer

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
PLACEHOLDER = "URL-OF-THIS-REPOSITORY"
# What a user does without a clone, and with one.
WITHOUT, COMMANDS = BLOCKS[:2], BLOCKS[2:4]


def test_there_are_two_commands() -> None:
    assert all(command.count("\n") == 1 for command in (*WITHOUT, *COMMANDS))
    assert COMMANDS[0].startswith("bin/copier copy ")
    assert COMMANDS[1] == "bin/test\n"
    assert "bin/test" in (ROOT / ".ci" / "run").read_text()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of this checkout, with what is not committed yet committed in it."""
    folder = tmp_path_factory.mktemp("readme") / "clone"
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run([*git, "clone", "--quiet", ROOT, folder], check=True)
    changed = subprocess.run(
        ["git", "diff", "HEAD", "--binary"], cwd=ROOT, capture_output=True, check=True
    )
    if changed.stdout:
        subprocess.run([*git, "apply", "--index"], cwd=folder, input=changed.stdout, check=True)
        subprocess.run([*git, "commit", "--quiet", "-m", "uncommitted"], cwd=folder, check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_first_command_proves_a_service(framework: str, cargo: Path, clone: Path) -> None:
    command = COMMANDS[0].rstrip("\n")
    folder = clone.parent / "hello"
    if framework != "actix":  # whose release tests/test_images.py builds, starts and asks
        folder = clone.parent / framework
        command = f"{command.replace('../hello', f'../{framework}')} -d framework={framework}"
        command += " -d smoke=check"
    ended = subprocess.run(
        ["sh", "-c", command], cwd=clone, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert f"{folder.name} is proven:" in ended.stdout
    assert ("200 OK 'OK'" in ended.stdout) == (framework == "actix")
    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert recorded["framework"] == framework
    assert recorded["_src_path"] == str(clone)
    assert recorded["_commit"]


@pytest.mark.slow
def test_a_service_without_a_clone(
    cargo: Path, tagged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, {FORK: tagged, f"{FORK}.git": tagged})
    programs = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    monkeypatch.setenv("SMOKE", "none")
    copy, start = (command.rstrip("\n").replace(PLACEHOLDER, FORK) for command in WITHOUT)
    with shell(tmp_path, os.environ) as terminal:
        terminal.type(f"{copy}\r")
        for question, keys in (*sessions.ANSWERED, *sessions.LEFT):
            terminal.wait_for(question)
            terminal.type(keys)
        terminal.wait_for_prompt()
        assert not any("your colleagues" in line.plain for line in terminal.lines())
        monkeypatch.setenv("PORT", port := str(free_port()))
        with started(["sh", "-c", start], folder=tmp_path):
            assert answer(f"curl --silent --fail http://127.0.0.1:{port}/health") == "OK"


def test_a_service_from_a_clone_says_so_and_gets_a_url(
    two_versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, {FORK: two_versions, f"{FORK}.git": two_versions})
    monkeypatch.setenv("SMOKE", "none")
    command = [COPIER, "copy", "--trust", "--defaults", "--vcs-ref=1.0.0"]
    ended = subprocess.run(
        [*command, "--data=service_name=hello", two_versions, "hello"],
        cwd=tmp_path, capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert f"Its answers file records {two_versions}" in ended.stderr
    folder = tmp_path / "hello"
    (sed,) = [each for each in BLOCKS if each.startswith("sed ")]
    subprocess.run(["sh", "-c", sed.replace(PLACEHOLDER, FORK)], cwd=folder, check=True)
    git(folder, "init", "--quiet")
    commit(folder)
    subprocess.run([COPIER, "update", "--trust", "--defaults"], cwd=folder, check=True)
    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert (recorded["_src_path"], recorded["_commit"]) == (FORK, "2.0.0")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_what_is_offered(page: Path) -> None:
    text = page.read_text("utf-8")
    assert written(text) == text, "bin/renew tables writes them"


def test_every_table_has_a_page() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert [text.count(BEGIN.format(name)) for name in TABLES] == [1] * len(TABLES)
    assert "| `scratch` | nothing |" in TABLES["runtimes"]()
    assert "| `smoke` | `build` |" in TABLES["questions"]()
    with pytest.raises(ValueError, match="the table runtimes has no end"):
        written(BEGIN.format("runtimes"))
