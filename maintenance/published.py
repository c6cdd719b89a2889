"""Writes what the catalog publishes with the template: schemas, portal entry, workflow, version."""

import os
import subprocess
import sys

from catalog.offer.portal import EXAMPLE
from extensions.pins import ROOT
from extensions.policy_file import VARIABLE

# By its file: the command that makes it.
COMMANDS = {
    "catalog/published/answers.schema.json": ["schema"],
    "catalog/published/policy.schema.json": ["schema", "--policy"],
    "catalog/published/template.yaml": ["backstage", "--template", EXAMPLE],
    "catalog/published/version.json": ["version"],
    ".github/workflows/new-service.yml": ["backstage", "--workflow"],
}


def write() -> None:
    """Write every file, by no policy."""
    for name in COMMANDS:
        run(name, "--output", str(ROOT / name), check=True)


def run(name: str, *options: str, check: bool) -> subprocess.CompletedProcess[str]:
    """Run the command that makes a file.

    Args:
        name: The file, relative to the template.
        options: More options of the command.
        check: Whether to raise CalledProcessError if it fails.
    """
    program = [sys.executable, "-I", str(ROOT / "catalog" / "__main__.py")]
    return subprocess.run(
        [*program, *COMMANDS[name], *options],
        env={**os.environ, VARIABLE: ""},
        capture_output=not check,
        check=check,
        text=True,
    )
