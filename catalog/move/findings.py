"""What a report of a move says: how far it is, what needs a person by its cause, what was decided.

It is made from a plan and a journal, wherever the move ran.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from catalog.move.causes import cause_id, cause_of, flat, general
from catalog.move.outcome import BRANCH, Outcome
from catalog.move.plan import Plan, Service
from catalog.visible import visible
from extensions.text import shell

# A command names the services of a group up to this many, and beyond that the group.
MOST_NAMED = 20


@dataclass(frozen=True)
class Failed:
    """A service that needs a person.

    Attributes:
        name: What people call it.
        remote: The URL of its repository.
        folder: Its folder in that, "" for all of it.
        version: The version that it has.
        reason: Why its move failed, exactly.
    """

    name: str
    remote: str
    folder: str
    version: str
    reason: str


@dataclass(frozen=True)
class Group:
    """Services whose moves failed for one cause.

    Attributes:
        id: What `--cause` takes.
        outcome: The word for how they ended.
        cause: What they have in common, the word first.
        retry: The command that tries just these again.
        services: They, in the order of the plan.
    """

    id: str
    outcome: str
    cause: str
    retry: str
    services: list[Failed]


@dataclass(frozen=True)
class TookDefault:
    """A new question that nobody was asked.

    Attributes:
        question: Its name.
        default: What was answered.
        services: How many services took that.
    """

    question: str
    default: Any
    services: int


@dataclass(frozen=True)
class LeftOut:
    """Services that the plan leaves out for one reason."""

    reason: str
    services: list[str]


@dataclass(frozen=True)
class WaveCount:
    """How far a wave is.

    Attributes:
        wave: Its name.
        services: How many services it has.
        had: Those that had the version.
        branches: Those whose remote has a branch with it.
        failed: Those that need a person.
        skipped: Those that a person left out.
        untried: Those of which nothing is known.
    """

    wave: str
    services: int
    had: int = 0
    branches: int = 0
    failed: int = 0
    skipped: int = 0
    untried: int = 0


@dataclass(frozen=True)
class Report:
    """What a move has done.

    Attributes:
        name: What people call the template: the last part of its URL.
        template: The URL or path of the template.
        to: The version that services go to.
        branch: The branch that is made in each remote.
        plan: The file of the plan.
        services: How many services the plan is about, those that had the version among them.
        had: Those that had the version.
        branches: Those whose remote has a branch with it.
        failed: Those that need a person.
        skipped: Those that a person left out.
        untried: Those of which nothing is known.
        groups: What needs a person, by its cause; the largest group first.
        defaults: The new questions that took their default.
        left_out: What the plan leaves out, by the reason.
        waves: How far each wave is.
        seconds: How long all moves took, one after the other.
    """

    name: str
    template: str
    to: str
    branch: str
    plan: str
    services: int
    had: int
    branches: int
    failed: int
    skipped: int
    untried: int
    groups: list[Group]
    defaults: list[TookDefault]
    left_out: list[LeftOut]
    waves: list[WaveCount]
    seconds: float


def made(plan: Plan, outcomes: Mapping[str, Outcome], plan_file: str) -> Report:
    """Return the report of a move.

    Args:
        plan: The plan. What is not in it does not count, though a journal may have it.
        outcomes: How each move ended, by the service's key.
        plan_file: The file of the plan, as a person types it.
    """
    waves = [_wave_count(wave.name, wave.services, outcomes) for wave in plan.waves]
    counts = {
        name: sum(getattr(wave, name) for wave in waves)
        for name in ("had", "branches", "failed", "skipped", "untried")
    }
    counts["had"] += plan.current
    known = [outcomes[each.key] for each in plan.services if each.key in outcomes]
    return Report(
        name=_name(plan.template),
        template=flat(plan.template),
        to=flat(plan.to),
        branch=flat(plan.branch),
        plan=plan_file,
        services=sum(counts.values()),
        **counts,
        groups=_groups(plan, outcomes, plan_file),
        defaults=_defaults(known),
        left_out=_left_out(plan.left_out),
        waves=waves,
        seconds=round(sum(each.seconds for each in known), 2),
    )


def of_waves(plan: Plan, names: Iterable[str]) -> Plan:
    """Return the part of a plan that some of its waves are; what is not in a wave is not in it."""
    wanted = set(names)
    waves = [wave for wave in plan.waves if wave.name in wanted]
    return replace(plan, waves=waves, current=0, left_out=[])


def as_data(report: Report) -> dict[str, Any]:
    """Return a report as JSON has it; `line` is its first line."""
    return {"line": first_line(report), **asdict(report)}


def first_line(report: Report, show: Callable[[str], str] = str) -> str:
    """Return the line that a person can quote.

    Args:
        report: The report.
        show: What to do with what others have named.
    """
    have = report.had + report.branches
    left_out = sum(len(each.services) for each in report.left_out)
    line = (
        f"{show(report.name)} {show(report.to)}: {have} of {counted(report.services, 'service')} "
        f"{'has' if report.services == 1 else 'have'} it or a branch with it "
        f"({report.had} had it, {counted(report.branches, 'branch', 'branches')})"
    )
    parts = [line]
    if report.failed:
        parts.append(f"{report.failed} {'needs' if report.failed == 1 else 'need'} a person")
    if report.untried:
        parts.append(f"{report.untried} {'is' if report.untried == 1 else 'are'} not tried yet")
    if report.skipped:
        parts.append(f"{report.skipped} {'was' if report.skipped == 1 else 'were'} skipped")
    line = f"{', '.join(parts)}."
    return f"{line} The plan leaves out {left_out}." if left_out else line


def counted(number: int, what: str, many: str = "") -> str:
    """Return a number of things, as people say it."""
    return f"{number} {what if number == 1 else many or f'{what}s'}"


def duration(seconds: float) -> str:
    """Return a duration, as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def limit(text: str, number: int) -> int:
    """Return how many services may fail.

    Args:
        text: A count, or a share such as `10%`, which is rounded down.
        number: How many services there are.

    Raises:
        ValueError: It is neither; the message is one line.
    """
    found = re.fullmatch(r"([0-9]{1,9})(%?)", text, re.ASCII)
    if found is None or (found[2] and int(found[1]) > 100):
        raise ValueError(f"{flat(text)!r} must be a number of services, or a share such as 10%")
    return number * int(found[1]) // 100 if found[2] else int(found[1])


