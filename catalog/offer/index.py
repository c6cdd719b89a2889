"""The released versions of the template, read from its git history.

A history is data that somebody else wrote: only its objects are read, up to a size, and nothing of
it is run, imported or checked out.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packaging.version import Version

from catalog.history import SETTINGS, released
from hooks.git import git

FILES = PUBLISHED, CHANGELOG = "catalog/published/version.json", "CHANGELOG.md"
# Both files are a few kilobytes, and the worst Markdown of that length is read in a second.
LARGEST_FILE, LARGEST_SECTION = 1 << 20, 1 << 15
COMMITTER = re.compile(rb"^committer .*> ([0-9]{1,12}) [+-][0-9]{4}$", re.MULTILINE)
# What is read of `version.json`: a type, a list of one, either of two, or a mapping; `*` is any
# name in it, and a name with `?` may be missing.
SHAPE: dict[str, Any] = {
    "rust": str,
    "questions": {
        "*": {
            "help": str,
            "default": str,
            "choices": {"*": str},
            "asked_if?": {"*": (str, [str])},
        }
    },
    "images": {"*": str},
    "crates": {"*": {"direct": {"*": [str]}, "locked": {"*": [str]}}},
}


class _Unusable(Exception):
    """A file of a version cannot be used; the message says why."""


@dataclass(frozen=True)
class _Object:
    """What git knows of an object before it is read: its hash, its type and its size in bytes."""

    name: str
    kind: str
    size: int


def index(folder: Path) -> dict[str, Any]:
    """Return the released versions of the template with what each of them asks, pins and changes.

    A released version is a tag of a commit that reads as a version and has a dot. Of two tags for
    one version, such as `1.2` and `v1.2`, the one that is written as the version counts.

    Args:
        folder: A repository of the template; bare or not.

    Returns:
        `latest`, the newest version that is no prerelease, or None; and `versions`, newest first.
        Each of them has:

        - `version`, `tag`, `commit`, and `prerelease`, whether it is one;
        - `date`, the day in UTC on which the tagged commit was committed, as `YYYY-MM-DD`, or None;
        - `changelog`, the Markdown below `## VERSION` in its CHANGELOG.md;
        - `lacks`, a list of what could not be read of it, and why;
        - `rust`, `questions`, `images` and `crates` as `catalog version` wrote them; None and empty
          where that could not be read;
        - `changes` since the newest earlier version that is no prerelease and could be read, or
          None: `since`, that version; `rust`, which it was and which it is, or None; `questions`
          (by their defaults), `images` and, for each framework, the direct `crates`, all three with
          what is `new`, what is `gone` and what is `changed` from one value to another; `choices`,
          which ones of a question are `new` and `gone`; in `crates` also `others`, how many other
          locked crates differ.

    Raises:
        GitFailed: The folder is no repository, or a broken one.

    Source: https://packaging.python.org/en/latest/specifications/version-specifiers/ for versions
    and their order, which is Copier's: https://copier.readthedocs.io/en/stable/generating/
    """
    tags = released(folder)
    wanted = [name for tag in tags.values() for name in _names(tag)]
    known = _known(folder, wanted)
    contents = _contents(folder, known.values())
    rows: list[dict[str, Any]] = []
    before = None
    for version in sorted(tags):
        commit, *files = (known.get(name) for name in _names(tags[version]))
        if commit is None:
            continue
        row = _row(tags[version], commit, files, contents)
        row["changes"] = changes(before, row) if before and row["rust"] is not None else None
        rows.append(row)
        if row["rust"] is not None and not row["prerelease"]:
            before = row
    rows.reverse()
    finished = (row["version"] for row in rows if not row["prerelease"])
    return {"latest": next(finished, None), "versions": rows}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version changes, as `index` describes it.

    Args:
        before: The earlier version, as `index` has it.
        after: The later one.
    """
    asked, asks = before["questions"], after["questions"]
    rust = [before["rust"], after["rust"]]
    return {
        "since": before["version"],
        "rust": rust if rust[0] != rust[1] else None,
        "questions": _compared(
            {name: each["default"] for name, each in asked.items()},
            {name: each["default"] for name, each in asks.items()},
        ),
        "choices": {
            name: {
                "new": [each for each in offers if each not in offered],
                "gone": [each for each in offered if each not in offers],
            }
            for name in asks
            if name in asked
            and (offered := asked[name]["choices"]).keys()
            != (offers := asks[name]["choices"]).keys()
        },
        "images": _compared(before["images"], after["images"]),
        "crates": {
            framework: _crates(
                before["crates"].get(framework, {"direct": {}, "locked": {}}),
                after["crates"].get(framework, {"direct": {}, "locked": {}}),
            )
            for framework in before["crates"] | after["crates"]
        },
    }


def _names(tag: str) -> tuple[str, ...]:
    """Return how git calls the commit of a tag and the files that are read of it."""
    return (f"refs/tags/{tag}^{{commit}}", *(f"refs/tags/{tag}:{file}" for file in FILES))


