"""Brings the lock file of a service in step with its manifest, with the fewest changes."""

import shutil
from pathlib import Path
from typing import IO

from hooks import workspace
from hooks.crate_sources import neutral_folder
from hooks.git import git
from hooks.processes import run_logged

FILE = "Cargo.lock"
IN_STEP = ("cargo", "update", "--workspace")


class OutOfStep(Exception):
    """The lock file is not in step; the message says why, and what is left to do."""


def bring_in_step(log: IO[bytes]) -> list[str]:
    """Bring Cargo.lock of the current folder in step with Cargo.toml, if that has changed.

    Args:
        log: Gets what Cargo prints.

    Returns:
        A line for each thing that an owner would not expect.

    Raises:
        OutOfStep: Cargo could not.

    Source: https://doc.rust-lang.org/cargo/commands/cargo-update.html, `--workspace`.
    """
    if not Path(FILE).exists() or not git("diff", "--name-only", "HEAD", "--", "Cargo.toml"):
        return []
    by_hand = " ".join(IN_STEP)
    if shutil.which("cargo") is None:
        raise OutOfStep(
            f"Cargo.toml has changed and cargo is not installed to bring {FILE} in step; "
            f"`{by_hand}` does, where it is"
        )
    try:
        above = workspace.root(Path())
    except workspace.NotListed as reason:
        raise OutOfStep(str(reason)) from reason
    told = []
    if above is None:
        code = _update(Path(), log)
    elif workspace.stands_alone(Path()):
        with workspace.alone(Path()) as copy:
            code = _update(copy, log)
            shutil.copyfile(copy / FILE, FILE)
        told.append(
            f"{above / FILE}: is the workspace's and is left alone; `{by_hand}` there brings it "
            "in step"
        )
    else:
        code = _update(Path(), log)
        told.append(f"{above / FILE}: is the workspace's, and was brought in step")
    if code:
        raise OutOfStep(f"`{by_hand}` could not bring {FILE} in step")
    return told


def _update(crate: Path, log: IO[bytes]) -> int:
    """Run Cargo for a crate where no setting of it makes Cargo run a program."""
    with neutral_folder(crate) as place:
        manifest = crate.resolve() / "Cargo.toml"
        return run_logged([*IN_STEP, "--manifest-path", manifest], log, folder=place)
