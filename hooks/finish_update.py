"""Finishes an update: merges it, brings the lock file in step, and proves the result.

Copier runs it once, in the folder of the service, after its own merge; see `_migrations` in
copier.yml. `hooks/merge.py` says why that merge is replaced. Exit code 0 says that the update is
merged and in step, and that the proof that was asked for was done.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import yaml
from pathspec import GitIgnoreSpec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from extensions.renames import renames_since
from extensions.way_back import way_back
from hooks import lock, pinned
from hooks.git import GitFailed, git, lines, word
from hooks.merge import Files, Merged, files_of, lay_out, mark, merge, stored_folder
from hooks.outcome import Outcome, Word, tell
from hooks.processes import Stopped, stoppable
from hooks.render_versions import NotRendered, rendered
from hooks.smoke import CannotRun, Failed, logged, smoke
from hooks.starting_point import forget, noted

GO_ON = "the merged files and every edit are in place; mend them and commit to go on"


@dataclass(frozen=True)
class Request:
    """What Copier was asked for."""

    answers_file: str
    level: str
    by_name: bool
    token: str
    conflict: Literal["inline", "rej"]
    exclude: Sequence[str]
    skip: Sequence[str]
    before: str


def merged(request: Request) -> tuple[Merged, float]:
    """Merge the update into the service in the current folder.

    Args:
        request: What Copier was asked for.

    Returns:
        The merge, which is laid out and marked, and when the update began.

    Raises:
        GitFailed: Git could not.
        NotRendered: The new version does not take the answers.
    """
    start = noted()
    recorded = git("cat-file", "blob", start.service[request.answers_file].blob)
    answers = yaml.safe_load(Path(request.answers_file).read_text("utf-8"))
    with (
        rendered(request.before, yaml.safe_load(recorded), request.exclude) as last,
        rendered("HEAD", answers, request.exclude) as new,
    ):
        before, after = stored_folder(last), stored_folder(new)
        for line in pinned.changes(last, new):
            print(f"  {line}", file=sys.stderr)
    own = files_of("HEAD:./")
    moves = {change.was: change.now for change in renames_since("files", request.before)}
    result = merge(
        before,
        start.service,
        after,
        moves=moves,
        untouchable=_untouchable(request, start.service),
    )
    _leave_ignored(result, start.service, own)
    touched = {
        name
        for name in {*before, *after, *start.service, *result.files}
        if name in before or name in after or result.files.get(name) != start.service.get(name)
    } - {request.answers_file}
    git("reset", "--quiet", "HEAD", "--", ".", accepted=(0, 1))
    lay_out({name: result.files[name] for name in touched & result.files.keys()}, touched)
    for name in touched - {f"{name}.rej" for name in start.service}:
        Path(f"{name}.rej").unlink(missing_ok=True)
    mark(result, request.conflict)
    result.told += _comments_gone(request.answers_file)
    forget()
    return result, start.began


def _untouchable(request: Request, service: Files) -> Callable[[str], bool]:
    """Return what tells that a file is no matter of the template's.

    Copier writes the answers file. The lock file is the owner's, and so is what `--skip` names.
    """
    skipped = GitIgnoreSpec.from_lines(request.skip)
    fixed = {request.answers_file, lock.FILE}
    return lambda name: name in fixed or (name in service and skipped.match_file(name))


def _leave_ignored(result: Merged, service: Files, own: Files) -> None:
    """Leave files alone that git ignores where they cannot be merged, and tell of all of them."""
    for name in sorted(service.keys() - own.keys()):
        now = result.files.get(name)
        if now is None or name in result.conflicts:
            result.files[name] = service[name]
            result.conflicts.pop(name, None)
            why = "the template no longer has it" if now is None else "the changes conflict"
            result.told.append(f"{name}: git ignores it and {why}, so your file is left alone")
        elif now != service[name]:
            result.told.append(
                f"{name}: git ignores it; merged, and `git cat-file -p {service[name].blob[:12]}` "
                "has it as it was"
            )


def _comments_gone(answers_file: str) -> list[str]:
    """Return a line for each comment of the owner that Copier has dropped."""
    now = Path(answers_file).read_text("utf-8").splitlines()
    committed = git("cat-file", "blob", f"HEAD:./{answers_file}", accepted=(0, 128))
    # The first line is the template's own.
    before = committed.decode("utf-8").splitlines()[1:]
    return [
        f"{answers_file}: is written by Copier, so this line of yours is gone: {line}"
        for line in before
        if line.startswith("#") and line not in now
    ]


def _changed() -> list[str]:
    """Return the files that differ from the last commit, or that it lacks."""
    listed = lines("status", "--porcelain", "--untracked-files=all", "--no-renames", ".")
    prefix = word("rev-parse", "--show-prefix")
    return sorted(line[3:].removeprefix(prefix) for line in listed)


def complete(request: Request, log: IO[bytes]) -> tuple[Word, str]:
    """Bring a merged service in step and prove it.

    Args:
        request: What Copier was asked for.
        log: Gets what Cargo and the engine print.

    Returns:
        How the update ends, and why.

    Raises:
        Failed: The service lacks something.
    """
    try:
        for line in lock.bring_in_step(log):
            print(f"  {line}", file=sys.stderr)
    except lock.OutOfStep as reason:
        return "failed", str(reason)
    if request.level == "none":
        return "merged", "nothing was proven, as was asked for"
    if not request.by_name and not _changed():
        return "current", "nothing has changed, so nothing was proven anew"
    try:
        smoke(request.level, request.token, log)
    except CannotRun as reason:
        why = f"not proven: {request.level} cannot run here: {reason}"
        return ("failed" if request.by_name else "merged"), why
    return "proven", ""


def finish(request: Request) -> tuple[Word, str, float]:
    """Merge the update, bring the service in step and prove it.

    Args:
        request: What Copier was asked for.

    Returns:
        How the update ends, why, and when it began.
    """
    result, began = merged(request)
    for line in result.told:
        print(f"  {line}", file=sys.stderr)
    if result.conflicts:
        names = ", ".join(sorted(result.conflicts))
        return "conflict", f"{names}; nothing was built. Mend and `git add` them", began
    try:
        with logged() as log:
            return *complete(request, log), began
    except Failed as reason:
        return "failed", f"not proven: {reason}", began


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("answers_file")
    parser.add_argument("--level", choices=["none", "check", "build", "image"], required=True)
    parser.add_argument("--by-name", choices=["True", "False"], required=True)
    parser.add_argument("--token", default="")
    parser.add_argument("--conflict", choices=["inline", "rej"], default="inline")
    parser.add_argument("--exclude", type=json.loads, default=[])
    parser.add_argument("--skip", type=json.loads, default=[])
    parser.add_argument("--from", dest="before", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--folder", default=".")
    options = parser.parse_args(arguments)
    request = Request(
        answers_file=options.answers_file,
        level=options.level,
        by_name=options.by_name == "True",
        token=options.token,
        conflict=options.conflict,
        exclude=options.exclude,
        skip=options.skip,
        before=options.before,
    )
    outcome: Word
    began, code = time.time(), 1
    try:
        with stoppable():
            outcome, reason, began = finish(request)
    except (GitFailed, NotRendered, OSError) as problem:
        outcome, reason = "failed", str(problem)
    except Stopped as stopped:
        outcome, reason, code = "failed", f"stopped by {stopped}", 128 + stopped.number
    if outcome in {"conflict", "failed"}:
        print(f"update: {GO_ON}; {way_back(options.folder)} goes back", file=sys.stderr)
    changed: list[str] = []
    with suppress(GitFailed):  # which may be why it ended so
        changed = _changed()
    tell(Outcome(outcome, options.before, options.to, changed, time.time() - began, reason))
    return code if outcome in {"conflict", "failed"} else 0


if __name__ == "__main__":
    sys.exit(main())