def _known(folder: Path, names: Iterable[str]) -> dict[str, _Object]:
    """Return what git knows of the objects that have these names and are there."""
    asked = list(names)
    given = "".join(f"{name}\n" for name in asked).encode()
    printed = git("cat-file", "--batch-check", folder=folder, given=given, settings=SETTINGS)
    found = {}
    for name, line in zip(asked, printed.decode("utf-8", "replace").splitlines(), strict=True):
        match line.split(" "):
            case [digest, kind, size] if size.isdigit():
                found[name] = _Object(digest, kind, int(size))
    return found


def _contents(folder: Path, objects: Iterable[_Object]) -> dict[str, bytes]:
    """Return the contents of the commits and files that are not too large, by their hashes."""
    wanted = {
        each.name: each.size
        for each in objects
        if each.kind in {"commit", "blob"} and each.size <= LARGEST_FILE
    }
    given = "".join(f"{name}\n" for name in wanted).encode()
    printed = git("cat-file", "--batch", folder=folder, given=given, settings=SETTINGS)
    found, place = {}, 0
    for name, size in wanted.items():
        begin = printed.index(b"\n", place) + 1
        found[name] = printed[begin : begin + size]
        place = begin + size + 1
    return found


def _row(
    tag: str,
    commit: _Object,
    files: Iterable[_Object | None],
    contents: Mapping[str, bytes],
) -> dict[str, Any]:
    """Return a version with what could be read of it."""
    version = Version(tag)
    published, changelog = files
    lacks = []
    date, section = None, ""
    offered: dict[str, Any] = {"rust": None, "questions": {}, "images": {}, "crates": {}}
    try:
        date = _date(contents.get(commit.name, b""))
    except _Unusable as reason:
        lacks.append(str(reason))
    try:
        section = _section(_text(changelog, contents), {str(version), tag})
    except _Unusable as reason:
        lacks.append(f"{CHANGELOG} {reason}")
    try:
        offered = _offered(_text(published, contents))
    except _Unusable as reason:
        lacks.append(f"{PUBLISHED} {reason}")
    return {
        "version": str(version),
        "tag": tag,
        "commit": commit.name,
        "date": date,
        "prerelease": version.is_prerelease,
        "changelog": section,
        "lacks": lacks,
        **offered,
    }


def _date(commit: bytes) -> str:
    """Return the day in UTC on which a commit was committed.

    Source: https://git-scm.com/docs/git-commit-tree#_commit_information
    """
    found = COMMITTER.search(commit.partition(b"\n\n")[0])
    try:
        return datetime.fromtimestamp(int(found[1] if found else ""), UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        raise _Unusable("its commit has no date that can be read") from None


def _text(found: _Object | None, contents: Mapping[str, bytes]) -> str:
    if found is None or found.kind != "blob":
        raise _Unusable("is not there")
    if found.name not in contents:
        raise _Unusable(f"is larger than {LARGEST_FILE >> 20} MiB")
    try:
        return contents[found.name].decode("utf-8")
    except UnicodeDecodeError:
        raise _Unusable("is not UTF-8") from None


def _section(changelog: str, names: Iterable[str]) -> str:
    """Return what a changelog says below the heading of a version, which may have two names."""
    heading = "|".join(map(re.escape, names))
    text = changelog.replace("\r\n", "\n")
    found = re.search(rf"^## (?:{heading})[ \t]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise _Unusable("has no section of this version")
    if len(found[1]) > LARGEST_SECTION:
        raise _Unusable(f"has more than {LARGEST_SECTION >> 10} KiB on this version")
    return found[1].strip()


def _offered(text: str) -> dict[str, Any]:
    """Return what a version asks and pins, without what is not known here."""
    try:
        value = json.loads(text)
        # JSON can escape half of a character, which no file can hold.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _Unusable("is no JSON") from None
    found = {}
    for name, shape in SHAPE.items():
        try:
            found[name] = _cut(_cut(value, dict).get(name), shape)
        except TypeError:
            raise _Unusable(f"has no `{name}` as `catalog version` writes it") from None
    return found


def _cut(value: Any, shape: Any) -> Any:
    """Return what a value has of a shape.

    Raises:
        TypeError: It is of another one.
    """
    if isinstance(shape, type):
        if not isinstance(value, shape):
            raise TypeError
        return value
    if isinstance(shape, tuple):
        first, second = shape
        return _cut(value, first if isinstance(value, first) else second)
    if isinstance(shape, list):
        return [_cut(each, shape[0]) for each in _cut(value, list)]
    names = _cut(value, dict)
    if "*" in shape:
        return {name: _cut(each, shape["*"]) for name, each in names.items()}
    return {
        name.removesuffix("?"): _cut(names.get(name.removesuffix("?")), each)
        for name, each in shape.items()
        if not name.endswith("?") or name.removesuffix("?") in names
    }


def _compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is new, what is gone, and what has another value, as a pair of them."""
    return {
        "new": {name: after[name] for name in after if name not in before},
        "gone": {name: before[name] for name in before if name not in after},
        "changed": {
            name: [before[name], after[name]]
            for name in after
            if name in before and before[name] != after[name]
        },
    }


def _crates(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the crates of a framework: the direct ones by name, the others by number."""
    was, now = before["locked"], after["locked"]
    direct = before["direct"].keys() | after["direct"].keys()
    others = (was.keys() | now.keys()) - direct
    return {
        **_compared(before["direct"], after["direct"]),
        "others": sum(was.get(name) != now.get(name) for name in others),
    }
