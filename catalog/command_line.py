"""The command line of the catalog: each command hands over to a module of its own.

Modules are imported where a command needs them, so that each command starts fast.
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.offer.output import Differs, put
from extensions.pins import ROOT
from extensions.policy import BESIDE, VARIABLE, BadPolicy, current

PUBLISHED = ROOT / "catalog" / "published"
WORKFLOW = ROOT / ".github" / "workflows" / "new-service.yml"

app = typer.Typer(
    name="catalog",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=f"""Offers the template to an organisation.

A platform team writes a policy, puts the template into its portal, and publishes which versions
there are; a developer makes a service with `catalog new`.

The policy is the file that `{VARIABLE}` names, or else `{BESIDE}` beside the template. The commands
and `copier copy` and `copier update` follow the same one.

Exit codes: 0, it was done; 1, it was not, or a check found a difference, and one line says why;
2, the command line was not understood.""",
)


class Format(StrEnum):
    """How a command prints what it found."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file; without it, print.")
]
Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Change nothing; exit with 1 if the file has something else. Without --output, the "
        "file is the one that the template publishes.",
    ),
]


class Failed(Exception):
    """A command did not do what it was asked to; the message is one line that says why."""


def as_json(value: Any) -> str:
    """Return a value as the JSON that the catalog writes: two spaces, ASCII, a line end."""
    return json.dumps(value, indent=2) + "\n"


@app.command()
def schema(
    output: Output = None,
    check: Check = False,
    of_policy: Annotated[
        bool, typer.Option("--policy", help="Print the schema of a policy instead.")
    ] = False,
) -> None:
    """Print the questions as JSON Schema 2020-12, for forms, editors and other generators.

    What it accepts, `copier copy --data-file` accepts. A policy narrows it.

    `catalog schema -o answers.schema.json`
    """
    from catalog.offer import schema as schemas

    name = "policy" if of_policy else "answers"
    made = schemas.of_policy() if of_policy else schemas.of_answers(None if check else current())
    file = output or (PUBLISHED / f"{name}.schema.json" if check else None)
    command = "catalog schema --policy" if of_policy else "catalog schema"
    put(as_json(made), file, check=check, command=command)


@app.command()
def version(output: Output = None, check: Check = False) -> None:
    """Print what this version asks and pins, as JSON; each release carries it for the index."""
    from catalog.offer.version import this_version

    file = output or (PUBLISHED / "version.json" if check else None)
    put(as_json(this_version()), file, check=check, command="catalog version")


def main() -> int:
    """Run the command line, which exits by itself unless it fails; return the exit code then."""
    try:
        app(prog_name="catalog")
    except (BadPolicy, Differs, Failed) as reason:
        print(f"catalog: {reason}", file=sys.stderr)
    except OSError as reason:
        print(f"catalog: {reason.filename or ''}: {reason.strerror or reason}", file=sys.stderr)
    return 1
