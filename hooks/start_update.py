"""Begins an update: checks that the service can be merged, and notes what it starts from.

Copier runs it in the folder of the service, before the new version asks; see `_migrations` in
copier.yml. It changes no file. What the service has, and what its last version made, are commits
that no branch has, under a name that `finish_update.py` takes away again.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hooks.check_mergeable import emitted, ignored, why_not
from hooks.check_recorded import Unusable, read
from hooks.git import GitFailed
from hooks.merge import files_of, stored, stored_folder
from hooks.outcome import Outcome, tell
from hooks.render_versions import NotRendered, rendered
from hooks.starting_point import note


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers_file")
    parser.add_argument("--exclude", type=json.loads, default=[])
    parser.add_argument("--to", default="")
    options = parser.parse_args(arguments)
    before = ""
    try:
        reasons = why_not()
        if not reasons:
            recorded = read(Path(), options.answers_file)
            before = recorded["_commit"]
            with rendered(before, recorded, options.exclude) as folder:
                last = stored_folder(folder)
            service = files_of("HEAD:./")
            possible = {*last, *map(str, emitted()), options.answers_file} - service.keys()
            service |= stored(Path(), ignored(sorted(possible)))
            note(last, service)
    except (GitFailed, NotRendered, Unusable) as reason:
        reasons = [str(reason)]
    for line in reasons:
        print(line, file=sys.stderr)
    if reasons:
        tell(Outcome("refused", before, options.to, reason=reasons[0]))
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main())
