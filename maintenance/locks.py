"""Renews every lock file, of Cargo and of Python, and tests what they lock."""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, combinations, product
from pathlib import Path

from extensions.locks import Edge, cut, edges
from extensions.pins import ROOT, versions
from extensions.regions import chosen
from extensions.registry import FEATURES, LOCK, Framework, frameworks, requirements, runtimes
from extensions.rules import OBSERVABILITY
from extensions.sources import PLACEHOLDER, options
from extensions.text import toml

# What each Python lock file takes from pyproject.toml beyond the dependencies there.
DEVELOPMENT = {
    "requirements.lock": [],
    "requirements-dev.lock": ["--group=dev", "--extra=dask", "--constraints=requirements.lock"],
}
HEADER = """\
# Made by `bin/renew locks`. The crate of a table depends on those in it only where one of the
# options is on, whose crates turn on a feature. All else in Cargo.lock goes with its crates.
"""
# The names of the options that are on.
On = frozenset[str]


class NotSaid(Exception):
    """Which options bring an edge of a lock file cannot be said; the message says of which."""


def compile_command(name: str) -> list[str]:
    """Return the command that renews a Python lock file, without its output file."""
    uv = str(Path(sys.executable).with_name("uv"))
    flags = ["--quiet", "--no-header", "--universal", "--generate-hashes", "--upgrade"]
    return [uv, "pip", "compile", *flags, "pyproject.toml", *DEVELOPMENT[name]]


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
        print(f"+ {FEATURES}, frameworks/{framework.name}", file=sys.stderr)
        write_features(framework)
        _run("cargo", "test", "--locked", folder=framework.folder)
    for name in DEVELOPMENT:
        _run(*compile_command(name), f"--output-file={name}")


# ----------------------------------------------------------------------- features of the lock


def write_features(framework: Framework) -> None:
    """Write which options bring which edges of a framework's lock file; no file if there is none.

    Raises:
        NotSaid: The file cannot say it.
    """
    found = features(framework)
    file = framework.folder / FEATURES
    if found:
        file.write_text(written(found), "utf-8")
    else:
        file.unlink(missing_ok=True)


def features(framework: Framework) -> dict[Edge, list[str]]:
    """Return which options bring an edge of a framework's lock file, by what Cargo itself locks.

    Raises:
        NotSaid: No choice of options says it, or Cargo would lock something else in the end.
    """
    lock = (framework.folder / LOCK).read_text("utf-8")
    manifests = dict(subsets(framework))
    locks = {on: _by_cargo(lock, manifest) for on, manifest in manifests.items()}
    found = brought_by(lock, locks)
    for on, manifest in manifests.items():
        without = [edge for edge, names in found.items() if on.isdisjoint(names)]
        needed = requirements(tomllib.loads(manifest))
        if cut(lock, PLACEHOLDER, PLACEHOLDER, needed, without) != locks[on]:
            raise NotSaid(f"frameworks/{framework.name}: Cargo locks something else for {_and(on)}")
    return found


def subsets(framework: Framework) -> Iterator[tuple[On, str]]:
    """Yield the manifest of a framework for each set of options that decides its dependencies."""
    source = (framework.folder / "Cargo.toml").read_text("utf-8")
    answers = {"service_name": PLACEHOLDER, "description": "", "port": 8080, "profile": "size"}
    told = chain.from_iterable(
        combinations(OBSERVABILITY, count) for count in range(len(OBSERVABILITY) + 1)
    )
    by_libc = {each.libc: name for name, each in runtimes().items()}
    for runtime, names in product(by_libc.values(), told):
        found = options({**answers, "runtime": runtime, "observability": list(names)})
        on = frozenset(name for name, value in found.items() if value is True)
        yield on, chosen(source, "Cargo.toml", found)


def _by_cargo(lock: str, manifest: str) -> str:
    """Return the lock file that Cargo makes for a manifest, with the versions of another one.

    Source: https://doc.rust-lang.org/cargo/commands/cargo-update.html, `--workspace`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Cargo.toml").write_text(manifest, "utf-8")
        (folder / LOCK).write_text(lock, "utf-8")
        (folder / "src").mkdir()
        (folder / "src" / "lib.rs").touch()
        (folder / "src" / "main.rs").write_text("fn main() {}\n")
        subprocess.run(["cargo", "update", "--workspace", "--quiet"], cwd=folder, check=True)
        return (folder / LOCK).read_text("utf-8")


def brought_by(lock: str, locks: Mapping[On, str]) -> dict[Edge, list[str]]:
    """Return which options bring an edge of a lock file, for the edges that are not always there.

    Args:
        lock: The lock file, with all options on.
        locks: The lock files that Cargo makes of it, by the options that are on.

    Returns:
        The fewest options of which at least one is on wherever the edge is there, and none where
        it is not though its package is.

    Raises:
        NotSaid: There are no such options.
    """
    there = {on: edges(text).keys() for on, text in locks.items()}
    # A package of which no edge is left is still needed by another.
    packages = {on: {*chain.from_iterable(found)} for on, found in there.items()}
    names = sorted(frozenset().union(*locks) - frozenset.intersection(*locks))
    found = {}
    for in_full, edge in edges(lock).items():
        package, _ = in_full
        with_it = [on for on, kept in there.items() if in_full in kept]
        without = [on for on in locks if package in packages[on] and on not in with_it]
        if without and not package.startswith(f"{PLACEHOLDER} "):
            found[edge] = _fewest(names, with_it, without, edge)
    return found


def _fewest(
    names: list[str], with_it: Collection[On], without: Collection[On], edge: Edge
) -> list[str]:
    for count in range(1, len(names) + 1):
        for some in combinations(names, count):
            if not any(on & {*some} for on in without) and all(on & {*some} for on in with_it):
                return list(some)
    raise NotSaid(f"{' to '.join(edge)}: is there with {' or '.join(map(_and, with_it))}")


def _and(on: On) -> str:
    return " and ".join(sorted(on)) or "nothing"


def written(found: Mapping[Edge, list[str]]) -> str:
    """Return what `features` found as TOML, a table for each package."""
    tables: dict[str, list[str]] = defaultdict(list)
    for (package, needs), names in sorted(found.items()):
        tables[package].append(f"{_key(needs)} = [{', '.join(map(toml, names))}]")
    return HEADER + "".join(
        "\n".join(["", f"[{_key(package)}]", *lines, ""]) for package, lines in tables.items()
    )


def _key(name: str) -> str:
    """Return a key of TOML, bare where it can be: https://toml.io/en/v1.0.0#keys."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml(name)
