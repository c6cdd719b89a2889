"""What this machine has and lacks for making a service, a line each with the remedy.

Run it with any Python before the first copy: `python3 hooks/doctor.py`. Exit code 0 says that
nothing is lacking, 1 that something is, 2 that the command line is wrong.
"""

import sys

PYTHON = (3, 11)
if sys.version_info < PYTHON:
    # What comes next cannot even be read by an older one.
    FOUND, NEEDED = (".".join(map(str, numbers)) for numbers in (sys.version_info[:3], PYTHON))
    print(f"LACKS  Python: {FOUND} is too old; Copier needs {NEEDED} or later")
    sys.exit(1)

import argparse
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from extensions.registry import frameworks, minimum_rust
from hooks.engine import NoEngine, find
from hooks.git import NEEDED as GIT
from hooks.processes import run
from hooks.toolchain import numbers, why_no_crates, why_no_rust

ROOT = Path(__file__).resolve().parent.parent
# `python -c` imports from the current folder first, which may be a stranger's service.
GUARD = "import sys; sys.path = [place for place in sys.path if place not in ('', '.')]; "
# Disk for a cold image build and its caches, and for Cargo's build of tests and release.
GIGABYTES = 5
FRONTEND = "docker/dockerfile:1"


class Lacks(Exception):
    """Something is lacking; the message says what, and the remedy."""


@dataclass(frozen=True)
class Check:
    """One thing to look for, and the levels of `smoke` that need it."""

    name: str
    look: Callable[[], str]
    levels: frozenset[str]


def python() -> str:
    """Return the version of this Python, which is not too old: see the top of this file."""
    return ".".join(map(str, sys.version_info[:3]))


def git() -> str:
    """Return the version of git."""
    if shutil.which("git") is None:
        raise Lacks("it is not installed; on Debian, apt-get install git")
    found = run("git", "--version").stdout.removeprefix("git version ").strip()
    if numbers(found)[: len(GIT)] < GIT:
        needed = ".".join(map(str, GIT))
        raise Lacks(f"{found} is too old; `copier update` needs {needed} or later to merge")
    return found


def identity() -> str:
    """Return the author that git gives to commits; `copier update` needs one as well."""
    values = []
    for key, example in (("user.name", "Jane Doe"), ("user.email", "jane@example.com")):
        value = run("git", "config", key).stdout.strip() if shutil.which("git") else ""
        if not value:
            raise Lacks(f'there is no {key}; git config --global {key} "{example}"')
        values.append(value)
    return f"{values[0]} <{values[1]}>"


def copier() -> str:
    """Return the version of Copier: of this Python, of the PATH, or of `bin/copier`."""
    config = (ROOT / "copier.yml").read_text("utf-8")
    needed = re.search(r'^_min_copier_version: "([0-9.]+)"$', config, re.MULTILINE)
    assert needed
    found = _installed("copier")
    if found is None:
        raise Lacks("it is not installed; bin/copier of this repository brings it")
    if numbers(found) < numbers(needed[1]):
        raise Lacks(f"{found} is too old, the template needs {needed[1]}; pipx upgrade copier")
    return found


def extensions() -> str:
    """Return the version of the extension loader that runs beside Copier."""
    name = "copier-template-extensions"
    if found := _installed(name):
        return found
    raise Lacks(f"it is not beside Copier; pipx inject copier {name}")


def rust() -> str:
    """Return the release of Rust that a service can be built with."""
    if reason := why_no_rust(minimum_rust()):
        raise Lacks(reason)
    return run("rustc", "--version").stdout.removeprefix("rustc ").strip()


def crates() -> str:
    """Download the locked crates that are missing, and return that all are here."""
    if shutil.which("cargo") is None:
        raise Lacks("cargo is not installed, so nothing was tried")
    with tempfile.TemporaryFile() as log:
        for framework in frameworks().values():
            if reason := why_no_crates(framework.folder, log):
                raise Lacks(f"{reason}; see net and http in Cargo's configuration")
    return "all are here"


