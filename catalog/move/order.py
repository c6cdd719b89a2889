"""What a process is told to move one service; plain data, which goes to any machine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from catalog.move.plan import Plan, Service


@dataclass(frozen=True)
class Terms:
    """On which terms services are moved.

    Attributes:
        sources: The names by which services may record the template.
        smoke: How far the result is proven: `none`, or `image`, in containers.
        seconds: How long the move of one service may last.
        memory: How many MiB of address space each of its processes may have.
    """

    sources: list[str]
    smoke: str = "none"
    seconds: int = 1_200
    memory: int = 4_096


@dataclass(frozen=True)
class Order:
    """All that is needed to move one service.

    Attributes:
        service: Its key in the plan.
        name: What people call it.
        remote: The URL of its repository.
        folder: Its folder in that, "" for all of it.
        wave: The wave that it is in.
        title: The first line of the commit.
        template: The URL or path of the template.
        sources: The names by which services may record that template.
        to: The version that it goes to.
        commit: What the tag of that version names.
        branch: The branch that is made in its remote.
        author: Who writes the commit.
        smoke: How far the result is proven: `none`, or `image`, in containers.
        seconds: How long it may last.
        memory: How many MiB of address space each process may have.
    """

    service: str
    name: str
    remote: str
    folder: str
    wave: str
    title: str
    template: str
    sources: list[str]
    to: str
    commit: str
    branch: str
    author: str
    smoke: str
    seconds: int
    memory: int

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def of_data(data: Mapping[str, Any]) -> Order:
    """Return an order from what `as_data` made of it.

    Raises:
        KeyError: It lacks something.
    """
    return Order(**{each.name: data[each.name] for each in fields(Order)})


def order(plan: Plan, service: Service, wave: str, terms: Terms) -> Order:
    """Return what a process is told to move a service of a wave of a plan."""
    # Two services of one repository need two branches.
    branch = "-".join(filter(None, [plan.branch, service.folder.replace("/", "-")]))
    return Order(
        service=service.key,
        name=service.name,
        remote=service.remote,
        folder=service.folder,
        wave=wave,
        title=plan.title,
        template=plan.template,
        to=plan.to,
        commit=plan.commit,
        branch=branch,
        author=plan.author,
        **asdict(terms),
    )
