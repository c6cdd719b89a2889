"""The released versions of the template, unpacked when a service asks for one."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from catalog.fleet.expected import Expected, File, NotRendered
from catalog.history import SETTINGS
from extensions.renames import Rename, renames, version
from hooks.git import GitFailed, git


@dataclass
class Releases:
    """The versions of a repository of the template.

    Attributes:
        repository: It, bare or not.
        scratch: A folder for what is unpacked.
        tags: The tags of the released versions that are no prereleases, the newest last.
    """

    repository: Path
    scratch: Path
    tags: Sequence[str] = ()
    _expected: dict[str, Expected | NotRendered] = field(default_factory=dict)
    _unpacked: dict[str, Path] = field(default_factory=dict)

    def files(
        self, commit: str, answers: Mapping[str, Any], only: Collection[str] | None = None
    ) -> dict[str, File]:
        """Return what a version makes of answers, by path.

        Args:
            commit: A tag, or what `git describe` says of a commit.
            answers: The answers as a service records them, of whatever version.
            only: Leave out all other paths.

        Raises:
            NotRendered: There is no such version, or it cannot be made of these answers.
        """
        if commit not in self._expected:
            try:
                self._expected[commit] = Expected(self.unpacked(commit))
            except NotRendered as reason:
                self._expected[commit] = reason
            except GitFailed as reason:
                self._expected[commit] = NotRendered(f"the template has no {commit}: {reason}")
        expected = self._expected[commit]
        if isinstance(expected, NotRendered):
            raise expected
        return expected.files(as_asked(answers, commit), only)

    def unpacked(self, commit: str) -> Path:
        """Write the files of a version out as they are, unless they are, and return their folder.

        Raises:
            GitFailed: There is no such version.
        """
        if commit in self._unpacked:
            return self._unpacked[commit]
        place = Path(tempfile.mkdtemp(dir=self.scratch))
        folder, index = place / "template", place / "index"
        folder.mkdir()
        plain = {**SETTINGS, "core.autocrlf": "false", "core.eol": "lf"}
        asked = ("read-tree", "--end-of-options", f"{commit}^{{tree}}")
        git(*asked, folder=self.repository, index=index, settings=SETTINGS)
        everything = (f"--work-tree={folder}", "checkout-index", "--all", f"--prefix={folder}/")
        git(*everything, folder=self.repository, index=index, settings=plain)
        self._unpacked[commit] = folder
        return folder


def as_asked(answers: Mapping[str, Any], commit: str) -> dict[str, Any]:
    """Return answers by the names that the questions of a version have."""
    recorded, asked = version(str(answers.get("_commit"))), version(commit)
    found = dict(answers)
    if recorded is None or asked is None:
        return found
    for change in _renamed():
        if recorded < change.since <= asked and change.was in found:
            found[change.now] = found.pop(change.was)
    for change in reversed(_renamed()):
        if asked < change.since <= recorded and change.now in found:
            found[change.was] = found.pop(change.now)
    return found


@cache
def _renamed() -> list[Rename]:
    """Return the questions that have another name now; many thousands of services ask."""
    return renames("questions")
