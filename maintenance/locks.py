"""Renews every lock file, of Cargo and of Python, and tests what they lock.

Run it as `bin/renew`; then run the tests and read the difference before it is committed.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from extensions.pins import FRAMEWORKS, ROOT
from extensions.sources import LOCKS, dependency_tables

# What each lock file of Python takes from pyproject.toml beyond its dependencies.
DEVELOPMENT = {
    "requirements.lock": [],
    "requirements-dev.lock": ["--group=dev", "--constraints=requirements.lock"],
}


def compile_command(name: str) -> list[str]:
    """Return the command that renews a lock file of Python, but for where it is written."""
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--quiet", "--no-header", "--universal", "--generate-hashes", "--upgrade"]
    return [uv, "pip", "compile", *options, "pyproject.toml", *DEVELOPMENT[name]]


def _run(*command: str, folder: Path = ROOT) -> None:
    print(f"+ {' '.join(command)}", file=sys.stderr)
    subprocess.run(command, cwd=folder, check=True)


def lock_for_glibc(framework: str) -> str:
    """Return the lock file of a framework's crate without what musl alone needs.

    The versions are those of the crate's own `Cargo.lock`.
    """
    crate = ROOT / "services" / framework
    manifest = (crate / "Cargo.toml").read_text("utf-8")
    package = manifest[: manifest.index("[dependencies]")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = dependency_tables(framework, "glibc")
        (folder / "Cargo.toml").write_text(f"{package}{tables}\n", "utf-8")
        (folder / "src").mkdir()
        (folder / "src" / "main.rs").write_text("fn main() {}\n", "utf-8")
        shutil.copy(crate / "Cargo.lock", folder)
        in_step = ["cargo", "update", "--workspace", "--offline", "--quiet"]
        subprocess.run(in_step, cwd=folder, check=True)
        return (folder / "Cargo.lock").read_text("utf-8")


def main() -> None:
    """Renew the lock files in place; a command that fails ends it."""
    for framework in FRAMEWORKS:
        crate = ROOT / "services" / framework
        _run("cargo", "update", folder=crate)
        _run("cargo", "test", "--locked", folder=crate)
        (crate / LOCKS["glibc"]).write_text(lock_for_glibc(framework), "utf-8")
    for name in DEVELOPMENT:
        _run(*compile_command(name), f"--output-file={name}")


if __name__ == "__main__":
    main()
