"""The plan of a move: which services go to which version, in which waves; a file for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from extensions.announce import no_yaml

HEAD = """\
# The plan of a move, which `catalog update` carries out wave by wave. Edit it as you like: take
# services out, move them between waves, choose another title or author.
"""
# A plan of 20 000 services is large, and libyaml is ten times as fast as PyYAML's own code.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class BadPlan(Exception):
    """A plan cannot be carried out; the message is one line that says why."""


@dataclass(frozen=True)
class Service:
    """A service that the plan speaks of.

    Attributes:
        name: What people call it.
        remote: The URL of its repository.
        folder: Its folder in that, "" for all of it.
        since: The version that it had when the plan was made.
        edited: How many files of the template its owners had changed then.
        reason: Why it is left out; "" if it is not.
    """

    name: str
    remote: str
    folder: str = ""
    since: str = ""
    edited: int = 0
    reason: str = ""

    @property
    def key(self) -> str:
        """What tells it from every other service."""
        return f"{self.remote}#{self.folder}" if self.folder else self.remote


@dataclass(frozen=True)
class Wave:
    """Services that are moved before those of the next wave."""

    name: str
    services: list[Service]


@dataclass(frozen=True)
class Plan:
    """What a move does.

    Attributes:
        title: The first line of each commit.
        template: The URL or path of the template.
        to: The version that services go to, a tag of the template.
        commit: The commit of this tag; a tag that was moved since is refused.
        branch: The branch that is made in each remote.
        author: Who writes the commits, as git writes people.
        waves: The services, in the order in which they are moved.
        shards: How many jobs of a pipeline share the services of each wave.
        current: How many services had the version when the plan was made.
        left_out: The services that are not moved, each with the reason.
    """

    title: str
    template: str
    to: str
    commit: str
    branch: str
    author: str
    waves: list[Wave]
    shards: int = 1
    current: int = 0
    left_out: list[Service] = field(default_factory=list)

    @property
    def services(self) -> Iterator[Service]:
        """The services that are moved."""
        for wave in self.waves:
            yield from wave.services


def written(plan: Plan) -> str:
    """Return a plan as the text of its file."""
    head = {name: getattr(plan, name) for name in TEXTS}
    data = {
        **head,
        "shards": plan.shards,
        "current": plan.current,
        "waves": [
            {"wave": wave.name, "services": [*map(_service_as_data, wave.services)]}
            for wave in plan.waves
        ],
        "left_out": [*map(_service_as_data, plan.left_out)],
    }
    # Leaves are in flow style, so each service has a line.
    return HEAD + yaml.dump(
        data,
        Dumper=DUMPER,
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
    )


def read(file: Path) -> Plan:
    """Read a plan.

    Raises:
        BadPlan: It is none.
        OSError: It cannot be read.
    """
    try:
        data = yaml.load(file.read_text("utf-8"), LOADER)  # noqa: S506 (a safe loader)
        return _plan(data)
    except UnicodeDecodeError as reason:
        raise BadPlan(f"{file}: is not UTF-8: {reason.reason}") from None
    except yaml.YAMLError as reason:
        raise BadPlan(f"{file}: {no_yaml(reason)}") from None
    except BadPlan as reason:
        raise BadPlan(f"{file}: {reason}; `catalog plan` makes a whole one") from None


TEXTS = ("title", "template", "to", "commit", "branch", "author")


def _plan(data: Any) -> Plan:
    _only(data, {*TEXTS, "shards", "current", "waves", "left_out"}, "")
    texts = {name: _text(data, name, "") for name in TEXTS}
    waves = [_wave(each, f"waves[{number}]") for number, each in enumerate(_list(data, "waves"))]
    left_out = [
        _service(each, f"left_out[{number}]")
        for number, each in enumerate(_list(data, "left_out", ()))
    ]
    shards, current = (
        _number(data, name, least) for name, least in (("shards", 1), ("current", 0))
    )
    made = Plan(**texts, waves=waves, shards=shards, current=current, left_out=left_out)
    seen: set[str] = set()
    for service in made.services:
        if service.key in seen:
            raise BadPlan(f"waves: {service.key} must be there once")
        seen.add(service.key)
    return made


def _wave(data: Any, where: str) -> Wave:
    _only(data, {"wave", "services"}, f"{where}.")
    listed = enumerate(_list(data, "services", where=f"{where}."))
    services = [_service(each, f"{where}.services[{number}]") for number, each in listed]
    return Wave(_text(data, "wave", f"{where}."), services)


def _service(data: Any, where: str) -> Service:
    _only(data, {"name", "remote", "folder", "from", "edited", "reason"}, f"{where}.")
    return Service(
        name=_text(data, "name", f"{where}."),
        remote=_text(data, "remote", f"{where}.", "" if "reason" in data else None),
        folder=_text(data, "folder", f"{where}.", ""),
        since=_text(data, "from", f"{where}.", ""),
        edited=_number(data, "edited", 0, f"{where}."),
        reason=_text(data, "reason", f"{where}.", ""),
    )


def _service_as_data(service: Service) -> dict[str, object]:
    found = {
        "name": service.name,
        "from": service.since,
        "remote": service.remote,
        "folder": service.folder,
        "edited": service.edited,
        "reason": service.reason,
    }
    return {name: value for name, value in found.items() if value or name == "name"}


def _only(data: Any, names: set[str], where: str) -> None:
    if not isinstance(data, dict):
        raise BadPlan(f"{where.rstrip('.') or 'it'} must be a mapping")
    if unknown := sorted(map(str, data.keys() - names)):
        raise BadPlan(f"{where}{unknown[0]}: must be one of {', '.join(sorted(names))}")


def _text(data: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    value = data.get(name, default)
    if not isinstance(value, str) or not value.isprintable() or (default is None and not value):
        raise BadPlan(f"{where}{name}: must be a line of text")
    if value.startswith("-"):
        raise BadPlan(f"{where}{name}: must not begin with a dash, which git takes for an option")
    return value


def _number(data: Mapping[str, Any], name: str, least: int, where: str = "") -> int:
    value = data.get(name, least)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadPlan(f"{where}{name}: must be a number from {least}")
    return value


def _list(
    data: Mapping[str, Any], name: str, default: Sequence[Any] | None = None, where: str = ""
) -> Sequence[Any]:
    value = data.get(name, default)
    if not isinstance(value, list | tuple):
        raise BadPlan(f"{where}{name}: must be a list")
    return value
