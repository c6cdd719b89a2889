"""The released versions of the template, unpacked when a service asks for one."""

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import Version

from catalog.fleet.expected import Expected, File, NotRendered
from catalog.history import SETTINGS, released
from extensions.renames import renames, version
from hooks.git import GitFailed, git


@dataclass
class Releases:
    """The versions of a repository of the template.

    Attributes:
        repository: It, bare or not.
        scratch: A folder for what is unpacked.
        tags: The tag of each released version that is no prerelease.
    """

    repository: Path
    scratch: Path
    tags: dict[Version, str] = field(init=False)
    _expected: dict[str, Expected | NotRendered] = field(default_factory=dict)
    _unpacked: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the tags."""
        found = released(self.repository)
        self.tags = {each: found[each] for each in sorted(found) if not each.is_prerelease}

    @property
    def newest(self) -> Version | None:
        """The newest released version, None if there is none."""
        return max(self.tags, default=None)

    def commits(self) -> dict[str, str]:
        """Return what each tag of a released version names, by the tag."""
        form = "--format=%(objectname) %(refname:strip=2)"
        printed = git("for-each-ref", form, "refs/tags", folder=self.repository, settings=SETTINGS)
        lines = (line.partition(" ") for line in printed.decode("utf-8", "replace").splitlines())
        tags = set(self.tags.values())
        return {tag: commit for commit, _, tag in lines if tag in tags}

    def behind(self, commit: str) -> int | None:
        """Return how many versions were released after the one that a service records.

        Args:
            commit: The version as Copier records it.

        Returns:
            The number; None if the commit is of no version.
        """
        since = version(commit)
        return None if since is None else sum(each > since for each in self.tags)

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
    for change in renames("questions"):
        if recorded < change.since <= asked and change.was in found:
            found[change.now] = found.pop(change.was)
    for change in reversed(renames("questions")):
        if asked < change.since <= recorded and change.now in found:
            found[change.was] = found.pop(change.now)
    return found
