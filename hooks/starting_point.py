"""What an update starts from, kept in the service's repository until the update is merged."""

import time
from dataclasses import dataclass
from hashlib import sha256

from hooks.git import git, word
from hooks.merge import Files, committed, files_of


@dataclass(frozen=True)
class StartingPoint:
    """What an update starts from.

    Attributes:
        service: What the service has, with those of the template's files that git ignores.
        began: When the update began, in seconds since 1970.
    """

    service: Files
    began: float


def note(service: Files) -> None:
    """Keep the files of the service in the current folder, as a commit that no branch has."""
    git("update-ref", _name(), committed(service, message=str(time.time())))


def noted() -> StartingPoint:
    """Return what `note` has kept.

    Raises:
        GitFailed: There is nothing.
    """
    name = _name()
    began = word("log", "-1", "--format=%s", "--end-of-options", name)
    return StartingPoint(files_of(name), float(began))


def forget() -> None:
    """Take the name away again; git removes what it named in its own time."""
    git("update-ref", "-d", _name())


def _name() -> str:
    """Return a name that every worktree, and every service in it, has for itself.

    Source: https://git-scm.com/docs/git-worktree#_refs
    """
    place = word("rev-parse", "--show-prefix")
    return f"refs/worktree/copier-update/{sha256(place.encode()).hexdigest()[:16]}"
