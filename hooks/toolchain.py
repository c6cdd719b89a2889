"""Whether this machine can compile a service."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import IO

from hooks.processes import run_logged


def _output(*command: str) -> tuple[int, str]:
    process = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return process.returncode, process.stdout.strip()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def why_not(folder: Path, log: IO[bytes]) -> str | None:
    """Say why the crate in a folder cannot be compiled here.

    Args:
        folder: Has a `Cargo.toml` with `rust-version` and a `Cargo.lock`.
        log: Gets what Cargo prints while it downloads the dependencies.

    Returns:
        One sentence with the remedy, or None when Rust, a linker and every locked crate are here.
        A crate that is itself at fault is for the build to show, so it counts as None.
    """
    for program in ("cargo", "rustc"):
        if shutil.which(program) is None:
            return f"{program} is not installed; https://rustup.rs installs it"
    code, version = _output("rustc", "-vV")
    release = re.search(r"^release: ([0-9]+\.[0-9]+)", version, re.MULTILINE)
    host = re.search(r"^host: (\S+)$", version, re.MULTILINE)
    if code or release is None or host is None:
        return f"rustc does not run: {_last_line(version)}"
    needed = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))["package"]["rust-version"]
    if _numbers(release[1]) < _numbers(needed):
        return (
            f"Rust {release[1]} is too old, the service needs {needed}; `rustup update` brings it"
        )
    if os.name == "posix" and shutil.which("cc") is None:
        return "there is no C compiler to link with; on Debian, apt-get install gcc libc6-dev"
    return _why_not_fetch(folder, host[1], log)


def _why_not_fetch(folder: Path, host: str, log: IO[bytes]) -> str | None:
    manifest = str(folder / "Cargo.toml")
    start = log.tell()
    code = run_logged(
        ["cargo", "fetch", "--locked", "--target", host, "--manifest-path", manifest], log
    )
    if code == 0:
        return None
    log.seek(start)
    printed = log.read().decode("utf-8", "replace")
    if "--locked" in printed:
        return None
    return f"the crates cannot be downloaded: {_last_line(printed)}"
