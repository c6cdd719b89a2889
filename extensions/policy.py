"""What an organisation decides for its services: the one file of its policy.

`extensions/policy_file.py` says which. Copies and updates are checked against it, and the catalog
reads it. Its schema is published as `catalog/published/policy.schema.json`.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

from . import rules
from .announce import MOST_BYTES, no_yaml
from .patterns import glob
from .pins import versions
from .policy_file import policy_file
from .questions import questions
from .registry import frameworks
from .renames import version
from .rules import CHOICES, RULES, SEVERAL, Answer, Refusal, said, shown, yes_or_no

PORTS = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")
# Each service has its own.
OWN = frozenset({"service_name", "description"})


class BadPolicy(ValueError):
    """A policy that cannot be followed; the message is one line that says what would be right."""


@dataclass(frozen=True)
class Preset:
    """Answers that the organisation recommends together.

    Attributes:
        help: What they are for.
        answers: The answers by the names of their questions.
    """

    help: str
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class Policy:
    """What an organisation decides.

    Attributes:
        file: Where it stands.
        name: How people know it.
        contact: Whom they ask, "" if it does not say.
        template: Where the organisation has the template, "" if it does not say.
        minimum_version: The oldest version of the template that services may be made from.
        locked: Answers that every service has, by the names of their questions.
        allowed: What may be answered: for a question with choices, some of them; for the port,
            numbers and ranges such as `9000-9099`; for text, patterns with `*` and `?`.
        presets: Answers that are recommended together, by name.
        end_of_life: The day from which on no image is built on a base, by the patterns of bases.
    """

    file: Path
    name: str
    contact: str = ""
    template: str = ""
    minimum_version: str = ""
    locked: Mapping[str, Answer] = field(default_factory=dict)
    allowed: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)
    end_of_life: Mapping[str, datetime.date] = field(default_factory=dict)

    @property
    def says_so(self) -> str:
        """The end of a line that refuses something."""
        contact = f", ask {self.contact}" if self.contact else ""
        return f"the policy {self.name} says so ({self.file}{contact})"


def current() -> Policy | None:
    """Return the policy that counts here, None where there is none.

    Raises:
        BadPolicy: It cannot be followed.
    """
    file = policy_file()
    return _read(file) if file else None


def refusal(policy: Policy | None, value: object, question: str) -> str:
    """Say why an answer is refused: by its rule, or else by a policy.

    Returns:
        One sentence with what would be right, or an empty string when the answer is fine.
    """
    reason = rules.refusal(value, question)
    return reason if reason or policy is None else _against(policy, value, question)


def _against(policy: Policy, value: object, question: str) -> str:
    """Say why a policy refuses an answer that is legal by its rule, "" if it does not."""
    wanted = _wanted(policy, RULES[question](value), question)
    return f"{shown(value)} must be {wanted}; {policy.says_so}" if wanted else ""


def violations(
    policy: Policy,
    answers: Mapping[str, object],
    commit: str | None,
    images: Iterable[str],
    today: datetime.date,
) -> list[str]:
    """Say what of a service is against a policy.

    Args:
        policy: The policy.
        answers: The answers of the service, as recorded; what is no question's name is left out.
        commit: The version of the template that it is made from, as Copier records it.
        images: The bases that it is built from and on, as its Dockerfile names them.
        today: The day to compare the ends of life with.

    Returns:
        One line for each, which begins with the name of the question or with `template`, and names
        the policy.
    """
    lines = refused(policy, answers)
    if too_old := outdated(policy, commit):
        lines.append(too_old)
    lines += [
        f"image: {image} came to its end on {end}; {policy.says_so}"
        for image in dict.fromkeys(images)
        for end in ends(policy, image)
        if end <= today
    ]
    return lines


def ends(policy: Policy, image: str) -> list[datetime.date]:
    """Return the days from which on a policy lets no service be built on an image.

    Args:
        policy: The policy.
        image: The image; where a mirror has it, its name elsewhere counts too.
    """
    parts = image.split("/")
    names = ["/".join(parts[place:]) for place in range(len(parts))]
    return [
        end
        for pattern, end in policy.end_of_life.items()
        if any(re.fullmatch(glob(pattern), name) for name in names)
    ]


def refused(policy: Policy, answers: Mapping[str, object]) -> list[str]:
    """Say which answers that are legal by their rules are against a policy, a line for each."""
    return [
        f"{name}: {reason}"
        for name in questions()
        if name in answers
        and not rules.refusal(answers[name], name)
        and (reason := _against(policy, answers[name], name))
    ]


def outdated(policy: Policy, commit: str | None) -> str:
    """Say in a line that a version of the template is older than a policy wants, "" if it is not.

    Args:
        policy: The policy.
        commit: The version as Copier records it; None for a template without history.
    """
    found = version(commit) if commit else None
    if not policy.minimum_version or (found and found >= Version(policy.minimum_version)):
        return ""
    made_from = commit or "a template without versions"
    return f"template: {made_from} must be {policy.minimum_version} or later; {policy.says_so}"


def preferred(policy: Policy | None) -> dict[str, Answer]:
    """Return what a policy puts in the place of defaults.

    Returns:
        The locked answers, and for each question whose default is not allowed the first answer that
        is, unless that is a pattern.
    """
    if policy is None:
        return {}
    found: dict[str, Answer] = {}
    for name in _without_default(policy):
        allowed = policy.allowed[name]
        if name in SEVERAL:
            found[name] = [str(each) for each in allowed]
        elif name == "port":
            found[name] = int(str(allowed[0]).partition("-")[0])
        elif not re.search(r"[*?]", str(allowed[0])):
            found[name] = allowed[0]
    return {**found, **policy.locked}


def left_open(policy: Policy | None) -> list[str]:
    """Return the questions whose default a policy does not allow, without another in its place."""
    if policy is None:
        return []
    return [name for name in _without_default(policy) if name not in preferred(policy)]


def _without_default(policy: Policy) -> list[str]:
    return [
        name
        for name in policy.allowed
        if any(_wanted(policy, default, name) for default in _defaults(name))
    ]


def _defaults(name: str) -> list[object]:
    """Return what a question may have as its default."""
    if name in OWN:
        return []
    if name == "port":
        return [each.port for each in frameworks().values()]
    if name == "rust_version":
        return [versions()["rust"]]
    return [questions()[name]["default"]] if "default" in questions()[name] else []


def _wanted(policy: Policy, value: object, question: str) -> str:
    """Say what a legal answer must be instead, "" if the policy allows it."""
    if question in policy.locked:
        locked = policy.locked[question]
        return "" if value == locked else said(locked)
    if question not in policy.allowed:
        return ""
    allowed = policy.allowed[question]
    values = value if isinstance(value, list) else [value]
    if all(any(_matches(each, one) for one in allowed) for each in values):
        return ""
    return f"one of {', '.join(map(said, allowed))}"


def _matches(value: object, allowed: Answer) -> bool:
    if isinstance(value, bool) or isinstance(allowed, bool):
        return value is allowed
    if isinstance(value, int):
        ends = PORTS.fullmatch(str(allowed))
        return int(ends[1]) <= value <= int(ends[2]) if ends else value == allowed
    return re.fullmatch(glob(str(allowed)), str(value)) is not None


# --------------------------------------------------------------------------------- reading it


@cache
def _read(file: Path) -> Policy:
    """Read a policy.

    Raises:
        BadPolicy: It cannot be read, or says something that has no meaning.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BadPolicy(f"policy {file}: must have less than a megabyte")
        found = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as reason:
        raise BadPolicy(f"policy {file}: cannot be read: {reason}") from None
    except yaml.YAMLError as reason:
        raise BadPolicy(f"policy {file}: {no_yaml(reason)}") from None
    if not isinstance(found, dict):
        raise BadPolicy(f"policy {file}: must be a mapping, such as `name: Acme`")
    values: dict[str, Any] = {}
    try:
        for key, value in found.items():
            if key not in PARTS:
                raise BadPolicy(f"{shown(key)[1:-1]}: is none of {', '.join(PARTS)}")
            values[key] = PARTS[key](value, str(key))
        if "name" not in values:
            raise BadPolicy("name: must say how people know this policy")
        for name in values.get("locked", {}).keys() & values.get("allowed", {}).keys():
            raise BadPolicy(f"allowed.{name}: is locked already; keep one of both")
        policy = Policy(file=file, **values)
        for preset, wanted in policy.presets.items():
            for name, answer in wanted.answers.items():
                if needed := _wanted(policy, answer, name):
                    where = f"presets.{preset}.answers.{name}"
                    raise BadPolicy(f"{where}: {shown(answer)} must be {needed}, as all services")
    except BadPolicy as reason:
        raise BadPolicy(f"policy {file}: {reason}") from None
    return policy


