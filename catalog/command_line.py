"""The command line of the catalog."""

import sys
from importlib import import_module

from catalog.commands import Failed, app
from catalog.output import Differs
from extensions.policy import BadPolicy

# Each adds its commands, in the order of the help.
for part in ("offer", "fleet", "move"):
    import_module(f"catalog.{part}.commands")


def main() -> int:
    """Run the command line, which exits by itself unless it fails; return the exit code then."""
    try:
        app(prog_name="catalog")
    except (BadPolicy, Differs, Failed) as reason:
        print(f"catalog: {reason}", file=sys.stderr)
    except OSError as reason:
        print(f"catalog: {reason.filename or ''}: {reason.strerror or reason}", file=sys.stderr)
    return 1
