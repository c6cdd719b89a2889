"""A service as a member of a Cargo workspace, and as its image sees it: alone.

The image is built from the folder of the service, so there its own lock file counts. In a workspace
Cargo takes the lock file of the root instead.
"""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hooks.crate_sources import neutral_folder
from hooks.processes import run

TARGET = "CARGO_TARGET_DIR"
# What Cargo says of a crate below a workspace that does not list it.
NOT_LISTED = "believes it's in a workspace when it's not"


class NotListed(Exception):
    """A workspace above the service does not list it; the message says so, and what helps."""


def root(folder: Path) -> Path | None:
    """Return the folder of the workspace that a crate is a member of; None if it is in none.

    Raises:
        NotListed: There is a workspace above, which neither lists nor excludes the crate.

    Source: https://doc.rust-lang.org/cargo/reference/workspaces.html#the-members-and-exclude-fields
    """
    command = ("cargo", "locate-project", "--workspace", "--message-format=plain")
    manifest = str(folder.resolve() / "Cargo.toml")
    with neutral_folder(folder) as place:
        ended = run(*command, "--manifest-path", manifest, folder=place)
    if NOT_LISTED in ended.stderr:
        above = next(line for line in ended.stderr.splitlines() if line.startswith("workspace:"))
        raise NotListed(
            f"the Cargo workspace {above.partition(':')[2].strip()} does not list {folder.name}; "
            "add it there to `members` or to `exclude`"
        )
    found = Path(ended.stdout.strip()).parent
    return None if ended.returncode or found == folder.resolve() else found


def stands_alone(folder: Path) -> bool:
    """Tell whether a crate can be built without its workspace: it inherits nothing from it."""
    manifest = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))
    return not any(_leans(table) for table in manifest.values())


def _leans(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if value.get("workspace") is True or str(value.get("path", "")).startswith(".."):
        return True
    return any(_leans(each) for each in value.values())


@contextmanager
def alone(folder: Path) -> Iterator[Path]:
    """Copy a crate out of its workspace.

    Args:
        folder: The crate.

    Yields:
        A folder of the same name with the same files, which goes with the block. What Cargo builds
        in it goes to the crate's own `target`, so that the next time is fast.
    """
    with tempfile.TemporaryDirectory(prefix="smoke-") as name:
        copy = Path(name).resolve() / folder.resolve().name
        shutil.copytree(
            folder, copy, symlinks=True, ignore=shutil.ignore_patterns("target", ".git")
        )
        before = os.environ.get(TARGET)
        os.environ.setdefault(TARGET, str(folder.resolve() / "target"))
        try:
            yield copy
        finally:
            if before is None:
                del os.environ[TARGET]
