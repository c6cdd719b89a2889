"""What a service's answers file says of its template, and why an update cannot start from it.

Copier explains few of these reasons, and reads the answers file before it loads the template. So
`bin/copier update` runs this first, and `hooks/doctor.py --service` shows the result.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from extensions.renames import version
from hooks.processes import last_line, run

ANSWERS_FILE = ".copier-answers.yml"
MARKER = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
# A URL, Copier's short form of one, or an SSH address: not a path on this machine.
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|git\+|gh:|gl:|[^/]+@[^/]+:")
# What `git describe` adds to the tag before a commit; and a commit alone.
AFTER_TAG = re.compile(r"-[0-9]+-g[0-9a-f]+\Z")
COMMIT = re.compile(r"[0-9a-f]{7,64}")
# The other options of `copier update` that take a value.
WITH_VALUE = (
    ("-x", "--exclude"),
    ("-r", "--vcs-ref"),
    ("-s", "--skip"),
    ("-d", "--data"),
    ("--data-file",),
    ("-o", "--conflict"),
    ("-c", "--context-lines"),
    ("--ask",),
)


class Unusable(Exception):
    """An update cannot start; the message is one line that says why, and what helps."""


def read(folder: Path, answers_file: str = ANSWERS_FILE) -> dict[str, Any]:
    """Read the answers of a service.

    Args:
        folder: The service.
        answers_file: Where its answers are recorded, relative to it.

    Returns:
        The answers by name, with `_src_path` and `_commit`, which are text.

    Raises:
        Unusable: The file is missing, conflicted, not what Copier writes, or was edited by hand.

    Source: https://copier.readthedocs.io/en/stable/configuring/#the-copier-answersyml-file
    """
    again = f"`git checkout HEAD -- {answers_file}` brings back the committed one"
    try:
        text = (folder / answers_file).read_text("utf-8")
    except FileNotFoundError:
        raise Unusable(
            f"{answers_file}: there is none in {folder}; run this in the folder of a service"
        ) from None
    except (OSError, UnicodeDecodeError) as reason:
        raise Unusable(f"{answers_file}: cannot be read: {reason}; {again}") from None
    if MARKER.search(text):
        raise Unusable(
            f"{answers_file}: has conflict markers; keep one side of each, all of it, and commit"
        )
    try:
        answers = yaml.safe_load(text)
    except yaml.YAMLError as reason:
        where = getattr(reason, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise Unusable(f"{answers_file}: is no YAML{line}; {again}") from None
    if answers is None:
        raise Unusable(f"{answers_file}: is empty; {again}")
    if not isinstance(answers, dict):
        raise Unusable(f"{answers_file}: must be a mapping of names to answers; {again}")
    for name, what in (("_src_path", "where the template is"), ("_commit", "its version")):
        if not isinstance(answers.get(name), str) or not answers[name]:
            raise Unusable(f"{name}: {answers_file} must say {what}, as text in quotes; {again}")
    return answers


def check_template(answers: dict[str, Any]) -> None:
    """Make sure that the template can be reached, and that it has the recorded version.

    Args:
        answers: What `read` returns.

    Raises:
        Unusable: It cannot be reached, or lacks the version.
    """
    source, commit = answers["_src_path"], answers["_commit"]
    local = Path(source).expanduser()
    if not ADDRESS.match(source):
        if not local.is_absolute():
            raise Unusable(
                f"_src_path: {source} is relative, so it means another folder everywhere; "
                "record the template's absolute path or its URL"
            )
        if not local.exists():
            raise Unusable(f"_src_path: {source} does not exist; record where the template is now")
        source = str(local)
    listed = _git("ls-remote", "--tags", "--refs", _expanded(source))
    if listed.returncode:
        raise Unusable(f"_src_path: {source} cannot be read by git: {last_line(listed.stderr)}")
    tags = [line.rpartition("refs/tags/")[2] for line in listed.stdout.splitlines()]
    known = AFTER_TAG.sub("", commit) in tags
    if local.exists():
        there_is = _git("-C", source, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
        known = there_is.returncode == 0
    if not known and (local.exists() or not COMMIT.fullmatch(commit)):
        versions = sorted((found, tag) for tag in tags if (found := version(tag)) is not None)
        newest = ", ".join(tag for _, tag in reversed(versions[-3:]))
        others = f", such as {newest}" if newest else ""
        raise Unusable(
            f"_commit: the template has no version {commit}; record the one that the service is "
            f"closest to{others}, or take all of the newest with `copier recopy`"
        )


def _expanded(source: str) -> str:
    """Write out Copier's short forms of an address."""
    for short, host in (("gh:", "github.com"), ("gl:", "gitlab.com")):
        if source.startswith(short):
            return f"https://{host}/{source.removeprefix(short)}"
    return source.removeprefix("git+")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git, which must not ask for a password."""
    return run("env", "GIT_TERMINAL_PROMPT=0", "git", *arguments)


def destination(arguments: list[str]) -> tuple[Path, str]:
    """Find the service that the arguments of `copier update` name.

    Args:
        arguments: What follows `copier update`.

    Returns:
        The folder of the service, and its answers file relative to that.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-a", "--answers-file", default=ANSWERS_FILE)
    for option in WITH_VALUE:
        parser.add_argument(*option)
    options, rest = parser.parse_known_args(arguments)
    folders = [argument for argument in rest if not argument.startswith("-")]
    return Path(folders[0] if folders else "."), options.answers_file


def main(arguments: list[str] | None = None) -> int:
    """Check the service that `copier update` is to change, and return the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & set(given):
        return 0
    try:
        folder, answers_file = destination(given)
        check_template(read(folder, answers_file))
        status = _git("-C", str(folder), "status", "--porcelain", ".")
        if status.returncode:
            raise Unusable(f"{folder}: git status fails: {last_line(status.stderr)}")
    except Unusable as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
