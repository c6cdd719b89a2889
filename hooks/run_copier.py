"""Runs Copier as `bin/copier` does: checks first what Copier tells by a traceback, or not at all.

Plain Copier does the same copies and updates; it says less of what stops it.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from extensions.announce import no_yaml
from extensions.pins import ROOT
from extensions.surroundings import neutral
from hooks.check_recorded import Unusable, check_service, check_source, other_template
from hooks.command_line import CommandLine, parse

HELP = {"-h", "--help", "--help-all"}


def check_data(given: CommandLine) -> None:
    """Make sure that answers on the command line are pairs, and those of a file a mapping.

    Raises:
        Unusable: They are not.
    """
    for pair in given.data:
        if "=" not in pair:
            raise Unusable(f"-d {pair}: must be QUESTION=ANSWER, such as -d port=8080")
    if given.data_file is None:
        return
    try:
        answers = yaml.safe_load(Path(given.data_file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as reason:
        raise Unusable(f"--data-file {given.data_file}: cannot be read: {reason}") from None
    except yaml.YAMLError as reason:
        raise Unusable(f"--data-file {given.data_file}: {no_yaml(reason)}") from None
    if not isinstance(answers, dict):
        raise Unusable(f"--data-file {given.data_file}: must be a mapping of questions to answers")


def checked(arguments: list[str]) -> list[str]:
    """Check what Copier is asked to do.

    Args:
        arguments: What follows `copier`.

    Returns:
        The arguments for Copier.

    Raises:
        Unusable: Copier would fail.
    """
    if not arguments or arguments[0] not in {"copy", "recopy", "update"} or HELP & set(arguments):
        return arguments
    operation, *rest = arguments
    given = parse(rest)
    check_data(given)
    if operation == "copy":
        if len(given.places) > 1:
            check_source(given.places[0])
        return arguments
    folder = Path(given.places[0] if given.places else ".")
    source = check_service(folder, given.answers_file)
    if other := other_template(source):
        print(f"This runs the template of the service, {other}, and not {ROOT}", file=sys.stderr)
    # Copier compares the path with the one that git sees, which has no symbolic links.
    physical = str(folder.resolve())
    return [operation, *(physical if word in given.places else word for word in rest)]


def main() -> NoReturn:
    """Check, then become Copier."""
    try:
        arguments = checked(sys.argv[1:])
    except Unusable as reason:
        print(reason, file=sys.stderr)
        sys.exit(1)
    program = str(Path(sys.executable).with_name("copier"))
    # Answers are UTF-8, whatever the locale: https://peps.python.org/pep-0540/
    os.execve(program, [program, *arguments], {**neutral(os.environ), "PYTHONUTF8": "1"})  # noqa: S606


if __name__ == "__main__":
    main()