def engine() -> str:
    """Return the engine that builds through BuildKit."""
    try:
        return str(find())
    except NoEngine as reason:
        raise Lacks(str(reason)) from reason


def images() -> str:
    """Return that images can be pulled."""
    try:
        client = find().client
    except NoEngine:
        raise Lacks("there is no engine to pull them with") from None
    pulled = run(client, "pull", "--quiet", FRONTEND)
    if pulled.returncode:
        lines = pulled.stderr.strip().splitlines() or ["it does not say why"]
        raise Lacks(f"they cannot be pulled; image_registry names a mirror: {lines[-1]}")
    return "they can be pulled"


def disk() -> str:
    """Return the free space where a service would be made."""
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    if free < GIGABYTES:
        raise Lacks(f"{free:.1f} GB are free here; builds and their caches take {GIGABYTES} GB")
    return f"{free:.0f} GB free"


ALL = frozenset({"none", "check", "build", "image"})
HOST = frozenset({"check", "build"})
IMAGE = frozenset({"image"})
CHECKS = (
    Check("Python", python, ALL),
    Check("git", git, ALL),
    Check("git identity", identity, ALL),
    Check("Copier", copier, ALL),
    Check("extension loader", extensions, ALL),
    Check("Rust", rust, HOST),
    Check("crates", crates, HOST),
    Check("engine", engine, IMAGE),
    Check("images", images, IMAGE),
    Check("disk", disk, HOST | IMAGE),
)


def service(folder: str) -> tuple[bool, str]:
    """Tell whether `copier update` can start in the folder of a service, or why it cannot."""
    for interpreter in _interpreters():
        if run(*interpreter, "-c", f"{GUARD}import yaml, packaging").returncode == 0:
            ended = run(*interpreter, str(ROOT / "hooks" / "check_recorded.py"), folder)
            text = ended.stderr.strip() or "can be updated"
            return ended.returncode == 0, text
    return False, "Copier is not installed, which reads its answers"


def findings(levels: frozenset[str]) -> Iterator[tuple[str, bool, str]]:
    """Look for all that some levels of the question `smoke` need.

    Yields:
        The name of each thing, whether it is there, and what was found or what helps.
    """
    for check in CHECKS:
        if check.levels & levels:
            try:
                yield check.name, True, check.look()
            except Lacks as reason:
                yield check.name, False, str(reason)


def _installed(name: str) -> str | None:
    """Return the version of a package in the environment that `copier` would run in."""
    code = f"{GUARD}from importlib.metadata import version; print(version({name!r}))"
    for interpreter in _interpreters():
        answer = run(*interpreter, "-c", code)
        if answer.returncode == 0:
            return answer.stdout.strip()
    return None


def _interpreters() -> Iterator[list[str]]:
    if program := shutil.which("copier"):
        with Path(program).open("rb") as file:
            first = file.readline(1000).decode("utf-8", "replace")
        # A shim of pyenv or asdf is a script for a shell, which knows what it runs alone.
        if first.startswith("#!/") and "python" in first:
            yield shlex.split(first[2:])
    yield [sys.executable]
    own = ROOT / ".venv" / "bin" / "python"
    if own.exists():
        yield [str(own)]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--smoke",
        choices=sorted(ALL),
        help="look for what this level of the smoke build needs, rather than all of them",
    )
    parser.add_argument("--service", metavar="FOLDER", help="look at this service as well")
    options = parser.parse_args(arguments)
    levels = frozenset({options.smoke}) if options.smoke else ALL
    complete = True
    for name, there, text in findings(levels):
        print(f"{'ok   ' if there else 'LACKS'}  {name}: {text}", flush=True)
        complete &= there
    if options.service:
        there, text = service(options.service)
        print(f"{'ok   ' if there else 'LACKS'}  service: {text}", flush=True)
        complete &= there
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
