"""Reads services out of git repositories that somebody else wrote: as trees and blobs alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pygit2

from extensions.announce import MOST_BYTES
from hooks.command_line import ANSWERS_FILE

# How deep services lie in a repository of many, and how many of its folders are looked at.
DEEPEST, MOST_FOLDERS = 6, 10_000


class Unreadable(Exception):
    """A place has no services that can be read; the message is one line that says why."""


@dataclass(frozen=True)
class Committed:
    """A service as its repository has it committed.

    Attributes:
        place: Where it is, as people know it.
        folder: Its folder in the repository, "" for all of it.
        commit: The commit that was read.
        tree: Its tree.
    """

    place: str
    folder: str
    commit: str
    tree: pygit2.Tree

    def entry(self, path: str) -> tuple[int, str] | None:
        """Return the mode and the name of what is at a path, None if nothing is."""
        try:
            found = self.tree[path]
        except (KeyError, ValueError):
            return None
        return int(found.filemode), str(found.id)

    def text(self, path: str) -> str | None:
        """Return the text of a file, None if there is no such file of less than a megabyte."""
        try:
            found = self.tree[path]
        except (KeyError, ValueError):
            return None
        if not isinstance(found, pygit2.Blob) or found.size > MOST_BYTES:
            return None
        return found.data.decode("utf-8", "replace")


def services(place: Path) -> Iterator[Committed]:
    """Find the services in a folder, as they are committed.

    Args:
        place: A folder of a git repository: a service, or one that has services below it.

    Raises:
        Unreadable: It is none, nothing is committed, or it has no service.
    """
    try:
        found = pygit2.discover_repository(str(place))
        if found is None:
            raise Unreadable("is no folder of a git repository")
        repository = pygit2.Repository(found)
        if repository.is_empty or repository.head_is_unborn:
            raise Unreadable("has no commit")
        commit = repository.head.peel(pygit2.Commit)
        top = Path(repository.workdir or place).resolve()
        folder = place.resolve().relative_to(top).as_posix() if repository.workdir else "."
        tree = commit.tree if folder == "." else commit.tree[folder]
    except (pygit2.GitError, OSError, ValueError) as reason:
        raise Unreadable(f"cannot be read by git: {' '.join(str(reason).split())}") from None
    except KeyError:
        raise Unreadable("is not committed") from None
    if not isinstance(tree, pygit2.Tree):
        raise Unreadable("is no folder")
    is_one = False
    for below, each in _folders(tree):
        is_one = True
        where = str(place / below) if below else str(place)
        inside = PurePosixPath(folder, below).as_posix()
        yield Committed(where, "" if inside == "." else inside, str(commit.id), each)
    if not is_one:
        raise Unreadable(f"has no {ANSWERS_FILE} committed")


def _folders(top: pygit2.Tree) -> Iterator[tuple[str, pygit2.Tree]]:
    """Yield the folders that have an answers file; one in another is not looked for.

    Raises:
        Unreadable: There are too many folders; a hostile tree can have any number in few bytes.
    """
    waiting, looked_at = [("", top)], 0
    while waiting:
        path, tree = waiting.pop()
        looked_at += 1
        if looked_at > MOST_FOLDERS:
            raise Unreadable(f"has more than {MOST_FOLDERS} folders; give those of its services")
        if ANSWERS_FILE in tree:
            yield path, tree
        elif path.count("/") < DEEPEST:
            below = [each for each in tree if isinstance(each, pygit2.Tree)]
            waiting += [(f"{path}/{each.name}".lstrip("/"), each) for each in reversed(below)]
