"""What the commands of the catalog share."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from extensions.pins import ROOT
from extensions.policy_file import BESIDE, VARIABLE

PUBLISHED = ROOT / "catalog" / "published"
WORKFLOW = ROOT / ".github" / "workflows" / "new-service.yml"

app = typer.Typer(
    name="catalog",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=f"""Offers the template to an organisation, and shows where its services stand.

A platform team writes a policy, puts the template into its portal, publishes which versions there
are, and looks after the services; a developer makes one with `catalog new`.

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
