"""Looks at one service: where it stands, what its owners changed, and what needs a person."""

import datetime
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from catalog.fleet.expected import NotRendered
from catalog.fleet.releases import Releases
from catalog.fleet.repositories import Committed
from extensions.policy import Policy, violations
from hooks.check_recorded import MARKER, Unusable, expanded, parse
from hooks.command_line import ANSWERS_FILE
from hooks.pinned import images

# What needs a person most comes first; the last three need nobody.
STATES = (
    "broken",
    "conflict",
    "violation",
    "ended",
    "stale",
    "behind",
    "foreign",
    "edited",
    "current",
)
FINDINGS = STATES[: STATES.index("foreign")]
DOCKERFILE = "Dockerfile"


@dataclass
class Seen:
    """What a tree alone determines of a service, beside the versions of the template.

    Attributes:
        answers: The answers that it records, empty if they cannot be read.
        images: What its Dockerfile is built from and on.
        conflicts: The files with marks of a conflict.
        edited: The files of the template that the owners changed.
        missing: The files of the template that are not there.
        modes: The files that have another mode.
        stale: The files that are as another version makes them, with that version.
        reason: Why it cannot be compared, "" if it can.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    stale: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass
class Row:
    """What is known of a service.

    Attributes:
        place: Where it is, as people know it.
        state: One of `STATES`, the first that holds.
        name: The name of the service.
        owner: Who answers for it.
        version: The version of the template that it records.
        behind: How many versions were released since; None if that cannot be said.
        framework: Its framework.
        runtime: Its base of the image.
        violations: What is against the policy, a line each.
        ended: The bases that are past their end of life, a line each.
        reason: Why it is broken or foreign.
        seen: What its tree determines.
    """

    place: str
    state: str = "current"
    name: str = ""
    owner: str = ""
    version: str = ""
    behind: int | None = None
    framework: str = ""
    runtime: str = ""
    violations: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    reason: str = ""
    seen: Seen = field(default_factory=Seen)

    @property
    def is_finding(self) -> bool:
        """Whether it needs a person."""
        return self.state in FINDINGS

    def as_data(self) -> dict[str, Any]:
        """Return the row as JSON has it: one level, without the answers but those in it."""
        found = asdict(self)
        seen = found.pop("seen")
        del seen["answers"], seen["reason"]
        return {**found, **seen}


@dataclass(frozen=True)
class Fleet:
    """What services are compared with.

    Attributes:
        releases: The versions of the template.
        sources: The names by which services know it: URLs and paths, as `same_source` gives them.
        policy: What the organisation decides, if it does.
        today: The day to compare the ends of life with.
        cache: What was seen of trees before.
    """

    releases: Releases
    sources: frozenset[str]
    policy: Policy | None
    today: datetime.date
    cache: MutableMapping[str, Seen]


def same_source(url: str) -> str:
    """Return a name of a template in the form in which two of them can be compared."""
    return expanded(url).removesuffix("/").removesuffix(".git")


def broken(place: Path | str, reason: str) -> Row:
    """Return the row of a place that cannot be looked at."""
    return Row(str(place), "broken", reason=reason)


def look(service: Committed, fleet: Fleet) -> Row:
    """Return what is known of a service.

    Args:
        service: It, as it is committed.
        fleet: What it is compared with.
    """
    tree = str(service.tree.id)
    try:
        seen = fleet.cache[tree]
    except KeyError:
        seen = fleet.cache[tree] = _see(service, fleet)
    answers = seen.answers
    version = str(answers.get("_commit", ""))
    row = Row(service.place, version=version, reason=seen.reason, seen=seen)
    row.name, row.owner, row.framework, row.runtime = (
        str(answers.get(name, "")) for name in ("service_name", "owner", "framework", "runtime")
    )
    if answers and not _is_ours(answers, fleet):
        row.state, row.reason = "foreign", f"is made from {answers['_src_path']}"
        return row
    row.behind = fleet.releases.behind(version)
    if answers and fleet.policy:
        for line in violations(fleet.policy, answers, version, seen.images, fleet.today):
            (row.ended if line.startswith("image: ") else row.violations).append(line)
    row.state = _state(row)
    return row


def _is_ours(answers: Mapping[str, Any], fleet: Fleet) -> bool:
    return same_source(answers["_src_path"]) in fleet.sources


def _see(service: Committed, fleet: Fleet) -> Seen:
    """Return what the tree of a service determines."""
    text = service.text(ANSWERS_FILE)
    try:
        if text is None:
            raise Unusable(f"{ANSWERS_FILE}: is no file of less than a megabyte")
        answers = parse(text)
    except Unusable as reason:
        conflicts = [ANSWERS_FILE] if text and MARKER.search(text) else []
        return Seen(reason=str(reason), conflicts=conflicts)
    found = sorted(set(images(service.text(DOCKERFILE) or "").values()) - {"scratch"})
    seen = Seen(answers, found)
    if _is_ours(answers, fleet):
        try:
            _compare(seen, service, fleet.releases)
        except NotRendered as reason:
            seen.reason = str(reason)
    return seen


def _compare(seen: Seen, service: Committed, releases: Releases) -> None:
    """Note how the files of a service differ from what its version makes.

    Raises:
        NotRendered: The version cannot be made.
    """
    changed = {}
    version = str(seen.answers["_commit"])
    for path, file in sorted(releases.files(version, seen.answers).items()):
        found = service.entry(path)
        if found is None:
            seen.missing.append(path)
        elif found[1] not in (file.sha1, file.sha256):
            changed[path] = found[1]
        elif found[0] != file.mode:
            seen.modes.append(path)
    seen.stale = _as_another_version(changed, seen.answers, releases)
    seen.edited = [path for path in changed if path not in seen.stale]
    seen.conflicts = [path for path in seen.edited if MARKER.search(service.text(path) or "")]


def _as_another_version(
    changed: Mapping[str, str], answers: Mapping[str, Any], releases: Releases
) -> dict[str, str]:
    """Return which files are as another version makes them, with that version.

    Args:
        changed: The blobs of files that are not as the service's own version makes them.
        answers: The answers of the service.
        releases: The versions.
    """
    found: dict[str, str] = {}
    for tag in reversed(releases.tags.values()):
        left = changed.keys() - found.keys()
        if not left:
            break
        if tag != answers["_commit"]:
            with suppress(NotRendered):
                for path, file in releases.files(tag, answers, left).items():
                    if changed[path] in (file.sha1, file.sha256):
                        found[path] = tag
    return dict(sorted(found.items()))


def _state(row: Row) -> str:
    """Return the first state that holds."""
    seen = row.seen
    holds = {
        "broken": seen.reason and not seen.conflicts,
        "conflict": seen.conflicts,
        "violation": row.violations,
        "ended": row.ended,
        "stale": seen.stale,
        "behind": row.behind,
        "edited": seen.edited or seen.missing or seen.modes,
    }
    return next((state for state in STATES if holds.get(state)), "current")
