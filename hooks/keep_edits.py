"""Keeps an owner's edits in files that the template no longer has, or has elsewhere.

Copier removes every file that a version no longer emits, edited or not. It takes a file that moved
for one that is gone and one that is new. So this puts edited files back, or merges the edits into
the file's new place. It runs in the folder of the service, once the update is merged.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from extensions.renames import renames_since
from hooks.processes import last_line, run

# The names that Copier gives to the three sides of a conflict.
SIDES = ("-L", "before updating", "-L", "last update", "-L", "after updating")


def comments_gone(answers_file: str) -> list[str]:
    """Return a line for each comment that the owner had in the answers file, which Copier rewrites.

    Args:
        answers_file: Where the answers are recorded, relative to the service.
    """
    now = Path(answers_file).read_text("utf-8").splitlines()
    # The first line is the template's own.
    before = _at_head(answers_file).decode("utf-8").splitlines()[1:]
    return [
        f"{answers_file}: is written by Copier, so this line of yours is gone: {line}"
        for line in before
        if line.startswith("#") and line not in now
    ]


def keep(answers_file: str) -> list[str]:
    """Put back what the owner has edited in files that the update has removed.

    Args:
        answers_file: Where the answers are recorded, relative to the service.

    Returns:
        A line for each file that stays, or whose edits are now in another.
    """
    removed = _listed("diff", "--name-only", "--relative", "--diff-filter=D", "HEAD", "--", ".")
    if not removed:
        return []
    recorded = yaml.safe_load(_at_head(answers_file))
    with tempfile.TemporaryDirectory(prefix="update-") as name:
        earlier = Path(name) / "earlier"
        if reason := _render(recorded, earlier):
            _checkout(removed)
            return [
                f"{file}: stays, though the template no longer has it: "
                f"version {recorded['_commit']} cannot be rendered to compare: {reason}"
                for file in removed
            ]
        edited = [file for file in removed if not _untouched(file, earlier / file)]
        changes = renames_since("files", str(recorded["_commit"]))
        moves = {change.was: change.now for change in changes}
        return [_keep(file, moves, earlier) for file in edited]


def _keep(file: str, moves: dict[str, str], earlier: Path) -> str:
    now = file
    while now in moves:
        now = moves[now]
    if now == file or not Path(now).is_file() or not (earlier / file).is_file():
        _checkout([file])
        return f"{file}: stays, though the template no longer has it, since you have edited it"
    _merge(file, earlier / file, now)
    return f"{file}: is {now} now, with your edits"


def _merge(file: str, earlier: Path, now: str) -> None:
    """Merge the edits of a file into its new place; mark conflicts as Copier does."""
    with tempfile.TemporaryDirectory(prefix="update-") as folder:
        mine = Path(folder) / "mine"
        mine.write_bytes(_at_head(file))
        latest = Path(folder) / "latest"
        latest.write_bytes(Path(now).read_bytes())
        ended = run("git", "merge-file", *SIDES, str(mine), str(earlier), str(latest))
        Path(now).write_bytes(mine.read_bytes())
        if ended.returncode:
            mine.write_bytes(_at_head(file))
            _mark(now, (earlier, mine, latest))


def _mark(file: str, sides: tuple[Path, Path, Path]) -> None:
    """Tell git of a conflict: what the last version, the owner and the new version have.

    Source: https://git-scm.com/docs/git-update-index#_using_index_info
    """
    place = run("git", "rev-parse", "--show-prefix").stdout.strip() + file
    lines = [f"0 {'0' * 40}\t{place}"]
    for stage, side in enumerate(sides, 1):
        blob = run("git", "hash-object", "-w", "--no-filters", str(side)).stdout.strip()
        lines.append(f"100644 {blob} {stage}\t{place}")
    command = ["git", "update-index", "--index-info"]
    subprocess.run(command, input="\n".join(lines), check=True, encoding="utf-8")


def _untouched(file: str, earlier: Path) -> bool:
    """Tell whether a file is as the template made it."""
    return earlier.is_file() and earlier.read_bytes() == _at_head(file)


def _render(recorded: dict[str, Any], folder: Path) -> str:
    """Render the version that a service was last updated to; if that fails, say why."""
    answers = folder.with_name("answers.yml")
    given = {name: value for name, value in recorded.items() if not name.startswith("_")}
    answers.write_text(yaml.safe_dump(given, allow_unicode=True), "utf-8")
    ended = run(
        *(sys.executable, "-m", "copier", "copy", "--trust", "--defaults", "--quiet"),
        *("--skip-tasks", f"--vcs-ref={recorded['_commit']}", f"--data-file={answers}"),
        *(recorded["_src_path"], str(folder)),
    )
    return last_line(ended.stderr) if ended.returncode else ""


def _checkout(files: list[str]) -> None:
    subprocess.run(["git", "checkout", "--quiet", "HEAD", "--", *files], check=True)


def _at_head(file: str) -> bytes:
    command = ["git", "cat-file", "blob", f"HEAD:./{file}"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def _listed(*arguments: str) -> list[str]:
    command = ["git", *arguments[:1], "-z", *arguments[1:]]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return [os.fsdecode(name) for name in ended.stdout.split(b"\0") if name]
