"""Prepares an update: gives recorded answers the names that their questions have now.

Copier runs it in the folder of the service before the new version asks; see `_migrations` in
copier.yml. It changes no file but the answers file, which the update writes anew.
"""

import argparse
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from extensions.pins import ROOT
from extensions.renames import Rename, renames_since


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


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers_file", type=Path)
    parser.add_argument("--skip-answered", choices=["True", "False"], default="False")
    options = parser.parse_args(arguments)
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    recorded = yaml.safe_load(options.answers_file.read_text("utf-8"))
    changes = renames_since("questions", str(recorded.get("_commit")))
    answers, lines = rename(recorded, changes, questions)
    if lines and options.skip_answered == "True":
        # With that option Copier keeps the answers that it read before this ran.
        print(f"{lines[0]}; update without --skip-answered", file=sys.stderr)
        return 1
    if lines:
        text = yaml.safe_dump(answers, allow_unicode=True, sort_keys=False)
        options.answers_file.write_text(text, "utf-8")
    for line in lines:
        print(f"  {line}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
