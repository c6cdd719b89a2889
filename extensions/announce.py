"""What an update will change, told before it writes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .pins import versions
from .rules import RULES, said

MOST_BYTES = 1_000_000  # Copier writes less than a thousandth of that


def changes(context: Mapping[str, Any], questions: Iterable[str]) -> list[str]:
    """Say what an update will change in a service.

    Args:
        context: What Copier renders with, once all is answered and before anything is written.
        questions: The names of the questions.

    Returns:
        One line a change: the version and the answers. None if the destination has no answers
        file, like the folders that Copier compares.
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
            lines.append(f"{name}: is new and takes {said(value)}")
        elif earlier[name] != value:
            lines.append(f"{name}: {said(earlier[name])} to {said(value)}")
    rust = context["rust_version"]
    if earlier.get("rust_version") == rust != versions()["rust"]:
        newest = versions()["rust"]
        lines.append(f"rust_version: stays {rust}; -d rust_version={newest} moves it")
    return lines


def recorded(file: Path) -> dict[str, Any] | None:
    """Return the answers that a file records, None where there are none."""
    if not file.is_file() or file.stat().st_size > MOST_BYTES:
        return None
    try:
        answers = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError):
        return None
    return answers if isinstance(answers, dict) else None


def no_yaml(reason: Exception) -> str:
    """Say that a text is no YAML, and in which line it ceases to be."""
    where = getattr(reason, "problem_mark", None)
    return f"is no YAML at line {where.line + 1}" if where else "is no YAML"
