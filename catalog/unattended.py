"""Git that talks to remotes, and asks nobody anything."""

from functools import cache

from hooks.git import OUTSIDE, quiet
from hooks.processes import run

BATCH = "ssh -oBatchMode=yes"
# No transport that runs a command which the URL names: https://git-scm.com/docs/git#_protocol
PROTOCOLS = "https:http:ssh:git:file"


def environment() -> dict[str, str]:
    """Return the environment of a git that talks to remotes, and asks nobody anything."""
    made = quiet()
    if "GIT_SSH" not in made:
        made.setdefault("GIT_SSH_COMMAND", _ssh())
    # An empty program of that kind is none; credential managers have a variable of their own.
    return {**made, "GIT_ASKPASS": "", "GCM_INTERACTIVE": "never", "GIT_ALLOW_PROTOCOL": PROTOCOLS}


@cache
def _ssh() -> str:
    """Return how git calls ssh: as a person set it, or else without questions."""
    return run("git", "config", "core.sshCommand", folder=OUTSIDE).stdout.strip() or BATCH
