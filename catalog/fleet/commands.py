"""The commands that look after services; each hands over to a module of its own.

Modules are imported where a command needs them, so that each command starts fast.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from catalog.commands import Failed, Output, app
from extensions.policy import current

if TYPE_CHECKING:
    from catalog.fleet.look import Row
    from catalog.fleet.status import Ordered


class Rows(StrEnum):
    """How a command prints rows."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"


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
            metavar="WHERE...",
            help="Folders, patterns, URLs of git repositories, files with one of these a line, or "
            "- for the lines of stdin.",
        ),
    ],
    template: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The template; without it, as for `catalog index`."),
    ] = None,
    output_format: Annotated[
        Rows,
        typer.Option(
            "--format",
            help="For people: table, html. For programs: json, jsonl, which does not wait.",
        ),
    ] = Rows.TABLE,
    output: Output = None,
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
    connections: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many remotes are read at a time.")
    ] = 16,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How long a remote may take.")
    ] = 60,
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

    `catalog status ~/services/* git@github.com:acme/orders.git`
    """
    from catalog import source
    from catalog.fleet import status as statuses
    from catalog.fleet.crew import Died, job_of, rows
    from catalog.history import NoHistory
    from hooks.git import GitFailed

    shown = statuses.Shown(
        frozenset(each.value for each in state or State), owner, framework, runtime
    )
    looking = job_of(template, current(), cached=cache, seconds=timeout, connections=connections)
    try:
        with looking as job, _opened(output) as file:
            processes = jobs or os.cpu_count() or 1
            everything = rows(statuses.places(where), job, processes)
            if verify:
                # Copier is slow to import.
                from catalog.fleet.verify import Sample

                sample = Sample(verify)
                everything = sample.seen(everything)
            found = filter(shown.shows, everything)
            if output_format is Rows.JSONL:
                findings = sum(_written(row, file) for row in found)
            else:
                with _spinner():
                    ordered = statuses.Ordered(found)
                findings = ordered.findings
                file.writelines(_pieces(ordered, output_format, file))
            if verify and (wrong := sample.differences(job)):
                raise Failed("; ".join(wrong))
    except (Died, GitFailed, NoHistory, source.NoTemplate) as reason:
        raise Failed(str(reason)) from None
    raise typer.Exit(1 if findings else 0)


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Give the file that gets what a command prints."""
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", newline="\n") as file:
        yield file


def _written(row: "Row", file: TextIO) -> bool:
    """Print a row, and tell whether it needs a person."""
    print(json.dumps(row.as_data()), file=file, flush=True)
    return row.is_finding


def _spinner() -> AbstractContextManager[object]:
    """Show a person that something is done, where there is one."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status("Looking at services")


def _pieces(ordered: "Ordered", output_format: Rows, file: TextIO) -> Iterable[str]:
    """Return what is printed of rows; a table is printed here if it goes to a terminal."""
    if output_format is Rows.JSON:
        from catalog.fleet.status import as_json

        return as_json(ordered)
    if output_format is Rows.HTML:
        from catalog.fleet.page import page

        return page(ordered)
    from catalog.fleet.status import summary

    said = f"{summary(ordered.counts)}\n"
    if file.isatty():
        from rich.console import Console

        from catalog.fleet.terminal import tables

        console = Console(file=file)
        for piece in tables(ordered, console.width):
            console.print(piece)
        return ["\n", said]
    from catalog.fleet.table import table

    return chain(table(ordered), [said])
