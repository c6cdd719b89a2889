"""The git history of the template, as data: nothing of it is run, imported or checked out."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.version import InvalidVersion, Version

from catalog.visible import visible
from extensions.pins import ROOT
from hooks.git import git, quiet

# A bare repository is found by the current folder, whatever a person has set.
SETTINGS = {"safe.bareRepository": "all"}


class NoHistory(Exception):
    """The history of the template cannot be read; the message is one line that says why."""


@contextmanager
def history(template: str | None) -> Iterator[Path]:
    """Give the folder of a repository with the template's history, for as long as it is needed.

    Args:
        template: URL or path of a repository, which is cloned into a temporary folder; None for
            the clone that this file belongs to.

    Raises:
        NoHistory: It cannot be cloned.
    """
    if template is None:
        yield ROOT
        return
    with tempfile.TemporaryDirectory() as folder:
        clone(template, Path(folder))
        yield Path(folder)


def clone(template: str, folder: Path) -> None:
    """Clone the template as a bare repository.

    Args:
        template: URL or path of a repository.
        folder: Where the clone is made; it is empty or not there.

    Raises:
        NoHistory: It cannot be cloned.
    """
    command = ["git", "clone", "--bare", "--quiet", "--template=", "--", template, str(folder)]
    ended = subprocess.run(command, env=quiet(), capture_output=True, check=False, errors="replace")
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if line.strip()]
        # One line says why; those of other kinds come before it, advice after it.
        said = [each for each in lines if not each.startswith(("warning:", "remote:", "hint:"))]
        reason = (said or lines or [f"git clone ended with {ended.returncode}"])[0]
        raise NoHistory(f"the template cannot be cloned: {visible(reason)}")


def released(folder: Path) -> dict[Version, str]:
    """Return a tag for each version of the template."""
    printed = git(
        "for-each-ref", "--format=%(refname:strip=2)", "refs/tags", folder=folder, settings=SETTINGS
    )
    return versions(printed.decode("utf-8", "replace").splitlines())


def versions(tags: Iterable[str]) -> dict[Version, str]:
    """Return a tag for each version that some of the tags name."""
    found: dict[Version, str] = {}
    for tag in tags:
        # A commit's short hash and a date can be versions too, but have no dot.
        if "." not in tag or not tag.isascii():
            continue
        try:
            version = Version(tag)
        except InvalidVersion:
            continue
        if version not in found or tag == str(version):
            found[version] = tag
    return found
