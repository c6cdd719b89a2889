"""Asks a person at a terminal which services of a plan are moved.

Source: https://questionary.readthedocs.io/en/stable/pages/types.html#checkbox
"""

from collections.abc import Collection, Iterable, Sequence

import questionary

from catalog.move.causes import flat
from catalog.move.findings import counted
from catalog.move.plan import Plan, Service, Wave

# A list of more answers too slowly, and nobody reads it.
MOST = 500
KEYS = "(type to filter; arrows move, space ticks, Ctrl-A ticks all, Tab turns all round)"


def choose(plan: Plan, done: Collection[str]) -> list[str]:
    """Ask which services are moved.

    Those whose files nobody has edited are ticked. Those that the plan leaves out are shown with
    their reason. If there are more than a list can show, waves and parts of names are asked first.

    Args:
        plan: The plan.
        done: The keys of services that are not offered.

    Returns:
        The keys of those that were chosen, in the order of the plan.

    Raises:
        KeyboardInterrupt: The person stopped.
    """
    passed = set(done)
    waves = [
        Wave(wave.name, [each for each in wave.services if each.key not in passed])
        for wave in plan.waves
    ]
    waves = [wave for wave in waves if wave.services]
    if _size(waves) > MOST and len(waves) > 1:
        waves = _of_waves(waves)
    services = [each for wave in waves for each in wave.services]
    left_out = plan.left_out
    if len(services) > MOST:
        part = _part(services)
        if not part:
            return [each.key for each in services if not each.edited]
        services, left_out = _having(part, services), _having(part, left_out)
    return _ticked(services, left_out) if services else []


def _of_waves(waves: Sequence[Wave]) -> list[Wave]:
    """Ask which waves are meant; the first one is ticked."""
    choices = [
        questionary.Choice(
            f"{flat(wave.name)}, {counted(len(wave.services), 'service')}",
            value=number,
            checked=number == 0,
        )
        for number, wave in enumerate(waves)
    ]
    asked = questionary.checkbox(
        f"Which waves? {_size(waves)} services are more than one list can show.",
        choices,
        instruction="(arrows move, space ticks)",
    )
    return [waves[number] for number in sorted(asked.unsafe_ask())]


def _part(services: Sequence[Service]) -> str:
    """Ask for a part of names that few enough services have; "" means all that nobody edited."""

    def fits(text: str) -> bool | str:
        number = len(_having(text.strip(), services))
        if not text.strip() or 0 < number <= MOST:
            return True
        return f"{number or 'no'} services have that; it must be 1 to {MOST}"

    clean = sum(not each.edited for each in services)
    asked = questionary.text(
        f"Part of the names or remotes that you want; nothing for the {clean} of "
        f"{len(services)} whose files nobody has edited.",
        validate=fits,
    )
    return str(asked.unsafe_ask()).strip()


def _ticked(services: Sequence[Service], left_out: Sequence[Service]) -> list[str]:
    offered = {number: service.key for number, service in enumerate(services)}
    choices = [
        questionary.Choice(_title(each), value=number, checked=not each.edited)
        for number, each in enumerate(services)
    ]
    # Questionary looks in the list without its filter whether the pointer may rest, so what cannot
    # be ticked comes last. In a filtered list even that can be ticked, which does not count.
    choices += [
        questionary.Choice(_title(each), value=-number, disabled=flat(each.reason) or "left out")
        for number, each in enumerate(left_out[:MOST], 1)
    ]
    more = len(left_out) - MOST
    asked = questionary.checkbox(
        f"Which services are moved?{f' The plan leaves out {more} more.' if more > 0 else ''}",
        choices,
        instruction=KEYS,
        use_search_filter=True,
        use_jk_keys=False,
    )
    return [offered[number] for number in sorted(asked.unsafe_ask()) if number in offered]


def _title(service: Service) -> str:
    said = [service.name, service.since, service.folder and f"in {service.folder}"]
    if service.edited:
        said.append(f"{counted(service.edited, 'file')} edited")
    return flat(", ".join(filter(None, said)))


def _having(part: str, services: Iterable[Service]) -> list[Service]:
    wanted = part.lower()
    return [each for each in services if wanted in f"{each.name}\n{each.key}".lower()]


def _size(waves: Iterable[Wave]) -> int:
    return sum(len(wave.services) for wave in waves)
