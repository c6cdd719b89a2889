"""A git repository of an owner, or of the template, as tests need one."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as somebody with a name, and return what it printed."""
    identity = ["-c", "user.name=Jane", "-c", "user.email=jane@example.com"]
    ended = subprocess.run(
        ["git", *identity, "-C", folder, *arguments], capture_output=True, check=True, text=True
    )
    return ended.stdout


def commit(folder: Path, message: str = "an edit") -> None:
    """Commit all that is in a folder, even if nothing is new."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
