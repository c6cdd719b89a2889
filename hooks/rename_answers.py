"""Gives recorded answers the names that their questions have now."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import yaml

from extensions.pins import ROOT
from extensions.renames import Rename, renames_since


class NotRenamed(Exception):
    """An answer cannot get its name of today; the message says what helps."""


def rename(
    answers: dict[str, Any], changes: Iterable[Rename], questions: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """Give recorded answers today's names, and leave out those that nobody asks any longer.

    Args:
        answers: What an answers file records.
        changes: What has been renamed since, oldest first.
        questions: Today's names.

    Returns:
        The answers in their order, and a line for each that was renamed or left out.
    """
    lines = []
    for change in changes:
        if change.was in answers and change.now not in answers:
            lines.append(f"{change.was}: is called {change.now} now")
            answers = {
                change.now if name == change.was else name: value for name, value in answers.items()
            }
    gone = [name for name in answers if not name.startswith("_") and name not in questions]
    lines += [f"{name}: is no longer asked" for name in gone]
    return {name: value for name, value in answers.items() if name not in gone}, lines


def rename_recorded(answers_file: Path, recorded: dict[str, Any], skip_answered: bool) -> list[str]:
    """Give the answers in an answers file today's names, before an update reads them.

    Args:
        answers_file: The file, which the update will write anew.
        recorded: What it records.
        skip_answered: Whether Copier asks no question that has an answer.

    Returns:
        A line for each that was renamed or left out.

    Raises:
        NotRenamed: With `skip_answered`, Copier keeps the answers that it has read before.
    """
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    changes = renames_since("questions", str(recorded.get("_commit")))
    answers, lines = rename(recorded, changes, questions)
    if lines and skip_answered:
        raise NotRenamed(f"{lines[0]}; update without --skip-answered")
    if lines:
        text = yaml.safe_dump(answers, allow_unicode=True, sort_keys=False)
        answers_file.write_text(text, "utf-8")
    return lines
