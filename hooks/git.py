"""Git, as the hooks run it: in the current folder, and by no setting that would change a result."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from extensions.surroundings import neutral

# Git merges trees without a working tree since then: `git merge-tree --write-tree`,
# https://git-scm.com/docs/git-merge-tree
NEEDED = (2, 38)

# Where git finds no repository: the settings of one, which can name programs, may be a stranger's.
OUTSIDE = Path(Path(__file__).anchor)

# Who writes the commits that a merge needs; no branch has them.
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "Copier"),
        ("EMAIL", "copier@copier"),
        ("DATE", "2000-01-01T00:00:00Z"),
    )
}
MERGE = {
    "diff.renameLimit": "1000",
    "merge.conflictStyle": "merge",
    "merge.directoryRenames": "true",
    "merge.renameLimit": "1000",
    "merge.renames": "true",
}


class GitFailed(Exception):
    """A call of git failed; the message is what git said."""


def quiet() -> dict[str, str]:
    """Return the environment of a git that asks for no password and is led by nothing around it."""
    return {**neutral(os.environ), "GIT_TERMINAL_PROMPT": "0"}


def git(
    *arguments: str | Path,
    folder: Path | None = None,
    given: bytes = b"",
    index: Path | None = None,
    settings: Mapping[str, str] = MERGE,
    accepted: Iterable[int] = (0,),
) -> bytes:
    """Run git to its end and return what it printed.

    Args:
        arguments: What follows `git`.
        folder: Where it runs, the current folder by default.
        given: Its standard input.
        index: The index that it uses, the repository's own by default.
        settings: What is set for this call.
        accepted: The exit codes that are no failure.

    Raises:
        GitFailed: It ended with another code.
    """
    environment = {**quiet(), **AUTHOR}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    options = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
    ended = subprocess.run(
        ["git", *options, *arguments],
        cwd=folder,
        input=given,
        env=environment,
        capture_output=True,
        check=False,
    )
    if ended.returncode not in accepted:
        lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        said = lines[-1] if lines else f"exit {ended.returncode}, and it says nothing"
        raise GitFailed(f"git {arguments[0]}: {said}")
    return ended.stdout


def lines(*arguments: str | Path, folder: Path | None = None) -> list[str]:
    """Run git with `-z`, and return the names that it printed."""
    printed = git(arguments[0], "-z", *arguments[1:], folder=folder)
    return [os.fsdecode(name) for name in printed.split(b"\0") if name]


def word(*arguments: str | Path, folder: Path | None = None) -> str:
    """Run git and return the one line that it printed."""
    return os.fsdecode(git(*arguments, folder=folder)).removesuffix("\n")
