"""The versions the template pins, read from the files that hold them."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FRAMEWORKS = ("actix", "rocket")

Release = tuple[int, int, int]


def parse_release(text: str) -> Release | None:
    """Read a Rust release.

    Args:
        text: Three numbers as in `1.98.0`.

    Returns:
        The numbers, or None when the text is anything else.
    """
    match = re.fullmatch(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


@cache
def versions() -> dict[str, Any]:
    """Return what `versions.toml` holds."""
    return tomllib.loads((ROOT / "versions.toml").read_text("utf-8"))


@cache
def manifest(framework: str) -> dict[str, Any]:
    """Return the Cargo manifest of a framework's own crate in `services/`."""
    return tomllib.loads((ROOT / "services" / framework / "Cargo.toml").read_text("utf-8"))


def requirements(table: Mapping[str, Any]) -> dict[str, str]:
    """Return the crates that a Cargo manifest depends on, on any target, with their versions."""
    found: dict[str, str] = {}
    for part in (table, *table.get("target", {}).values()):
        for name, wanted in part.get("dependencies", {}).items():
            found[name] = wanted["version"] if isinstance(wanted, dict) else wanted
    return found


def minimum_rust() -> str:
    """Return the oldest Rust release that builds every framework, as `x.y.z`.

    Source: `rust-version` in the manifests, https://doc.rust-lang.org/cargo/reference/rust-version.html
    """
    declared = (f"{manifest(name)['package']['rust-version']}.0" for name in FRAMEWORKS)
    return max(declared, key=lambda version: parse_release(version) or (0, 0, 0))


def alpine_for(rust: str, releases: Mapping[str, str] | None = None) -> str:
    """Return the Alpine release to build on.

    Args:
        rust: The Rust release, not below `minimum_rust()`.
        releases: The newest Alpine from each Rust release on; `versions.toml` has the default.

    Returns:
        The newest Alpine known to have an official image of that Rust release.
    """
    wanted = parse_release(rust) or (0, 0, 0)
    first, *later = (versions()["alpine"] if releases is None else releases).items()
    alpine = first[1]
    for since, release in later:
        if wanted >= (parse_release(since) or wanted):
            alpine = release
    return str(alpine)
