"""Makes a plan: which services go to a version, and in which waves."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest

from catalog.fleet.look import Row
from catalog.move.plan import Service, Wave
from extensions.renames import reaches, version


class BadWaves(Exception):
    """The sizes of waves cannot be understood; the message is one line that says what could."""


def sorted_out(
    rows: Iterable[Row], to: str
) -> tuple[list[tuple[Service, Row]], list[Service], int]:
    """Tell which services are moved.

    Args:
        rows: What is known of services.
        to: The version that they go to.

    Returns:
        Those that are moved; those that are left out, with the reason; and how many have it.
    """
    moved, left_out, current = [], [], 0
    seen: set[str] = set()
    for row in rows:
        service = _service(row)
        if service.reason:
            left_out.append(service)
        elif reaches(row.version, to):
            current += 1
        elif service.key not in seen:
            seen.add(service.key)
            moved.append((service, row))
    return moved, left_out, current


def waves(moved: Sequence[tuple[Service, Row]], sizes: str) -> list[Wave]:
    """Deal services to waves: first a few of every kind, and unedited ones before others.

    Args:
        moved: The services.
        sizes: Numbers of services or `10%` of all, separated by commas; each says how many have
            been moved when its wave ends. The last wave has the rest.

    Raises:
        BadWaves: The sizes are none.
    """
    ends = [_end(each.strip(), len(moved)) for each in sizes.split(",")]
    names = ["canary", *(each.strip() for each in sizes.split(",")[1:]), "rest"]
    ordered = _ordered(moved)
    made, begin = [], 0
    for name, end in zip(names, [*ends, len(ordered)], strict=True):
        # Of few services, three may be more than a tenth; a wave without any is none.
        end = max(min(end, len(ordered)), begin)  # noqa: PLW2901
        if end > begin:
            made.append(Wave(name, ordered[begin:end]))
        begin = end
    return made


def _ordered(moved: Sequence[tuple[Service, Row]]) -> list[Service]:
    """Return services so that the first ones are unedited, and of as many kinds as there are."""
    kinds: dict[tuple[bool, str, str], list[Service]] = defaultdict(list)
    for service, row in moved:
        kinds[service.edited > 0, row.framework, row.runtime].append(service)
    found: list[Service] = []
    for is_edited in (False, True):
        rows = [kinds[kind] for kind in sorted(kinds) if kind[0] is is_edited]
        dealt = chain.from_iterable(zip_longest(*rows))
        found += [service for service in dealt if service is not None]
    return found


def _end(size: str, number: int) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,6}|(?:100|[1-9][0-9]?)%", size):
        raise BadWaves(f"--waves: {size!r} must be a number of services or a part such as 10%")
    return -(-number * int(size[:-1]) // 100) if size.endswith("%") else int(size)


def _service(row: Row) -> Service:
    seen = row.seen
    edited = len({*seen.edited, *seen.missing, *seen.modes, *seen.stale})
    reason = ""
    if row.state in {"broken", "foreign"}:
        reason = row.reason
    elif seen.conflicts:
        reason = f"has a conflict in {', '.join(seen.conflicts)}; mend that first"
    elif not row.url:
        reason = "has no remote `origin`"
    elif row.url != row.remote:
        reason = "its URL has a password, which would be in the plan; let git lend it instead"
    elif version(row.version) is None:
        reason = f"is made from {row.version}, which is no version"
    return Service(
        name=row.name or row.place,
        remote=row.remote,
        folder=row.folder,
        since=row.version,
        edited=edited,
        reason=reason,
    )
