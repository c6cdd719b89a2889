"""The services in `examples/` are what the template emits."""

import subprocess
from pathlib import Path

import pytest

from extensions.registry import frameworks
from maintenance.examples import ANSWERS, FOLDER, make

# The mode of a file and what it holds, by its path.
Files = dict[str, tuple[int, bytes]]


def files(folder: Path, names: list[str]) -> Files:
    found = {}
    for name in names:
        path = folder / name
        if path.is_file():
            found[name] = (path.stat().st_mode & 0o100, path.read_bytes())
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    make(folder)
    return folder


@pytest.mark.parametrize("example", ANSWERS)
def test_an_example_is_what_the_template_emits(example: str, made: Path) -> None:
    # What people build there is not part of it; git does not see it.
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "."],
        cwd=FOLDER / example,
        capture_output=True,
        check=True,
        text=True,
    )
    there = files(FOLDER / example, listed.stdout.split("\0"))
    emitted = [str(each.relative_to(made / example)) for each in (made / example).rglob("*")]
    wanted = files(made / example, emitted)
    differ = [name for name in there | wanted if there.get(name) != wanted.get(name)]
    assert not differ, "bin/renew examples makes them anew"


def test_every_framework_has_an_example() -> None:
    assert [answers.get("framework", "actix") for answers in ANSWERS.values()] == [*ANSWERS]
    assert {*ANSWERS} == {*frameworks()}
    assert {each.name for each in FOLDER.iterdir() if each.is_dir()} == {*ANSWERS}
