"""Emits files of the crates in `frameworks/`, which are built and tested in place."""

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from .locks import cut
from .regions import Identifier, chosen
from .registry import LOCK, frameworks, requirements, runtimes
from .rules import port

# What the crates in `frameworks/` are called.
PLACEHOLDER = "service"


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
        "musl": runtimes()[str(answers["runtime"])].libc == "musl",
        "opt_level": "z" if is_small else 3,
        "abort": is_small,
        "unwind": not is_small,
    }


def _crate(package: str) -> Identifier:
    """Return what Rust calls the library of a package.

    Source: https://doc.rust-lang.org/cargo/reference/cargo-targets.html#the-name-field
    """
    return Identifier(package.replace("-", "_"))


@pass_context
def emitted(context: Context, path: str) -> str:
    """Return a file of the chosen framework's crate, for this service.

    Args:
        context: The answers.
        path: The file, relative to the crate.
    """
    return chosen(_read(context["framework"], path), path, options(context))


@pass_context
def lock(context: Context) -> str:
    """Return the tested lock file of the chosen framework, cut to what the service depends on."""
    manifest = tomllib.loads(emitted(context, "Cargo.toml"))
    text = _read(context["framework"], LOCK)
    return cut(text, PLACEHOLDER, context["service_name"], requirements(manifest))
