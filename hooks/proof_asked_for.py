"""Tells whether a copy may be proven by Cargo, which must then be there: exit code 0 if it may.

`bin/copier copy` and `bin/catalog new` ask it before they install Rust.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hooks.command_line import parse

WITHOUT_CARGO = {"none", "image"}


def level(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Return how far a copy is to prove the service, by the order of what decides it.

    Args:
        arguments: What follows `copier copy` or `catalog new`.
        environment: All variables.

    Returns:
        What `--skip-tasks`, `SMOKE`, an answer on the command line or a data file says; None if a
        prompt or the default is yet to decide.
    """
    if {"-T", "--skip-tasks"} & {*arguments}:
        return "none"
    if environment.get("SMOKE"):
        return environment["SMOKE"]
    given = parse([*arguments])
    answers = dict(pair.split("=", 1) for pair in given.data if "=" in pair)
    if "smoke" in answers or given.data_file is None:
        return answers.get("smoke")
    import yaml  # noqa: PLC0415 - few copies need it

    try:
        recorded = yaml.safe_load(Path(given.data_file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None  # Copier says what is wrong with it
    return str(recorded["smoke"]) if isinstance(recorded, dict) and "smoke" in recorded else None


if __name__ == "__main__":
    sys.exit(level(sys.argv[1:], os.environ) in WITHOUT_CARGO)
