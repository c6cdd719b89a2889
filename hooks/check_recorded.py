"""What a service's answers file says of its template, and why an update cannot start from it.

Copier explains few of these reasons, and reads the answers file before it loads the template. So
`bin/copier update` asks here first, and `hooks/doctor.py --service` shows the result. Nothing that
a service says or has is run.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from extensions.announce import MOST_BYTES, no_yaml
from extensions.pins import ROOT
from extensions.renames import COMMIT, version
from hooks.command_line import ANSWERS_FILE
from hooks.git import OUTSIDE, quiet
from hooks.processes import last_line, run

# Settings of git that run a program.
FILTERS = r"^filter\..*\.(clean|smudge|process)$"
MARKER = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
# A URL, Copier's short form of one, or an SSH address: not a path on this machine.
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|git\+|gh:|gl:|[^/]+@[^/]+:")
# The loader in C takes an eighth of the time. It ends the process where a text is nested too deep,
# which so many characters cannot be. What a loader raises: `2026-99-99` is a date to it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SMALL = 4096
NO_YAML = (yaml.YAMLError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# What `git describe` adds to the tag before a commit.
AFTER_TAG = re.compile(r"-[0-9]+-g[0-9a-f]+\Z")


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
    again = _again(answers_file)
    file = folder / answers_file
    try:
        if file.exists() and not (file.is_file() and file.stat().st_size <= MOST_BYTES):
            raise Unusable(f"{answers_file}: must be a file of less than a megabyte; {again}")
        text = file.read_text("utf-8")
    except FileNotFoundError:
        raise Unusable(
            f"{answers_file}: there is none in {folder}; run this in the folder of a service"
        ) from None
    except (OSError, UnicodeDecodeError) as reason:
        raise Unusable(f"{answers_file}: cannot be read: {reason}; {again}") from None
    return parse(text, answers_file)


def _again(answers_file: str) -> str:
    return f"`git checkout HEAD -- {answers_file}` brings back the committed one"


def parse(text: str, answers_file: str = ANSWERS_FILE) -> dict[str, Any]:
    """Read the text of an answers file.

    Args:
        text: What the file has.
        answers_file: Its name, for the messages.

    Returns:
        The answers by name, with `_src_path` and `_commit`, which are text.

    Raises:
        Unusable: It is conflicted, not what Copier writes, or was edited by hand.
    """
    again = _again(answers_file)
    if MARKER.search(text):
        raise Unusable(
            f"{answers_file}: has conflict markers; keep one side of each, all of it, and commit"
        )
    try:
        answers = yaml.load(text, LOADER if len(text) <= SMALL else yaml.SafeLoader)  # noqa: S506
    except NO_YAML as reason:
        raise Unusable(f"{answers_file}: {no_yaml(reason)}; {again}") from None
    if answers is None:
        raise Unusable(f"{answers_file}: is empty; {again}")
    if not isinstance(answers, dict):
        raise Unusable(f"{answers_file}: must be a mapping of names to answers; {again}")
    if answers.get("_commit") is None and "_src_path" in answers:
        raise Unusable(
            f"_commit: {answers_file} does not say which version the service was made from, since "
            "the template had no git history then; add the version that it is closest to, such as "
            "`_commit: 1.0.0`"
        )
    for name, what in (("_src_path", "where the template is"), ("_commit", "its version")):
        if not isinstance(answers.get(name), str) or not re.match(r"[^-\s]", answers[name]):
            raise Unusable(f"{name}: {answers_file} must say {what}, as text in quotes; {again}")
    return answers


def check_source(source: str) -> None:
    """Make sure that there is a template to copy.

    Args:
        source: The template, as the command line names it.

    Raises:
        Unusable: There is none.
    """
    if not ADDRESS.match(source):
        if not Path(source).expanduser().exists():
            raise Unusable(f"{source}: does not exist; give the folder or the URL of the template")
        return
    listed = _ls_remote("--", expanded(source), "HEAD")
    if listed.returncode:
        raise Unusable(f"{source}: cannot be read by git: {last_line(listed.stderr)}")


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
    listed = _ls_remote("--tags", "--refs", "--", expanded(source))
    if listed.returncode:
        raise Unusable(f"_src_path: {source} cannot be read by git: {last_line(listed.stderr)}")
    tags = [line.rpartition("refs/tags/")[2] for line in listed.stdout.splitlines()]
    known = AFTER_TAG.sub("", commit) in tags
    if local.exists():
        revision = f"{commit}^{{commit}}"
        there_is = _git(
            *("-C", source, "rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        )
        known = there_is.returncode == 0
    if not known and (local.exists() or not COMMIT.fullmatch(commit)):
        versions = sorted((found, tag) for tag in tags if (found := version(tag)) is not None)
        newest = ", ".join(tag for _, tag in reversed(versions[-3:]))
        others = f", such as {newest}" if newest else ""
        raise Unusable(
            f"_commit: the template has no version {commit}; record the one that the service is "
            f"closest to{others}, or take all of the newest with `copier recopy`"
        )


def expanded(source: str) -> str:
    """Return the address that git takes for one that Copier takes."""
    for short, host in (("gh:", "github.com"), ("gl:", "gitlab.com")):
        if source.startswith(short):
            return f"https://{host}/{source.removeprefix(short)}"
    return source.removeprefix("git+")


def same_source(url: str) -> str:
    """Return a name of a template in the form in which two of them can be compared."""
    return expanded(url).removesuffix("/").removesuffix(".git")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git to its end, whatever that is."""
    return run("git", *arguments, env=quiet())


def _ls_remote(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask a remote what it has, by no setting of the current folder."""
    return run("git", "ls-remote", *arguments, env=quiet(), folder=OUTSIDE)


def other_template(source: str) -> str:
    """Return where a template is if it is not the one that this file belongs to; "" if it is.

    Args:
        source: The template, as a service records it.
    """
    if not ADDRESS.match(source):
        same = Path(source).expanduser().resolve() == ROOT
        return "" if same else source
    origin = _git("-C", str(ROOT), "config", "remote.origin.url").stdout.strip()
    return "" if same_source(source) == same_source(origin) else source


def check_service(folder: Path, answers_file: str = ANSWERS_FILE) -> str:
    """Make sure that an update of a service can start.

    Args:
        folder: The service.
        answers_file: Where its answers are recorded, relative to it.

    Returns:
        Where its template is.

    Raises:
        Unusable: It cannot.
    """
    answers = read(folder, answers_file)
    check_template(answers)
    # A filter of the repository's own would run now, and it may be a stranger's.
    config = _git("-C", str(folder), "config", "--local", "--name-only", "--get-regexp", FILTERS)
    off = [word for name in config.stdout.split() for word in ("-c", f"{name}=")]
    status = _git(*off, "-C", str(folder), "status", "--porcelain", ".")
    if status.returncode:
        raise Unusable(f"{folder}: git status fails: {last_line(status.stderr)}")
    return str(answers["_src_path"])


def main() -> int:
    """Check the service in a folder, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    try:
        check_service(parser.parse_args().folder)
    except Unusable as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
