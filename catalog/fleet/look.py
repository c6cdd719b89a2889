"""Where one service stands: what is known of it, and what of that needs a person."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.fleet.ends import ended
from catalog.fleet.repositories import Service
from catalog.fleet.tags import Tags
from extensions.policy import Policy, violations
from hooks.check_recorded import same_source

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
        remote: The URL of its repository without a password, "" if that has none.
        folder: Its folder in the repository, "" for all of it.
        commit: The full id of the commit that was read.
        branch: The branch that has this commit, "" if none was asked for.
        violations: What is against the policy, a line each.
        ended: The bases that are past their end of life, a line each.
        reason: Why it is broken or foreign.
        seen: What its tree determines.
        url: The URL of its repository as git takes it, which may have a password; never shown.
    """

    place: str
    state: str = "current"
    name: str = ""
    owner: str = ""
    version: str = ""
    behind: int | None = None
    framework: str = ""
    runtime: str = ""
    remote: str = ""
    folder: str = ""
    commit: str = ""
    branch: str = ""
    violations: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    reason: str = ""
    seen: Seen = field(default_factory=Seen)
    url: str = field(default="", repr=False)

    @property
    def is_finding(self) -> bool:
        """Whether it needs a person."""
        return self.state in FINDINGS

    def as_data(self) -> dict[str, Any]:
        """Return the row as JSON has it: one level, without the answers but those in it."""
        found = {**vars(self), **vars(self.seen), "reason": self.reason}
        for name in ("seen", "url", "answers"):
            del found[name]
        return found


def is_ours(answers: Mapping[str, Any], sources: frozenset[str]) -> bool:
    """Tell whether a service is made from the template.

    Args:
        answers: What it records.
        sources: The names of the template, as `same_source` gives them.
    """
    return same_source(answers["_src_path"]) in sources


def broken(place: Path | str, reason: str) -> Row:
    """Return the row of a place that cannot be looked at."""
    return Row(str(place), "broken", reason=reason)


@dataclass(frozen=True)
class Yardstick:
    """What services are judged by.

    Attributes:
        tags: The versions of the template.
        sources: The names by which services know it, as `same_source` gives them.
        policy: What the organisation decides, if it does.
        today: The day to compare the ends of life with.
    """

    tags: Tags
    sources: frozenset[str]
    policy: Policy | None
    today: datetime.date


def judged(service: Service, seen: Seen, by: Yardstick) -> Row:
    """Return what is known of a service; what changes by itself is judged now.

    Args:
        service: It, as it is committed.
        seen: What its tree determines.
        by: What it is judged by.
    """
    answers = seen.answers
    row = Row(
        service.place,
        version=str(answers.get("_commit", "")),
        remote=service.remote,
        folder=service.folder,
        commit=service.commit,
        branch=service.branch,
        reason=seen.reason,
        seen=seen,
        url=service.url,
    )
    row.name, row.owner, row.framework, row.runtime = (
        str(answers.get(name, "")) for name in ("service_name", "owner", "framework", "runtime")
    )
    if answers and not is_ours(answers, by.sources):
        row.state, row.reason = "foreign", f"is made from {answers['_src_path']}"
        return row
    row.behind = by.tags.behind(row.version)
    if answers:
        row.ended = ended(seen.images, by.policy, by.today)
        if by.policy:
            row.violations = violations(by.policy, answers, row.version, (), by.today)
    row.state = _state(row)
    return row


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
