"""Emits files of the crates in `frameworks/`, which are built and tested in place.

What an answer decides within a file stands in a region, see `regions.py`. A file that an answer
decides as a whole stands in a folder of the crate that is called as the option, such as
`src/metrics/`: it is emitted unless one of its folders has the name of an option that is off.
"""

import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from .locks import Edge, cut
from .regions import Identifier, chosen
from .registry import FEATURES, LOCK, frameworks, requirements, runtimes
from .rules import CHOICES, DEPLOY, OBSERVABILITY, Refusal, port, some_of

# What the crates in `frameworks/` are called.
PLACEHOLDER = "service"
# The first is what Prometheus itself and most of its guides listen on.
METRICS_PORTS = (9090, 9091)


@cache
def _read(framework: str, path: str) -> str:
    return (frameworks()[framework].folder / path).read_text("utf-8")


def options(answers: Mapping[str, Any] | Context) -> dict[str, object]:
    """Return, by the name of each region, whether to keep it or which value to fill in."""
    is_small = answers["profile"] == "size"
    return {
        "service_name": answers["service_name"],
        "crate_name": _crate(answers["service_name"]),
        "description": answers["description"],
        "port": port(answers["port"]),
        "metrics_port": metrics_port(answers["port"]),
        "musl": runtimes()[str(answers["runtime"])].libc == "musl",
        "opt_level": "z" if is_small else 3,
        "abort": is_small,
        "unwind": not is_small,
        **_told(answers["observability"]),
    }


def _told(observability: object) -> dict[str, bool]:
    """Return the options that follow from what a service tells of itself.

    Args:
        observability: The answer; what is missing or not legal stands for nothing.
    """
    try:
        told = some_of(OBSERVABILITY, observability)
    except Refusal:
        told = []
    found = {name: name in told for name in OBSERVABILITY}
    # Spans carry the id of a request to the log lines, and traces consist of them.
    return {**found, "no_logs": not found["logs"], "spans": found["logs"] or found["traces"]}


def metrics_port(own: object) -> int:
    """Return the port that metrics are on unless METRICS_PORT says otherwise.

    Args:
        own: The answer to `port`, which the service itself listens on; metrics have another one.
    """
    return next(each for each in METRICS_PORTS if each != port(own))


def surroundings(ci: object, deploy: object) -> dict[str, bool]:
    """Return what surrounds a service: the names by which paths and files of `template/` ask.

    Args:
        ci: The answer to that question; what is not legal stands for nothing, here and below.
        deploy: The answer to that question.
    """
    try:
        places = some_of(DEPLOY, deploy)
    except Refusal:
        places = []
    forges = {name: ci == name for name in CHOICES["ci"] if name != "none"}
    return {**forges, "forge": any(forges.values()), **{name: name in places for name in DEPLOY}}


def emitted_files(paths: Iterable[str], observability: object) -> list[str]:
    """Return those files of a crate that a service gets.

    Args:
        paths: All files of the crate, relative to it.
        observability: The answer to that question; what is missing or not legal stands for nothing.

    Returns:
        The files of which no folder has the name of an option that the answer turns off.
    """
    off = frozenset(name for name, is_on in _told(observability).items() if not is_on)
    return list(_outside(tuple(paths), off))


# Copier asks for each text that it renders.
@cache
def _outside(paths: tuple[str, ...], folders: frozenset[str]) -> tuple[str, ...]:
    """Return those of some paths that are in none of these folders."""
    return tuple(
        path
        for path in paths
        if folders.isdisjoint(parent.name for parent in PurePosixPath(path).parents)
    )


def _crate(package: str) -> Identifier:
    """Return what Rust calls the library of a package.

    Source: https://doc.rust-lang.org/cargo/reference/cargo-targets.html#the-name-field
    """
    return Identifier(package.replace("-", "_"))


@pass_context
def emitted(context: Mapping[str, Any] | Context, path: str) -> str:
    """Return a file of the chosen framework's crate, for this service.

    Args:
        context: The answers.
        path: The file, relative to the crate.
    """
    return chosen(_read(context["framework"], path), path, options(context))


@pass_context
def lock(context: Mapping[str, Any] | Context) -> str:
    """Return the tested lock file of the chosen framework, cut to what the service depends on."""
    manifest = tomllib.loads(emitted(context, "Cargo.toml"))
    text = _read(context["framework"], LOCK)
    on = {name for name, value in options(context).items() if value is True}
    without = {
        edge
        for edge, brought_by in _features(context["framework"]).items()
        if on.isdisjoint(brought_by)
    }
    return cut(text, PLACEHOLDER, context["service_name"], requirements(manifest), without)


@contextmanager
def without_code(context: Mapping[str, Any]) -> Iterator[Path]:
    """Make a folder with the manifest and the lock file of a service, which Cargo can read.

    Args:
        context: The answers.

    Yields:
        The folder, which is gone at the end of the block.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "src").mkdir()
        for path, text in {
            "Cargo.toml": emitted(context, "Cargo.toml"),
            LOCK: lock(context),
            "src/lib.rs": "",
            "src/main.rs": "",
        }.items():
            (folder / path).write_text(text, "utf-8")
        yield folder


@cache
def _features(framework: str) -> dict[Edge, list[str]]:
    """Return which options bring an edge of the lock file; all other edges are always there.

    Cargo writes a dependency that is optional to a package only where a feature turns it on, and
    some crates of ours turn on features of others.
    """
    if not (frameworks()[framework].folder / FEATURES).exists():
        return {}
    return {
        (package, needs): brought_by
        for package, edges in tomllib.loads(_read(framework, FEATURES)).items()
        for needs, brought_by in edges.items()
    }
