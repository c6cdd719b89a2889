"""The entries of renames.toml: what earlier versions of the template called otherwise."""

import re
import tomllib
from dataclasses import dataclass
from typing import Literal

from packaging.version import InvalidVersion, Version

from .pins import ROOT

FILE = ROOT / "renames.toml"
# What `git describe` says of a commit that no tag precedes, at git's shortest or longer; a date as
# in 20261126 is one too, so a version of the template must have a dot.
COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Rename:
    """A question or a file that got another name in some version."""

    was: str
    now: str
    since: Version


def renames(kind: Literal["questions", "files"], text: str | None = None) -> list[Rename]:
    """Return what has another name now, oldest first.

    Args:
        kind: What to look for.
        text: What the file has in another version of the template.

    Raises:
        ValueError: An entry is not complete.
    """
    table = tomllib.loads(FILE.read_text("utf-8") if text is None else text)
    try:
        found = [
            Rename(entry["was"], entry["is"], Version(entry["since"])) for entry in table[kind]
        ]
    except (InvalidVersion, KeyError) as reason:
        raise ValueError(f"{FILE.name}: an entry of {kind} is not complete: {reason}") from None
    return sorted(found, key=lambda rename: rename.since)


def renames_since(
    kind: Literal["questions", "files"], before: str, text: str | None = None
) -> list[Rename]:
    """Return what got another name after an earlier version, oldest first.

    Args:
        kind: What to look for.
        before: The earlier version, as an answers file records it.
        text: What the file has in another version of the template.

    Source: https://packaging.python.org/en/latest/specifications/version-specifiers/ for the order.
    """
    earlier = version(before)
    return [rename for rename in renames(kind, text) if earlier is None or earlier < rename.since]


def reaches(commit: str, tag: str) -> bool:
    """Tell whether a commit as Copier records it has the version of a tag, or a later one."""
    has, wanted = version(commit), version(tag)
    return commit == tag or (has is not None and wanted is not None and has >= wanted)


def version(commit: str) -> Version | None:
    """Return the version of a commit as Copier records it: a tag, or what `git describe` says.

    Returns:
        The version; for a commit after a tag, that tag's version; None for any other text. One
        commit in ten has a name that reads as a version too, such as `858a109`.
    """
    if COMMIT.fullmatch(commit):
        return None
    tag = commit.rsplit("-", 2)[0] if commit.count("-") >= 2 else commit
    try:
        return Version(tag)
    except InvalidVersion:
        return None
