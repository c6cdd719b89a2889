"""The README's commands, on a clean clone, as a new user pastes them."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from extensions.pins import ROOT
from maintenance.tables import BEGIN, PAGES, TABLES, written
from tests.answers import FRAMEWORKS

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_there_are_two_commands() -> None:
    assert len(COMMANDS) == 2
    assert all(command.count("\n") == 1 for command in COMMANDS)
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
