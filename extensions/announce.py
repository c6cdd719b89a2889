"""What an update will change, told before it writes."""

import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .pins import versions
from .registry import filled, frameworks, requirements, runtimes
from .rules import RULES


def changes(context: Mapping[str, Any], questions: Iterable[str]) -> list[str]:
    """Say what an update will change in a service.

    Args:
        context: What Copier renders with, once all is answered and before anything is written.
        questions: The names of the questions.

    Returns:
        One line a change: the version, the answers, the pinned images and the crates. None if
        the destination has no answers file, like the folders that Copier compares.
    """
    conf = context["_copier_conf"]
    earlier = recorded(Path(conf["dst_path"]) / conf["answers_file"])
    if earlier is None:
        return []
    before, after = earlier.get("_commit"), context["_copier_answers"].get("_commit")
    lines = [f"template: {before} to {after}" if before != after else f"template: stays {after}"]
    for name in questions:
        if name not in context["_copier_answers"]:
            continue
        value = RULES[name](context["_copier_answers"][name])
        if name not in earlier:
            lines.append(f"{name}: is new and takes {_said(value)}")
        elif earlier[name] != value:
            lines.append(f"{name}: {_said(earlier[name])} to {_said(value)}")
    rust, framework = context["rust_version"], context["framework"]
    if pinned := _earlier(context, before, "versions.toml"):
        lines += _moved(
            _images(earlier.get("rust_version", rust), pinned, _bases_at(context, before)),
            _images(rust, versions(), {name: each.image for name, each in runtimes().items()}),
        )
    if earlier.get("framework") == framework:
        path = f"frameworks/{framework}/Cargo.toml"
        crates = requirements(_earlier(context, before, path))
        lines += [f"crate {line}" for line in _moved(crates, frameworks()[framework].requirements)]
    if earlier.get("rust_version") == rust != versions()["rust"]:
        newest = versions()["rust"]
        lines.append(f"rust_version: stays {rust}; -d rust_version={newest} moves it")
    return lines


def recorded(file: Path) -> dict[str, Any] | None:
    """Return the answers that a file records, None where there are none."""
    try:
        answers = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError):
        return None
    return answers if isinstance(answers, dict) else None


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value) if value != "" else "nothing"


def _earlier(context: Mapping[str, Any], commit: object, path: str) -> dict[str, Any]:
    """Return a TOML file of an earlier version of the template, empty where it is not known."""
    shown = subprocess.run(
        ["git", "-C", context["_copier_conf"]["src_path"], "show", f"{commit}:{path}"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return tomllib.loads(shown.stdout) if shown.returncode == 0 else {}


def _bases_at(context: Mapping[str, Any], commit: object) -> dict[str, str]:
    """Return the base that each of today's runtimes had in an earlier version, if it existed."""
    found = {
        name: _earlier(context, commit, f"runtimes/{name}/runtime.toml") for name in runtimes()
    }
    return {name: runtime["image"] for name, runtime in found.items() if runtime}


def _images(rust: str, pinned: Mapping[str, Any], bases: Mapping[str, str]) -> dict[str, str]:
    """Return every base with the pinned versions filled in."""
    images = {name: filled(image, rust, pinned) for name, image in bases.items() if image}
    return {f"image {name}": image for name, image in images.items()}


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Compare two tables; say nothing if the earlier one is not known."""
    if not before:
        return []
    lines = [
        f"{name}: {before[name]} to {after[name]}"
        for name in before
        if name in after and before[name] != after[name]
    ]
    lines += [f"{name}: is new, {after[name]}" for name in after if name not in before]
    return lines + [f"{name}: is gone" for name in before if name not in after]
