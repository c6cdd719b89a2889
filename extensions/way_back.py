"""What to type to undo an update."""

import shlex
from pathlib import Path


def way_back(folder: str | Path) -> str:
    """Return the commands that take a service back to its last commit, and touch nothing else.

    Args:
        folder: The service, as seen from where the commands are typed.

    Source: https://git-scm.com/docs/git-restore; `-SW` means index and files.
    """
    at = "" if str(folder) == "." else f" -C {shlex.quote(str(folder))}"
    return f"`git{at} restore -SW . && git{at} clean -fd .`"
