"""Renews every lock file, of Cargo and of Python, and tests what they lock."""

import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

from extensions.pins import ROOT, versions
from extensions.registry import frameworks

# What each Python lock file takes from pyproject.toml beyond the dependencies there.
DEVELOPMENT = {
    "requirements.lock": [],
    "requirements-dev.lock": ["--group=dev", "--extra=dask", "--constraints=requirements.lock"],
}


def compile_command(name: str) -> list[str]:
    """Return the command that renews a Python lock file, without its output file."""
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--quiet", "--no-header", "--universal", "--generate-hashes", "--upgrade"]
    return [uv, "pip", "compile", *options, "pyproject.toml", *DEVELOPMENT[name]]


def _run(*command: str, folder: Path = ROOT) -> None:
    print(f"+ {' '.join(command)}", file=sys.stderr)
    subprocess.run(command, cwd=folder, check=True)


def locked(lock: Path) -> dict[str, set[str]]:
    """Return the versions of each crate in a lock file of Cargo."""
    found: dict[str, set[str]] = defaultdict(set)
    for package in tomllib.loads(lock.read_text("utf-8"))["package"]:
        found[package["name"]].add(package["version"])
    return found


def renew(crate: Path) -> None:
    """Bring the lock file of a crate to the newest versions that fit, except what is held."""
    update = ["cargo", "update", "--quiet"]
    subprocess.run(update, cwd=crate, check=True)
    for name, version in versions()["held"].items():
        if name in locked(crate / "Cargo.lock"):
            subprocess.run([*update, name, f"--precise={version}"], cwd=crate, check=True)


def renew_all() -> None:
    """Renew the lock files in place, up to the first command that fails."""
    for framework in frameworks().values():
        print(f"+ cargo update, frameworks/{framework.name}", file=sys.stderr)
        renew(framework.folder)
        _run("cargo", "test", "--locked", folder=framework.folder)
    for name in DEVELOPMENT:
        _run(*compile_command(name), f"--output-file={name}")