def _line(value: object, where: str) -> str:
    try:
        return str(rules.description(value))
    except Refusal as reason:
        raise BadPolicy(f"{where}: {reason}") from None


def _version(value: object, where: str) -> str:
    try:
        return str(Version(_line(value, where)))
    except InvalidVersion:
        raise BadPolicy(
            f"{where}: {shown(value)} must be a version in quotes, such as '1.2.0'"
        ) from None


def _mapping(value: object, where: str, example: str) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadPolicy(f"{where}: must be a mapping, such as {{{example}}}")
    return value


def _question(name: str, where: str) -> None:
    if name not in questions():
        raise BadPolicy(f"{where}.{name}: no question has this name")


def _answers(value: object, where: str) -> dict[str, Answer]:
    answers = {}
    for name, answer in _mapping(value, where, "runtime: scratch").items():
        _question(name, where)
        if name in OWN:
            raise BadPolicy(f"{where}.{name}: each service has its own")
        try:
            answers[name] = RULES[name](answer)
        except Refusal as reason:
            raise BadPolicy(f"{where}.{name}: {reason}") from None
    return answers


def _allowed(value: object, where: str) -> dict[str, tuple[Answer, ...]]:
    found = {}
    for name, given in _mapping(value, where, "runtime: [scratch]").items():
        _question(name, where)
        if not isinstance(given, list) or not given:
            raise BadPolicy(f"{where}.{name}: must be a list of what is allowed")
        found[name] = tuple(_one(each, name, f"{where}.{name}") for each in given)
    return found


