"""The commands that look after services; each hands over to a module of its own.

Modules are imported where a command needs them, so that each command starts fast.
"""

import json
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands import Failed, app, as_json
from extensions.policy import current

if TYPE_CHECKING:
    from catalog.fleet.look import Row


class Rows(StrEnum):
    """How a command prints rows."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


class State(StrEnum):
    """What a service can be in; `catalog/fleet/look.py` says what each means."""

    BROKEN = "broken"
    CONFLICT = "conflict"
    VIOLATION = "violation"
    ENDED = "ended"
    STALE = "stale"
    BEHIND = "behind"
    FOREIGN = "foreign"
    EDITED = "edited"
    CURRENT = "current"


@app.command(rich_help_panel="Look after services")
def status(
    where: Annotated[
        list[str],
        typer.Argument(
            metavar="WHERE...", help="Folders of services, patterns, or - for a line each on stdin."
        ),
    ],
    template: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The template; without it, as for `catalog index`."),
    ] = None,
    output_format: Annotated[
        Rows,
        typer.Option("--format", help="For people, or for programs; jsonl does not wait for all."),
    ] = Rows.TABLE,
    state: Annotated[
        list[State] | None, typer.Option(help="Show these alone; may be given more than once.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="Show the services of these owners; * and ? are wildcards.")
    ] = None,
    framework: Annotated[
        str | None, typer.Option(help="Show the services with this framework.")
    ] = None,
    runtime: Annotated[str | None, typer.Option(help="Show the services on this runtime.")] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes; without it, one a core.")
    ] = None,
    cache: Annotated[
        bool,
        typer.Option("--cache/--no-cache", help="Whether to keep what was seen for the next time."),
    ] = True,
    verify: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Compare N of the services with a real `copier copy`, and fail on a difference.",
        ),
    ] = 0,
) -> None:
    """Show where services stand: version, drift to the byte, conflicts, policy, ends of life.

    What is committed counts. A file of the template is edited, missing, of another mode, or stale:
    as another version makes it, so that an update was skipped or undone. Exits with 1 if a service
    needs a person: it is broken, in conflict, against the policy, on a base past its end, stale or
    behind.

    `catalog status ~/services/*`
    """
    from rich.console import Console

    from catalog import source
    from catalog.fleet import status as statuses
    from catalog.fleet.crew import job_of, rows
    from catalog.fleet.verify import Sample
    from catalog.history import NoHistory
    from hooks.git import GitFailed

    shown = statuses.Shown(
        frozenset(each.value for each in state or State), owner, framework, runtime
    )
    sample = Sample(verify)
    try:
        with job_of(template, current(), cached=cache) as job:
            processes = jobs or os.cpu_count() or 1
            found = filter(shown.shows, sample.seen(rows(statuses.places(where), job, processes)))
            if output_format is Rows.JSONL:
                findings = sum(map(_printed, found))
            else:
                with Console(stderr=True).status("Looking at services"):
                    listed = statuses.ordered(found)
                findings = sum(row.is_finding for row in listed)
                if output_format is Rows.JSON:
                    sys.stdout.write(as_json([row.as_data() for row in listed]))
                else:
                    Console().print(statuses.table(listed))
                    print(statuses.summary(listed))
            if wrong := sample.differences(job):
                raise Failed("; ".join(wrong))
    except (GitFailed, NoHistory, source.NoTemplate) as reason:
        raise Failed(str(reason)) from None
    raise typer.Exit(1 if findings else 0)


def _printed(row: "Row") -> bool:
    """Print a row, and tell whether it needs a person."""
    print(json.dumps(row.as_data()), flush=True)
    return row.is_finding
