"""Begins an update: checks that the service can be merged, and notes what it starts from.

Copier runs it in the folder of the service, before the new version asks; see `_migrations` in
copier.yml. It gives recorded answers the names that their questions have now, and changes nothing
else. What the service has is a commit that no branch has, until `finish_update.py` is done with it.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hooks.check_mergeable import emitted, emitted_by, ignored, why_not
from hooks.check_recorded import Unusable, read
from hooks.git import GitFailed
from hooks.merge import files_of, stored
from hooks.outcome import Outcome, tell
from hooks.rename_answers import NotRenamed, rename_recorded
from hooks.starting_point import note


def start(answers_file: str, skip_answered: bool, before: str) -> list[str]:
    """Begin the update of the service in the current folder.

    Args:
        answers_file: Where its answers are recorded.
        skip_answered: Whether Copier asks no question that has an answer.
        before: The version that the service has.

    Returns:
        A line for each answer that was renamed.

    Raises:
        GitFailed: Git could not note what the service has.
        NotRenamed: With `skip_answered`, Copier would lose a renamed answer.
        Unusable: The answers file has been spoilt.
    """
    recorded = read(Path(), answers_file)
    service = files_of("HEAD:./")
    possible = {answers_file, *emitted(), *emitted_by(before)} - service.keys()
    note(service | stored(Path(), ignored(sorted(possible))))
    return rename_recorded(Path(answers_file), recorded, skip_answered)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers_file")
    parser.add_argument("--skip-answered", choices=["True", "False"], default="False")
    parser.add_argument("--from", dest="before", required=True)
    parser.add_argument("--to", required=True)
    options = parser.parse_args(arguments)
    try:
        reasons = why_not()
        if not reasons:
            skip_answered = options.skip_answered == "True"
            for line in start(options.answers_file, skip_answered, options.before):
                print(f"  {line}", file=sys.stderr)
            return 0
    except (GitFailed, NotRenamed, Unusable) as reason:
        reasons = [str(reason)]
    for line in reasons:
        print(line, file=sys.stderr)
    tell(Outcome("refused", options.before, options.to, reason=reasons[0]))
    return 1


if __name__ == "__main__":
    sys.exit(main())
