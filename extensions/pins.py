"""The versions that the template pins, read from `versions.toml`."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

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


def alpine_for(rust: str, releases: Mapping[str, str] | None = None) -> str:
    """Return the Alpine release to build on.

    Args:
        rust: The Rust release, not below `registry.minimum_rust()`.
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


def action(name: str) -> str:
    """Return an action of GitHub as a workflow uses it: its commit, with its version behind.

    Source: https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions
    """
    pinned = versions()["actions"][name]
    return f"{name}@{pinned['digest']} # {pinned['version']}"
