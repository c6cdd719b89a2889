"""Merges what is new in the template into a service: three trees, and git's own merge of them.

The trees hold the files that the last version made of the service's answers, the service, and the
files that the new version makes. Copier merges too, by a patch, which depends on settings of git
and leaves out what it cannot apply; `finish_update.py` puts this merge in the place of that one.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from hooks.git import git, lines, word

# The names that Copier gives to the three sides of a conflict.
SIDES = ("-L", "before updating", "-L", "last update", "-L", "after updating")
SYMLINK = "120000"


@dataclass(frozen=True)
class Entry:
    """A file of a tree: its mode, as in `100644`, and the object that has its content."""

    mode: str
    blob: str


Files = dict[str, Entry]


@dataclass
class Merged:
    """What a merge makes of a service.

    Attributes:
        files: The files that the service is to have.
        conflicts: For each file with a conflict, what the last version, the service and the new
            version have in its place.
        told: A line for each thing that an owner would not expect.
    """

    files: Files
    conflicts: dict[str, dict[int, Entry]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


# ------------------------------------------------------------------------------------ trees


def files_of(tree: str) -> Files:
    """Return the files of a tree or a commit, or of a folder in one: `HEAD:./`."""
    found = {}
    for line in lines("ls-tree", "-r", "--full-tree", tree):
        about, _, name = line.partition("\t")
        mode, kind, blob = about.split(" ")
        if kind == "blob":
            found[name] = Entry(mode, blob)
    return found


def is_own_file(path: Path) -> bool:
    """Tell whether a path is a file of its own: no link, no folder, no device."""
    return path.is_file() and not path.is_symlink()


def stored(folder: Path, names: Sequence[str]) -> Files:
    """Store files of a folder in the repository of the current folder; they belong to no commit."""
    paths = [(folder / name).absolute() for name in names]
    listed = "".join(f"{path}\n" for path in paths)
    printed = git(
        "hash-object", "-w", "--no-filters", "--stdin-paths", given=os.fsencode(listed)
    ).decode()
    return {
        name: Entry("100755" if os.access(path, os.X_OK) else "100644", blob)
        for name, path, blob in zip(names, paths, printed.split(), strict=True)
    }


def stored_folder(folder: Path) -> Files:
    """Store every file of a folder."""
    found = (path for path in folder.rglob("*") if is_own_file(path))
    return stored(folder, [path.relative_to(folder).as_posix() for path in found])


def committed(files: Files, *parents: str, message: str = "copier update") -> str:
    """Make a commit of files, which no branch has, and return its name."""
    listed = "".join(f"{each.mode} {each.blob}\t{name}\0" for name, each in files.items())
    with tempfile.TemporaryDirectory(prefix="update-") as folder:
        index = Path(folder) / "index"
        git("update-index", "-z", "--index-info", given=os.fsencode(listed), index=index)
        tree = git("write-tree", index=index).decode().strip()
    options = [option for parent in parents for option in ("-p", parent)]
    return word("commit-tree", tree, *options, "-m", message)


# ------------------------------------------------------------------------------------ merge


def merge(
    before: Files,
    service: Files,
    after: Files,
    *,
    moves: Mapping[str, str],
    untouchable: Callable[[str], bool],
) -> Merged:
    """Merge what is new in the template into the files of a service.

    Args:
        before: What the last version made.
        service: What the service has.
        after: What the new version makes.
        moves: Where a file of the template was, and where it is now.
        untouchable: Tells of a file whether it stays as the service has it, or lacks it.

    Returns:
        The outcome; no line of the owner is missing in it.
    """
    kept = {name: entry for name, entry in service.items() if untouchable(name)}
    sides = [
        {name: entry for name, entry in side.items() if not untouchable(name)}
        for side in (before, service, after)
    ]
    told = [*_follow_moves(moves, *sides), *_follow_links(*sides)]
    base, ours, theirs = sides
    start = committed(base)
    own = committed(ours, start)
    printed = git(
        *("merge-tree", "--write-tree", "-z", "--no-messages"),
        *(own, committed(theirs, start)),
        accepted=(0, 1),
    )
    tree, *entries = os.fsdecode(printed).split("\0")
    merged = Merged(files_of(tree), told=told)
    stages: dict[str, dict[int, Entry]] = {}
    for line in filter(None, entries):
        about, _, name = line.partition("\t")
        mode, blob, stage = about.split(" ")
        stages.setdefault(name, {})[int(stage)] = Entry(mode, blob)
    for name, found in sorted(stages.items()):
        _decide(name, found, merged)
    for was, now in _renamed(start, own).items():
        if was in theirs and now in merged.files and theirs[was] != base[was]:
            merged.told.append(f"{now}: takes the template's changes to {was}, which you renamed")
    merged.files |= kept
    return merged


def _follow_moves(
    moves: Mapping[str, str], before: Files, service: Files, after: Files
) -> list[str]:
    """Move files of the last version and of the service to where the template has them now."""
    told = []
    for was in [name for name in moves if name in before and name in service]:
        now = was
        while now in moves:
            now = moves[now]
        if now in service or now in before or now not in after or was in after:
            continue
        if service[was] != before[was]:
            told.append(f"{was}: is {now} now, with your edits")
        service[now], before[now] = service.pop(was), before.pop(was)
    return told


def _follow_links(before: Files, service: Files, after: Files) -> list[str]:
    """Let the template's file be the one that the owner's symbolic link leads to."""
    told = []
    links = [name for name, entry in service.items() if entry.mode == SYMLINK]
    for name in [name for name in links if name in before or name in after]:
        old, new = before.pop(name, None), after.pop(name, None)
        target = os.fsdecode(git("cat-file", "blob", service[name].blob))
        leads = os.path.normpath(PurePosixPath(name).parent / target)
        there = service.get(leads)
        if there and there.mode != SYMLINK and leads not in before and leads not in after:
            before |= {leads: old} if old else {}
            after |= {leads: new} if new else {}
        elif old != new:
            told.append(
                f"{name}: is a symbolic link to {leads}, so the template's change to it is left out"
            )
    return told


def _decide(name: str, stages: dict[int, Entry], merged: Merged) -> None:
    """Decide what git leaves open, which it does for each file that it cannot merge alone."""
    if stages.keys() == {1, 3}:
        merged.files.pop(name, None)
        merged.told.append(f"{name}: you have deleted it, so the template's change is left out")
    elif stages.keys() == {1, 2}:
        merged.files[name] = stages[2]
        merged.told.append(
            f"{name}: stays, though the template no longer has it, since you have edited it"
        )
    elif 2 in stages and 3 in stages and SYMLINK not in {each.mode for each in stages.values()}:
        merged.files[name], clean = _with_markers(stages)
        if not clean:
            merged.conflicts[name] = stages
    else:
        merged.conflicts[name] = stages


def _with_markers(stages: Mapping[int, Entry], *options: str) -> tuple[Entry, bool]:
    """Merge the lines of a file; tell whether that left no conflict."""
    with tempfile.TemporaryDirectory(prefix="update-") as folder:
        files = {1: Path(folder, "last"), 2: Path(folder, "mine"), 3: Path(folder, "new")}
        for stage, file in files.items():
            file.write_bytes(
                git("cat-file", "blob", stages[stage].blob) if stage in stages else b""
            )
        sides = (files[2], files[1], files[3])
        ended = git("merge-file", "-p", *options, *SIDES, *sides, accepted=range(128))
        again = git("merge-file", "-p", "--ours", *sides)
        files[2].write_bytes(ended)
        (entry,) = stored(Path(folder), ["mine"]).values()
    return Entry(stages[2].mode, entry.blob), ended == again


def _renamed(before: str, after: str) -> dict[str, str]:
    """Return where the files of a commit are in another one, for those that were renamed."""
    found = iter(lines("diff-tree", "-r", "-M", "--diff-filter=R", "--name-status", before, after))
    return {was: next(found) for _, was in zip(found, found, strict=False)}


# ------------------------------------------------------------------------------ the service


def lay_out(files: Files, others: Iterable[str]) -> None:
    """Give the current folder the content of files, and remove others that are not among them.

    Args:
        files: What is to be there. Files that are so already are not written.
        others: Files that may be there; one that `files` lacks is removed.
    """
    for name in sorted(set(others) - files.keys()):
        Path(name).unlink(missing_ok=True)
        for parent in list(PurePosixPath(name).parents)[:-1]:
            if not Path(parent).is_dir() or any(Path(parent).iterdir()):
                break
            Path(parent).rmdir()
    prefix = word("rev-parse", "--show-prefix")
    for name, entry in files.items():
        path = Path(name)
        if entry.mode == SYMLINK:
            content = git("cat-file", "blob", entry.blob)
            if not path.is_symlink() or os.fsencode(path.readlink()) != content:
                path.unlink(missing_ok=True)
                path.symlink_to(os.fsdecode(content))
            continue
        content = git("cat-file", "--filters", f"--path={prefix}{name}", entry.blob)
        if path.is_symlink():
            path.unlink()
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if os.access(path, os.X_OK) != (entry.mode == "100755"):
            path.chmod(path.stat().st_mode ^ 0o111)


def mark(merged: Merged, how: Literal["inline", "rej"]) -> None:
    """Show the conflicts of a merge in the current folder, and tell git of them.

    Args:
        merged: The merge, which `lay_out` has laid out.
        how: Copier's `--conflict`: `inline` shows both sides between markers. With `rej` a file
            keeps the owner's side, and a patch beside it has the template's.

    Source: https://git-scm.com/docs/git-update-index#_using_index_info
    """
    prefix = word("rev-parse", "--show-prefix")
    entries = []
    for name, stages in merged.conflicts.items():
        if how == "rej" and 2 in stages and 3 in stages:
            _reject(name, stages)
            continue
        (first, *_) = stages.values()
        entries.append(f"0 {'0' * len(first.blob)}\t{prefix}{name}")
        for stage, entry in sorted(stages.items()):
            entries.append(f"{entry.mode} {entry.blob} {stage}\t{prefix}{name}")
    if entries:
        listed = "\0".join([*entries, ""])
        git("update-index", "-z", "--index-info", given=os.fsencode(listed))


def _reject(name: str, stages: Mapping[int, Entry]) -> None:
    """Keep the owner's side of each conflict, and write the other one as a patch."""
    mine, _ = _with_markers(stages, "--ours")
    new, _ = _with_markers(stages, "--theirs")
    lay_out({name: mine}, ())
    patch = git("diff", "--no-ext-diff", "--no-color", mine.blob, new.blob).split(b"\n@@", 1)[-1]
    header = f"--- {name}\n+++ {name}\n@@"
    Path(f"{name}.rej").write_bytes(header.encode() + patch)
