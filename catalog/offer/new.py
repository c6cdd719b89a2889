"""Makes a service at a terminal: a preset first, then what it leaves open, then the copy."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import questionary

from extensions.pins import ROOT
from extensions.policy import Policy, Preset, refusal
from extensions.rules import Answer

NO_PRESET = "none, ask me everything"


class NoService(Exception):
    """No service can be made of what was given; the message is one line that says why."""


def choose(presets: Mapping[str, Preset], wanted: str | None) -> dict[str, Answer]:
    """Return the answers of a preset, which a person chooses unless it is named.

    Args:
        presets: What there is.
        wanted: The name of one; None to ask, if there are any.

    Raises:
        NoService: There is none of that name.
        KeyboardInterrupt: The person stopped.
    """
    if wanted is None and presets:
        choices = [
            questionary.Choice(f"{name}, {preset.help}", name) for name, preset in presets.items()
        ]
        asked = questionary.select(
            "Which preset of your organisation?", [*choices, questionary.Choice(NO_PRESET, "")]
        )
        wanted = asked.unsafe_ask()
    if not wanted:
        return {}
    if wanted not in presets:
        known = ", ".join(presets) or "none, since the policy has no presets"
        raise NoService(f"--preset {wanted}: there is no such preset; they are {known}")
    return dict(presets[wanted].answers)


def ask_name(policy: Policy | None) -> str:
    """Ask for the name of the service, which is that of its folder too.

    Raises:
        KeyboardInterrupt: The person stopped.
    """
    asked = questionary.text(
        "Name of the service; its folder is called so too.",
        validate=lambda name: refusal(policy, name, "service_name") or True,
    )
    return str(asked.unsafe_ask())


def copy(
    template: str, folder: Path, answers: Mapping[str, Answer], options: list[str]
) -> NoReturn:
    """Become Copier, which asks what is open and makes the service.

    Args:
        template: Where the template is.
        folder: Where the service is made.
        answers: What is answered already.
        options: More options of `copier copy`.
    """
    data = [f"--data={name}={_as_text(answer)}" for name, answer in answers.items()]
    command = [
        *(sys.executable, "-I", str(ROOT / "hooks" / "run_copier.py"), "copy", "--trust"),
        *(*options, *data, template, str(folder)),
    ]
    os.execv(sys.executable, command)  # noqa: S606


def _as_text(answer: Answer) -> str:
    """Return an answer as `copier copy --data` takes it."""
    return answer if isinstance(answer, str) else json.dumps(answer)