def beyond(report: Report, most: str) -> str:
    """Say which wave of a report failed too often; "" if none did.

    What was not tried counts too: whoever asks has let all of it run, so a job has died.

    Args:
        report: What has run: that of `of_waves`, if others have not.
        most: How many services of a wave may fail, as `limit` takes it.

    Raises:
        ValueError: That is no limit.
    """
    for wave in report.waves:
        allowed = limit(most, wave.services)
        if wave.failed + wave.untried > allowed:
            untried = f", {wave.untried} were not tried" if wave.untried else ""
            return (
                f"{wave.wave}: {wave.failed} of {counted(wave.services, 'service')} failed"
                f"{untried}; --max-failed {most} allows {allowed}"
            )
    return ""


def _name(template: str) -> str:
    last = re.split(r"[/:]", flat(template).rstrip("/"))[-1].removesuffix(".git")
    return last or flat(template)


def _wave_count(
    name: str, services: Sequence[Service], outcomes: Mapping[str, Outcome]
) -> WaveCount:
    found = Counter(_fate(outcomes.get(service.key)) for service in services)
    return WaveCount(flat(name), len(services), **found)


def _fate(outcome: Outcome | None) -> str:
    """Return which count of a wave a service is in."""
    if outcome is None:
        return "untried"
    if outcome.outcome == "current":
        return "had"
    if outcome.outcome in BRANCH:
        return "branches"
    # A word that a later version of this program has written is for a person, too.
    return "skipped" if outcome.outcome == "skipped" else "failed"


def _groups(plan: Plan, outcomes: Mapping[str, Outcome], plan_file: str) -> list[Group]:
    found: dict[str, list[Service]] = defaultdict(list)
    for service in plan.services:
        outcome = outcomes.get(service.key)
        if _fate(outcome) == "failed" and outcome is not None:
            found[cause_of(outcome, service)].append(service)
    names = Counter(service.name for service in plan.services)
    names.update(service.key for service in plan.services)
    groups = []
    for cause, services in found.items():
        failed = [_failed(service, outcomes[service.key]) for service in services]
        called = [each.name if names[each.name] == 1 else each.key for each in services]
        retry = _retry(plan_file, cause_id(cause), called)
        word = outcomes[services[0].key].outcome
        groups.append(Group(cause_id(cause), word, _title(word, failed, cause), retry, failed))
    return sorted(groups, key=lambda group: (-len(group.services), group.cause))


def _failed(service: Service, outcome: Outcome) -> Failed:
    return Failed(
        name=flat(service.name),
        remote=flat(service.remote),
        folder=flat(service.folder),
        version=flat(outcome.before or service.since),
        reason=flat(outcome.reason),
    )


def _title(word: str, failed: Sequence[Failed], cause: str) -> str:
    """Return what services have in common: all of the reason, if it is the same for all."""
    reasons = {each.reason for each in failed}
    if len(failed) == 1 or len(reasons) > 1:
        return flat(cause)
    return ": ".join(filter(None, [flat(word), *reasons]))


def _retry(plan_file: str, group: str, called: Sequence[str]) -> str:
    file = visible(f"./{plan_file}" if plan_file.startswith("-") else plan_file)
    words = ["catalog", "update", file, "--only-failed"]
    # What cannot be shown as it is cannot be typed.
    if len(called) > MOST_NAMED or any(flat(name) != name for name in called):
        words += ["--cause", group]
    else:
        words += [word for name in called for word in ("--service", name)]
    return " ".join(map(shell, words))


def _defaults(outcomes: Iterable[Outcome]) -> list[TookDefault]:
    counts: Counter[tuple[str, str]] = Counter()
    values: dict[tuple[str, str], Any] = {}
    for outcome in outcomes:
        if _fate(outcome) != "branches":
            continue
        for question, default in outcome.defaults.items():
            key = (flat(question), repr(default))
            counts[key] += 1
            values[key] = default
    return [TookDefault(key[0], values[key], count) for key, count in sorted(counts.items())]


def _left_out(services: Iterable[Service]) -> list[LeftOut]:
    found: dict[str, list[str]] = defaultdict(list)
    for service in services:
        found[general(service.reason, service)].append(flat(service.name))
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [LeftOut(reason, names) for reason, names in ordered]