def _one(value: object, name: str, where: str) -> Answer:
    """Read one of the things that may be answered to a question."""
    ends = PORTS.fullmatch(value) if name == "port" and isinstance(value, str) else None
    try:
        if ends:
            if RULES[name](ends[1]) > RULES[name](ends[2]):  # type: ignore[operator]
                raise BadPolicy(
                    f"{where}: {shown(value)} must be from the lower port to the higher"
                )
            return str(value)
        if name in SEVERAL:
            return str(RULES[name]([value])[0])  # type: ignore[index]
        if name in CHOICES or name == "port" or RULES[name] is yes_or_no:
            return RULES[name](value)
    except Refusal as reason:
        raise BadPolicy(f"{where}: {reason}") from None
    if not isinstance(value, str):
        raise BadPolicy(f"{where}: {shown(value)} must be text in quotes, such as 'acme-*'")
    return value


def _presets(value: object, where: str) -> dict[str, Preset]:
    found = {}
    for name, given in _mapping(value, where, "api: {help: …, answers: {…}}").items():
        at = f"{where}.{name}"
        parts = _mapping(given, at, "help: …, answers: {…}")
        if parts.keys() != {"help", "answers"}:
            raise BadPolicy(f"{at}: must say help and answers, and nothing else")
        found[_line(name, at)] = Preset(
            _line(parts["help"], f"{at}.help"), _answers(parts["answers"], f"{at}.answers")
        )
    return found


def _days(value: object, where: str) -> dict[str, datetime.date]:
    found = {}
    for pattern, day in _mapping(value, where, "'alpine:3.22': 2027-05-01").items():
        if type(day) is not datetime.date:
            raise BadPolicy(f"{where}.{pattern}: {shown(day)} must be a day, such as 2027-05-01")
        found[pattern] = day
    return found


PARTS: Mapping[str, Callable[[object, str], Any]] = {
    "name": _line,
    "contact": _line,
    "template": _line,
    "minimum_version": _version,
    "locked": _answers,
    "allowed": _allowed,
    "presets": _presets,
    "end_of_life": _days,
}
