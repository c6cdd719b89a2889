"""The template at hand: one copy of its history, which all updates of a move read."""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from catalog.history import SETTINGS, clone
from hooks.check_recorded import expanded
from hooks.git import GitFailed, git


class Moved(Exception):
    """The template does not have what a plan says; the message is one line that says why."""


def at_hand(template: str, to: str, commit: str, folder: Path) -> Path:
    """Return a bare repository with the history of the template.

    Args:
        template: Its URL or path.
        to: The tag that services go to.
        commit: What that tag names.
        folder: Where the repository is kept for the next time.

    Raises:
        Moved: The tag names something else, or is gone.
        NoHistory: The template cannot be cloned.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"template-{commit}.git"
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=folder) as name:
                made = Path(name) / "made"
                clone(expanded(template), made)
                if tagged(made, to) != commit:
                    raise Moved(
                        f"{template}: its tag {to} is not the commit {commit[:12]} that the plan "
                        "has; make the plan anew"
                    )
                # It appears whole.
                made.rename(place)
    return place


def tagged(repository: Path, tag: str) -> str:
    """Return the commit that a tag of a repository names, "" if there is no such tag."""
    name = f"refs/tags/{tag}^{{commit}}"
    with suppress(GitFailed):
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return os.fsdecode(git(*asked, folder=repository, settings=SETTINGS)).strip()
    return ""
