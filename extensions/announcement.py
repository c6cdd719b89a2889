"""What an update will change, told before it writes."""

import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .pins import alpine_for, manifest, requirements, versions
from .rules import RULES


def changes(context: Mapping[str, Any], questions: Iterable[str]) -> list[str]:
    """Say what an update will change in a service.

    Args:
        context: What Copier renders with, when all is answered and nothing is written.
        questions: The names of the questions.

    Returns:
        One line a change: the version, the answers, the pinned images and the crates. None where
        the destination has no answers file, as the folders that Copier compares.
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
            lines.append(f"{name}: is new and takes {_shown(value)}")
        elif earlier[name] != value:
            lines.append(f"{name}: {_shown(earlier[name])} to {_shown(value)}")
    rust, framework = context["rust_version"], context["framework"]
    pinned = _earlier(context, before, "versions.toml")
    if pinned:
        lines += _moved(
            _images(earlier.get("rust_version", rust), pinned), _images(rust, versions())
        )
    if earlier.get("framework") == framework:
        crates = requirements(_earlier(context, before, f"services/{framework}/Cargo.toml"))
        lines += [f"crate {line}" for line in _moved(crates, requirements(manifest(framework)))]
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


def _shown(value: object) -> str:
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


def _images(rust: str, pinned: Mapping[str, Any]) -> dict[str, str]:
    return {
        "image alpine": alpine_for(rust, pinned["alpine"]),
        "image debian": pinned["debian"],
        "image distroless": pinned["distroless"],
    }


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Compare two tables; where nothing is known of the earlier one, nothing is said."""
    if not before:
        return []
    lines = [
        f"{name}: {before[name]} to {after[name]}"
        for name in before
        if name in after and before[name] != after[name]
    ]
    lines += [f"{name}: is new, {after[name]}" for name in after if name not in before]
    return lines + [f"{name}: is gone" for name in before if name not in after]
