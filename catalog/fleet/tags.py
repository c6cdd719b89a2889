"""The released versions of the template, as its tags say: nothing of it is fetched for that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from catalog.history import NoHistory, versions
from catalog.visible import visible
from extensions.renames import version
from hooks.check_recorded import ADDRESS, expanded
from hooks.git import OUTSIDE, quiet
from hooks.processes import run


@dataclass(frozen=True)
class Tags:
    """The tags of a template.

    Attributes:
        commits: The commit of each released version, by its tag; no prerelease is among them.
        released: The tag of each of these versions, the newest last.
    """

    commits: Mapping[str, str]
    released: Mapping[Version, str]
    _behind: dict[str, int | None] = field(default_factory=dict, compare=False)

    def behind(self, commit: str) -> int | None:
        """Return how many versions were released after the one that a service records.

        Args:
            commit: The version as Copier records it.

        Returns:
            The number; None if the commit is of no version.
        """
        if commit not in self._behind:
            since = version(commit)
            self._behind[commit] = (
                None if since is None else sum(each > since for each in self.released)
            )
        return self._behind[commit]


def tags(template: str) -> Tags:
    """Ask a template for its tags.

    Args:
        template: URL or path of its repository.

    Raises:
        NoHistory: It does not say.
    """
    place = expanded(template)
    place = place if ADDRESS.match(place) else str(Path(place).expanduser().absolute())
    command = ["git", "ls-remote", "--tags", "--quiet", "--", place]
    ended = run(*command, env=quiet(), folder=OUTSIDE)
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if line.startswith("fatal: ")]
        reason = lines[0] if lines else f"git ls-remote ended with {ended.returncode}"
        raise NoHistory(f"the template cannot be read: {visible(reason)}")
    named = (line.partition("\trefs/tags/") for line in ended.stdout.splitlines())
    # After an annotated tag comes the commit that it names, as `TAG^{}`.
    commits = {tag.removesuffix("^{}"): name for name, _, tag in named}
    found = versions(commits)
    released = {each: found[each] for each in sorted(found) if not each.is_prerelease}
    return Tags({tag: commits[tag] for tag in released.values()}, released)
