"""The answers that a portal hands to its workflow: JSON in the environment, under the rules."""

import json
import os
from collections.abc import Mapping
from functools import partial

import yaml

from extensions.policy import Policy, preferred, refusal
from extensions.questions import condition, is_required, questions
from extensions.rules import RULES, Answer, refusals, shown

VARIABLE = "ANSWERS"
# GitHub's limit for all inputs of a workflow together: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#providing-inputs
MOST_CHARACTERS = 65_535


class BadAnswers(ValueError):
    """Answers that no service can be made from; the message is one line that says why."""


def given(policy: Policy | None) -> dict[str, Answer]:
    """Return the answers of the environment, each in the type of its question.

    Args:
        policy: What an organisation decides; it counts as it does for `copier copy`.

    Returns:
        The answers to what is asked. A form may still hold an answer that was given before another
        one hid the question; it is left out, whatever it is.

    Raises:
        BadAnswers: There are none, they are no JSON object, or the rules or the policy refuse one.
    """
    found = _read(os.environ.get(VARIABLE, ""))
    known = {**preferred(policy), **found}
    asked = {name: value for name, value in found.items() if _is_asked(name, known)}
    # To `refusals`, such names are Copier's own.
    lines = [
        f"{shown(name)[1:-1]}: no question has this name" for name in asked if name.startswith("_")
    ]
    lines += refusals(asked, questions(), partial(refusal, policy))
    lines += [
        f"{name}: needs an answer"
        for name in questions()
        if is_required(name) and name not in asked and _is_asked(name, known)
    ]
    if lines:
        raise BadAnswers("; ".join(lines))
    return {name: RULES[name](value) for name, value in asked.items()}


def as_yaml(answers: Mapping[str, Answer]) -> str:
    """Return answers as `copier copy --data-file` takes them, in ASCII alone."""
    return yaml.safe_dump(dict(answers), sort_keys=False)


def _read(text: str) -> dict[str, object]:
    if not text:
        raise BadAnswers(f"{VARIABLE} of the environment must have the answers, as a JSON object")
    if len(text) > MOST_CHARACTERS:
        raise BadAnswers(f"{VARIABLE} must have at most {MOST_CHARACTERS} characters")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadAnswers(
            f'{VARIABLE} must be a JSON object, such as {{"service_name": "order-api"}}'
        )
    return found


def _is_asked(name: str, answers: Mapping[str, object]) -> bool:
    when = condition(name) if name in questions() else None
    return when is None or when.holds(answers)
