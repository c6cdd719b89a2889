"""Reads services out of git repositories that somebody else wrote: as trees and blobs alone."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

import pygit2
from pygit2.enums import ObjectType

from extensions.announce import MOST_BYTES
from hooks.command_line import ANSWERS_FILE

# How deep services lie in a repository of many, and how many of its folders are looked at.
DEEPEST, MOST_FOLDERS = 6, 10_000
BRANCHES = "refs/heads/"
NOT_READ = "cannot be read by git: "
# Who asks, in a URL; what comes before the @ of an SSH address is no secret.
PASSWORD = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://[^/?#:@]*):[^/?#]*@")
TOKEN = re.compile(r"^(https?://)[^/?#:@]+@")


class Unreadable(Exception):
    """A place has no services that can be read; the message is one line that says why."""


def not_read(reason: object) -> str:
    """Say in a line that git cannot read something; another copy of it may be whole."""
    return f"{NOT_READ}{' '.join(str(reason).split())}"


@dataclass(frozen=True)
class Service:
    """A service as its repository has it committed.

    Attributes:
        place: Where it is, as people know it.
        folder: Its folder in the repository, "" for all of it.
        commit: The commit that was read.
        branch: The branch that has this commit, "" if HEAD is detached.
        tree: The name of its tree.
        repository: The folder where git has its objects, "" if they are elsewhere.
        url: The URL of its repository as git takes it, "" if it has none.
    """

    place: str
    folder: str
    commit: str
    branch: str
    tree: str
    repository: str
    url: str

    @property
    def remote(self) -> str:
        """The URL of its repository as it may be shown."""
        return without_password(self.url)


def without_password(url: str) -> str:
    """Return a URL without what nobody else may see."""
    return TOKEN.sub(r"\1…@", PASSWORD.sub(r"\1:…@", url))


def services(place: str) -> list[Service]:
    """Find the services in a folder, as they are committed.

    Args:
        place: A folder of a git repository: a service, or one that has services below it.

    Raises:
        Unreadable: It is none, nothing is committed, or it has no service.
    """
    try:
        found = pygit2.discover_repository(place)
        if found is None:
            raise Unreadable("is no folder of a git repository")
        repository = pygit2.Repository(found)
        commit, branch = _head(repository)
        folder = _within(place, repository.workdir)
        found_below = folders(_tree(commit, folder))
    except (pygit2.GitError, OSError, ValueError) as reason:
        raise Unreadable(not_read(reason)) from None
    try:
        url = repository.config["remote.origin.url"] or ""
    except (KeyError, pygit2.GitError):
        url = ""
    return [
        Service(
            os.path.join(place, below) if below else place,  # noqa: PTH118 (a name to show)
            str(PurePosixPath(folder, below)) if folder or below else "",
            str(commit.id),
            branch,
            name,
            found,
            url,
        )
        for below, name in found_below.items()
    ]


def _head(repository: pygit2.Repository) -> tuple[pygit2.Commit, str]:
    """Return the commit that is checked out, and its branch.

    Raises:
        GitError: HEAD cannot be read.
        Unreadable: Nothing is committed.
    """
    try:
        head = repository.head
    except pygit2.GitError:
        if repository.head_is_unborn:
            raise Unreadable("has no commit") from None
        raise
    return head.peel(pygit2.Commit), head.name.removeprefix(BRANCHES) if head.name != "HEAD" else ""


def _tree(commit: pygit2.Commit, folder: str) -> pygit2.Tree:
    """Return the tree of a folder, "" for all.

    Raises:
        GitError: The commit has no tree that can be read.
        Unreadable: There is no such folder.
    """
    try:
        tree = commit.tree[folder] if folder else commit.tree
    except KeyError:
        raise Unreadable("is not committed") from None
    if not isinstance(tree, pygit2.Tree):
        raise Unreadable("is no folder")
    return tree


def _within(place: str, top: str | None) -> str:
    """Return a folder's path in its repository, "" for all of it.

    Args:
        place: The folder.
        top: That of the checked out files, None for a bare repository.

    Raises:
        ValueError: The repository has its files elsewhere.
    """
    if top is None:
        return ""
    found = os.path.relpath(os.path.realpath(place), os.path.realpath(top))
    if found == os.pardir or found.startswith(f"{os.pardir}{os.sep}"):
        raise ValueError(f"its files are in {top}")
    return "" if found == os.curdir else PurePosixPath(found).as_posix()


def folders(top: pygit2.Tree) -> dict[str, str]:
    """Return the folders that have an answers file, each with its tree; none within another.

    Args:
        top: The tree to look in.

    Raises:
        Unreadable: There is none, or there are too many folders to look at; a hostile tree can have
            any number in few bytes.
    """
    found = {}
    waiting, looked_at = [("", top)], 0
    while waiting:
        path, tree = waiting.pop()
        looked_at += 1
        if looked_at > MOST_FOLDERS:
            raise Unreadable(f"has more than {MOST_FOLDERS} folders; give those of its services")
        if ANSWERS_FILE in tree:
            found[path] = str(tree.id)
        elif path.count("/") < DEEPEST:
            below = [each for each in tree if isinstance(each, pygit2.Tree)]
            waiting += [(f"{path}/{each.name}".lstrip("/"), each) for each in reversed(below)]
    if not found:
        raise Unreadable(NO_SERVICE)
    return found


NO_SERVICE = f"has no {ANSWERS_FILE} committed"


def entry(tree: pygit2.Tree, path: str) -> tuple[int, str] | None:
    """Return the mode and the name of what is at a path of a tree, None if nothing is."""
    try:
        found = tree[path]
    except (KeyError, ValueError):
        return None
    return int(found.filemode), str(found.id)


def text(repository: pygit2.Repository, name: str) -> str | None:
    """Return the text of a blob, None if it is none of less than a megabyte."""
    if name not in repository:
        return None
    for backend in repository.odb.backends:
        with suppress(KeyError):
            # A few bytes can be a gigabyte once they are read.
            kind, size = backend.read_header(name)
            if kind != ObjectType.BLOB or size > MOST_BYTES:
                return None
            break
    return bytes(repository.odb.read(name)[1]).decode("utf-8", "replace")
