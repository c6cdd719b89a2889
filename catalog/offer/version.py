"""What this version of the template asks and pins; every release carries it for the index."""

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from extensions.pins import versions
from extensions.questions import condition, default_in_words, labels, questions
from extensions.registry import LOCK, frameworks, images


def this_version() -> dict[str, Any]:
    """Return what this version asks and pins.

    Returns:
        `rust`, the release; `questions` by name, each with its help, its default in words, its
        choices with their labels and the question that decides whether it is asked; `images` by
        what they are for; `crates` by framework, the direct ones and all that its lock file has.
    """
    return {
        "rust": versions()["rust"],
        "questions": {name: _question(name) for name in questions()},
        "images": images(),
        "crates": {
            name: {
                "direct": {
                    crate: locked
                    for crate, locked in _locked(each.folder / LOCK).items()
                    if crate in each.requirements
                },
                "locked": _locked(each.folder / LOCK),
            }
            for name, each in frameworks().items()
        },
    }


def _question(name: str) -> dict[str, Any]:
    when = condition(name)
    found: dict[str, Any] = {
        "help": questions()[name]["help"],
        "default": default_in_words(name),
        "choices": labels(name),
    }
    if when:
        found["asked_if"] = {when.question: list(when.answers) or "not empty"}
    return found


def _locked(lock: Path) -> dict[str, list[str]]:
    """Return the versions of each crate from a registry that a lock file of Cargo holds."""
    found: dict[str, list[str]] = defaultdict(list)
    for package in tomllib.loads(lock.read_text("utf-8"))["package"]:
        if "source" in package:
            found[package["name"]].append(package["version"])
    return dict(found)
