"""Says of a service why an update of it could not be merged or taken back, before it writes."""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from extensions.pins import ROOT
from extensions.registry import frameworks
from hooks.git import NEEDED, git, lines, word
from hooks.merge import is_own_file

TEMPLATE = ROOT / "template"
# Nobody writes a source, a manifest or a page of this size, and Copier reads all of it.
MOST_BYTES = 10_000_000


def emitted() -> list[str]:
    """Return the files that the template can emit, except the answers file."""
    names = [path.relative_to(ROOT).as_posix() for path in TEMPLATE.rglob("*") if path.is_file()]
    crates = {path for framework in frameworks().values() for path in framework.files}
    return sorted(_plain(names) | crates)


def emitted_by(commit: str) -> set[str]:
    """Return the files that an earlier version of the template can emit, as far as names tell.

    Args:
        commit: The version: a tag or a commit of the template.
    """
    names = lines("ls-tree", "-r", "--name-only", "--full-tree", commit, folder=ROOT)
    crates = (PurePosixPath(name).parts[2:] for name in names if name.startswith("frameworks/"))
    return _plain(names) | {"/".join(parts) for parts in crates}


def _plain(names: Iterable[str]) -> set[str]:
    """Return what files below `template/` are called in a service."""
    found = (name.removeprefix("template/") for name in names if name.startswith("template/"))
    plain = (re.sub(r"\{%.*?%\}", "", name) for name in found if "{{" not in name)
    return {name.removesuffix(".jinja") for name in plain}


def why_not() -> list[str]:
    """Say what in the service of the current folder stops an update, and what helps.

    Returns:
        One line for each thing; none if the update can start.
    """
    version = tuple(int(number) for number in re.findall(r"[0-9]+", word("version"))[:2])
    if version < NEEDED:
        needed = ".".join(map(str, NEEDED))
        return [
            f"git: an update needs {needed} or later to merge; here is {version[0]}.{version[1]}"
        ]
    found = [*_not_committed(), *_not_shown()]
    return found + [line for file in emitted() if (line := _unreadable(Path(file)))]


def _not_committed() -> list[str]:
    """Look for what going back would destroy, whatever `status.showUntrackedFiles` says."""
    named = lines("status", "--porcelain", "--untracked-files=all", "--no-renames", ".")
    if not named:
        return []
    names = ", ".join(line[3:] for line in named[:3]) + (", …" if len(named) > 3 else "")
    return [f"{names}: commit, stash or ignore what is new here; going back would destroy it"]


def _not_shown() -> list[str]:
    """Look for edits that `git status` is told not to show.

    Source: https://git-scm.com/docs/git-update-index, --skip-worktree and --assume-unchanged.
    """
    flagged = [line[2:] for line in lines("ls-files", "-v", ".") if line[0] in "Ssh"]
    files = [name for name in flagged if is_own_file(Path(name))]
    if not files:
        return []
    staged = {line.split("\t")[1]: line.split(" ")[1] for line in lines("ls-files", "-s", *files)}
    return [
        f"{name}: has an edit that git is told not to show; show it with `git update-index "
        f"--no-skip-worktree --no-assume-unchanged {name}`, then commit it"
        for name in files
        if word("hash-object", "--", name) != staged[name]
    ]


def _unreadable(file: Path) -> str:
    """Say why a file of the service cannot be read and merged; "" where it can."""
    for folder in list(PurePosixPath(file).parents)[:-1]:
        if Path(folder).is_symlink():
            return f"{folder}: is a symbolic link, so the update would write elsewhere"
    if not os.path.lexists(file) or file.is_symlink():
        return ""
    about = file.stat()
    if stat.S_ISDIR(about.st_mode):
        return f"{file}: is a folder here and a file in the template; give it another name"
    if not stat.S_ISREG(about.st_mode):
        return f"{file}: must be a file with text"
    if about.st_size > MOST_BYTES:
        return f"{file}: has {about.st_size / 1e6:.0f} MB, more than an update reads"
    return _undecodable(file)


def _undecodable(file: Path) -> str:
    try:
        file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as reason:
        line = file.read_bytes()[: reason.start].count(b"\n") + 1
        return (
            f"{file}: line {line} is not UTF-8, and Copier would drop what it cannot read; "
            "save it as UTF-8 and commit"
        )
    return ""


def ignored(names: Iterable[str]) -> list[str]:
    """Return those of some files that are on the disk and that git ignores."""
    there = [name for name in names if is_own_file(Path(name))]
    if not there:
        return []
    given = os.fsencode("\0".join([*there, ""]))
    printed = git("check-ignore", "-z", "--stdin", given=given, accepted=(0, 1))
    return [os.fsdecode(name) for name in printed.split(b"\0") if name]
