"""Finishes an update: finds conflicts, brings the lock file in step, and proves the result.

Copier runs it once, in the folder of the service, when an update is merged; see `_migrations` in
copier.yml. It changes no file but Cargo.lock, and puts back what Copier should not have removed.
Exit code 0 says that the update is complete.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hooks import keep_edits
from hooks.processes import Stopped, run, run_logged, stoppable
from hooks.smoke import smoke

IN_STEP = ["cargo", "update", "--workspace"]
GO_BACK = "`git reset --hard && git clean -fd` goes back to before the update"
GO_ON = "the merged files and every edit are in place; mend them and commit to go on"


class Incomplete(Exception):
    """The update is merged but not complete; the message says what is left to do."""


def conflicts() -> list[str]:
    """Return the files that the merge has left with conflict markers or rejected changes."""
    unmerged = run("git", "ls-files", "-z", "--unmerged", ".").stdout.split("\0")
    names = {entry.partition("\t")[2] for entry in unmerged if entry}
    others = run("git", "ls-files", "-z", "--others", "--exclude-standard", ".").stdout.split("\0")
    return sorted(names | {name for name in others if name.endswith(".rej")})


def without_lock() -> None:
    """Remove the Cargo.lock that Copier makes anew for an owner who has deleted it.

    Copier makes every file of `_skip_if_exists` that does not exist. A Cargo.lock that git ignores
    stays, since it may have been there before.
    """
    deleted = run("git", "cat-file", "-e", "HEAD:./Cargo.lock").returncode
    if deleted and run("git", "check-ignore", "--quiet", "Cargo.lock").returncode:
        Path("Cargo.lock").unlink(missing_ok=True)


def lock(log: IO[bytes]) -> None:
    """Bring Cargo.lock in step with Cargo.toml, with the fewest changes.

    Args:
        log: Gets what Cargo prints.

    Raises:
        Incomplete: Cargo could not.

    Source: https://doc.rust-lang.org/cargo/commands/cargo-update.html, `--workspace`.
    """
    if not Path("Cargo.lock").exists():
        return
    if run("git", "diff", "--quiet", "HEAD", "--", "Cargo.toml").returncode == 0:
        return
    if shutil.which("cargo") is None:
        raise Incomplete(
            "Cargo.toml has changed and cargo is not installed to bring Cargo.lock in step; "
            f"`{' '.join(IN_STEP)}` does, where it is"
        )
    if run_logged(IN_STEP, log):
        raise Incomplete(f"`{' '.join(IN_STEP)}` could not bring Cargo.lock in step")


def complete(level: str, answers_file: str) -> int:
    """Finish an update in the current folder.

    Args:
        level: How far the service is proven: an answer to `smoke`.
        answers_file: Where the answers are recorded.

    Returns:
        The exit code.

    Raises:
        Incomplete: There are conflicts, or Cargo.lock could not be brought in step.
    """
    without_lock()
    for line in [*keep_edits.keep(answers_file), *keep_edits.comments_gone(answers_file)]:
        print(f"  {line}", file=sys.stderr)
    if files := conflicts():
        raise Incomplete(
            f"conflicts in {', '.join(files)}; nothing was built. Mend and `git add` them"
        )
    with tempfile.NamedTemporaryFile(
        prefix="smoke-", suffix=".log", buffering=0, delete=False
    ) as log:
        keep = False
        try:
            lock(log)
            if level == "none":
                return 0
            code = smoke(level, False, log)
            keep = code != 0
            return code
        finally:
            if not keep:
                Path(log.name).unlink()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("level", choices=["none", "check", "build", "image"])
    parser.add_argument("answers_file")
    options = parser.parse_args(arguments)
    try:
        with stoppable():
            code = complete(options.level, options.answers_file)
    except Incomplete as reason:
        print(f"update: {reason}; {GO_BACK}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        print(f"update: stopped by {stopped}; {GO_ON}; {GO_BACK}", file=sys.stderr)
        return 128 + stopped.number
    if code:
        print(f"update: {GO_ON}; {GO_BACK}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
