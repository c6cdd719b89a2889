"""What a commit and a pull request say of a move."""

import json
from collections.abc import Mapping
from typing import Any


def body(before: str, after: str, defaults: Mapping[str, Any]) -> str:
    """Return what follows the first line.

    Args:
        before: The version that the service had.
        after: The version that it gets.
        defaults: The new questions, each with the default that it took.
    """
    lines = [f"From {before} to {after} by `copier update`."]
    if defaults:
        lines += ["", "New questions took their defaults:", ""]
        lines += [f"- {name}: {json.dumps(value)}" for name, value in defaults.items()]
    return "\n".join(lines)
