"""The arguments of Copier's commands, as far as what runs before Copier must understand them."""

import argparse
from dataclasses import dataclass

ANSWERS_FILE = ".copier-answers.yml"
# The options of `copier copy`, `update` and `recopy` that take a value and matter to nobody here.
WITH_VALUE = (
    ("-x", "--exclude"),
    ("-r", "--vcs-ref"),
    ("-s", "--skip"),
    ("-o", "--conflict"),
    ("-c", "--context-lines"),
    ("--ask",),
)


@dataclass(frozen=True)
class CommandLine:
    """What a command was given.

    Attributes:
        places: The template and the service, or the service alone, as far as they are given.
        answers_file: Where the answers are recorded, relative to the service.
        data: What each `--data` gives.
        data_file: The file that `--data-file` names.
    """

    places: list[str]
    answers_file: str
    data: list[str]
    data_file: str | None


def parse(arguments: list[str]) -> CommandLine:
    """Read the arguments of one of Copier's commands.

    Args:
        arguments: What follows `copier update`, for example.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-a", "--answers-file", default=ANSWERS_FILE)
    parser.add_argument("-d", "--data", action="append", default=[])
    parser.add_argument("--data-file")
    for option in WITH_VALUE:
        parser.add_argument(*option)
    options, rest = parser.parse_known_args(arguments)
    places = [argument for argument in rest if not argument.startswith("-")]
    return CommandLine(places, options.answers_file, options.data, options.data_file)
