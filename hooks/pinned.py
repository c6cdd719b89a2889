"""What a service is built from: the images of its Dockerfile and the crates of its manifest.

Both are read from the files that two versions of the template emit, so that it does not matter how
these versions are laid out.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from extensions.registry import requirements

ARG = re.compile(r"^ARG (\w+)=(\S+)$", re.MULTILINE)
FROM = re.compile(r"^FROM (?:--\S+ )*(\S+)(?: AS (\S+))?$", re.MULTILINE | re.IGNORECASE)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def changes(before: Path, after: Path) -> list[str]:
    """Compare what two versions of the template pin for a service.

    Args:
        before: What the last version emits.
        after: What the new version emits.

    Returns:
        A line for each image and each crate that is another one, is new or is gone.
    """
    return [
        *_compared("image", _images(before), _images(after)),
        *_compared("crate", _crates(before), _crates(after)),
    ]


def _images(service: Path) -> dict[str, str]:
    try:
        return images((service / "Dockerfile").read_text("utf-8"))
    except OSError:
        return {}


def images(text: str) -> dict[str, str]:
    """Return the images of a Dockerfile by their stages, with its own versions filled in."""
    given = dict(ARG.findall(text))
    found = {}
    for image, stage in FROM.findall(text):
        filled = VARIABLE.sub(lambda name: given.get(name[1] or name[2], name[0]), image)
        found[stage or "base"] = filled
    return found


def bases(text: str) -> list[str]:
    """Return the images that a Dockerfile is built from and on, sorted; `scratch` is none."""
    return sorted(set(images(text).values()) - {"scratch"})


def _crates(service: Path) -> dict[str, str]:
    try:
        return requirements(tomllib.loads((service / "Cargo.toml").read_text("utf-8")))
    except OSError:
        return {}


def _compared(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    lines = [
        f"{kind} {name}: {before[name]} to {after[name]}"
        for name in before
        if name in after and before[name] != after[name]
    ]
    lines += [f"{kind} {name}: is new, {after[name]}" for name in after if name not in before]
    return lines + [f"{kind} {name}: is gone" for name in before if name not in after]
