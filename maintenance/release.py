"""Tells whether the template is ready to be tagged: what is left to do, a line each.

Run it as `bin/release 1.2.3`; see docs/releasing.md. It changes nothing.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

from extensions.pins import ROOT
from extensions.registry import NOT_EMITTED, frameworks
from extensions.renames import COMMIT, renames
from maintenance.locks import compile_command, locked, renew


class Lacks(Exception):
    """Something is left to do; the message says what."""


@dataclass(frozen=True)
class Release:
    """A version that is to be tagged, and the one before it, if there is one."""

    version: str
    before: str | None


def version(release: Release) -> str:
    """Check that the version is PEP 440, as Copier sorts them, and newer than every tag.

    Source: https://copier.readthedocs.io/en/stable/updating/ and
    https://packaging.python.org/en/latest/specifications/version-specifiers/
    """
    try:
        parsed = Version(release.version)
    except InvalidVersion:
        raise Lacks(f"{release.version} is no PEP 440 version, such as 1.2.3") from None
    if COMMIT.fullmatch(release.version):
        raise Lacks(f"{release.version} could be the name of a commit; give it a dot")
    if str(parsed) != release.version:
        raise Lacks(f"{release.version} must be written {parsed}")
    if release.before and parsed <= Version(release.before):
        raise Lacks(f"{release.version} must be newer than {release.before}, which is tagged")
    return f"{release.version}, after {release.before or 'none'}"


def tree(_release: Release) -> str:
    """Check that the tag would have all that is here."""
    if _git("status", "--porcelain"):
        raise Lacks("there are changes that are not committed")
    return "all is committed"


def changelog(release: Release) -> str:
    """Check that the changelog tells owners of services what the version changes for them."""
    entries = re.findall(r"^- ", _section(release.version), re.MULTILINE)
    if not entries:
        raise Lacks(f"CHANGELOG.md needs a section `## {release.version}` with an entry")
    return f"{len(entries)} entries"


def crates(_release: Release) -> str:
    """Check that Cargo knows no newer crates than the locked ones."""
    for framework in frameworks().values():
        crate = framework.folder
        with tempfile.TemporaryDirectory() as folder:
            newest = shutil.copytree(
                crate, Path(folder) / "crate", ignore=shutil.ignore_patterns("target")
            )
            renew(newest)
            now, then = locked(crate / "Cargo.lock"), locked(newest / "Cargo.lock")
        moves = sorted(name for name in now.keys() | then.keys() if now[name] != then[name])
        if moves:
            raise Lacks(
                f"{framework.name}: {', '.join(moves)} can move; bin/renew renews the locks"
            )
    return "the newest that fit are locked"


def packages(_release: Release) -> str:
    """Check that the Python packages are locked in their newest versions."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("requirements.lock", "requirements-dev.lock"):
            newest = Path(folder) / name
            subprocess.run(
                [*compile_command(name), f"--output-file={newest}"], cwd=ROOT, check=True
            )
            if newest.read_text("utf-8") != (ROOT / name).read_text("utf-8"):
                raise Lacks(f"{name} is not the newest; bin/renew renews the locks")
    return "the newest that fit are locked"


def questions(release: Release) -> str:
    """Check that no recorded answer loses its meaning because a question or a choice is gone."""
    earlier, now = _questions_of(release.before), _questions_of(None)
    moved = {rename.was for rename in renames("questions")}
    text = _section(release.version)
    for name, question in earlier.items():
        if name not in now:
            if name not in moved and f"`{name}`" not in text:
                raise Lacks(f"{name} is gone: renames.toml or the changelog must say where to")
            continue
        for choice in _choices(release.before, name, question) - _choices(None, name, now[name]):
            if f"`{name}={choice}`" not in text:
                raise Lacks(f"the changelog must say what follows `{name}={choice}`, which is gone")
    return f"{len(now)}, none is lost"


def files(release: Release) -> str:
    """Check that every file that is no longer emitted has moved, or is named in the changelog."""
    earlier, now = _emitted(release.before or "HEAD"), _emitted("HEAD")
    moved = {rename.was for rename in renames("files")}
    text = _section(release.version)
    for name in sorted(earlier - now - moved):
        if f"`{name}`" not in text:
            raise Lacks(f"{name} is gone: renames.toml or the changelog must say where to")
    return f"{len(now)}, none is lost"


def _questions_of(tag: str | None) -> dict[str, Any]:
    text = _git("show", f"{tag}:copier.yml") if tag else (ROOT / "copier.yml").read_text("utf-8")
    found = yaml.safe_load(text)
    return {name: value for name, value in found.items() if not name.startswith("_")}


def _choices(tag: str | None, name: str, question: dict[str, Any]) -> set[str]:
    """Return what a question offers; frameworks and runtimes are folders with a description."""
    choices = question.get("choices", {})
    if isinstance(choices, str):
        listed = _git("ls-tree", "-r", "--name-only", tag or "HEAD", f"{name}s/").splitlines()
        return {path.split("/")[1] for path in listed if path.endswith(f"/{name}.toml")}
    values = choices.values() if isinstance(choices, dict) else choices
    return {str(each["value"] if isinstance(each, dict) else each) for each in values}


def _emitted(reference: str) -> set[str]:
    """Return the files that a version can emit, except those with an answer in their path."""
    listed = _git("ls-tree", "-r", "--name-only", "-z", reference).split("\0")
    found = set()
    for name in filter(None, listed):
        room, _, rest = name.partition("/")
        if room == "template":
            rest = re.sub(r"\{%.*?%\}", "", rest).removesuffix(".jinja")
        elif room == "frameworks":
            rest = rest.partition("/")[2]
        else:
            continue
        if "{{" not in rest and rest not in NOT_EMITTED:
            found.add(rest)
    return found


def _section(name: str) -> str:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout


def _newest_tag() -> str | None:
    found = []
    for tag in _git("tag", "--list").split():
        try:
            found.append((Version(tag), tag))
        except InvalidVersion:
            continue
    return max(found)[1] if found else None


CHECKS: tuple[Callable[[Release], str], ...] = (
    version,
    tree,
    changelog,
    questions,
    files,
    crates,
    packages,
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version", help="what the tag is to be, such as 1.2.3")
    names = [check.__name__ for check in CHECKS]
    parser.add_argument("only", nargs="*", help=f"look at some of {', '.join(names)}")
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - set(names):
        parser.error(f"{', '.join(sorted(unknown))}: no such check; they are {', '.join(names)}")
    release = Release(options.version, _newest_tag())
    ready = True
    for check in CHECKS:
        if options.only and check.__name__ not in options.only:
            continue
        try:
            print(f"ok     {check.__name__}: {check(release)}", flush=True)
        except (Lacks, subprocess.CalledProcessError) as reason:
            print(f"LACKS  {check.__name__}: {reason}", flush=True)
            ready = False
    if ready and not options.only:
        print(f"Run the tests, then: git tag {release.version} && git push --tags")
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main())
