"""Whether this machine can compile a service."""

import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import IO

from hooks.processes import last_line, run, run_logged
from hooks.workspace import NOT_LISTED


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with, at most three, as a tuple that compares."""
    return tuple(int(number) for number in re.findall(r"[0-9]+", version)[:3])


def why_not(folder: Path, log: IO[bytes]) -> str | None:
    """Say why the crate in a folder cannot be compiled here.

    Args:
        folder: Has a `Cargo.toml` and a `Cargo.lock`.
        log: Gets what Cargo prints while it downloads the dependencies.

    Returns:
        One sentence with the remedy, or None when Rust, a linker and every locked crate are here.
        None also when a crate itself is at fault: the build will show that.
    """
    manifest = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))
    needed = manifest.get("package", {}).get("rust-version")
    # A member of a workspace may inherit it, and others may have none.
    found = why_no_rust(needed if isinstance(needed, str) else "1")
    return found or why_no_crates(folder, log)


def why_no_rust(needed: str) -> str | None:
    """Say why nothing can be compiled here.

    Args:
        needed: The oldest release of Rust that will do, as in `1.89`.

    Returns:
        One sentence with the remedy, or None when such a Rust and a linker are here.
    """
    for program in ("cargo", "rustc"):
        if shutil.which(program) is None:
            return f"{program} is not installed; https://rustup.rs installs it"
    rustc = run("rustc", "-vV")
    release = re.search(r"^release: ([0-9]+\.[0-9]+)", rustc.stdout, re.MULTILINE)
    if rustc.returncode or release is None:
        return f"rustc does not run: {last_line(rustc.stdout + rustc.stderr)}"
    if numbers(release[1]) < numbers(needed):
        return (
            f"Rust {release[1]} is too old, the service needs {needed}; `rustup update` brings it"
        )
    if os.name == "posix" and shutil.which("cc") is None:
        return "there is no C compiler to link with; on Debian, apt-get install gcc libc6-dev"
    return None


def why_no_crates(folder: Path, log: IO[bytes]) -> str | None:
    """Say why the locked crates of the crate in a folder cannot be downloaded.

    Args:
        folder: Has a `Cargo.toml` and a `Cargo.lock`.
        log: Gets what Cargo prints.

    Returns:
        One sentence with Cargo's own reason, or None when all are here for this machine.
    """
    host = re.search(r"^host: (\S+)$", run("rustc", "-vV").stdout, re.MULTILINE)
    target = ["--target", host[1]] if host else []
    start = log.tell()
    command = ["cargo", "fetch", "--locked", *target, "--manifest-path"]
    code = run_logged([*command, str(folder / "Cargo.toml")], log)
    if code == 0:
        return None
    log.seek(start)
    printed = log.read().decode("utf-8", "replace")
    if "--locked" in printed or NOT_LISTED in printed:
        return None
    return f"the crates cannot be downloaded: {last_line(printed)}"
