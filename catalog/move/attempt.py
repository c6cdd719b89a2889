"""Moves one service: a clone, Copier's update, one commit, and a branch in the remote.

The same service, version and base give the same commit to the byte, so whoever does it twice sees
that it is done.
"""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from catalog.history import SETTINGS, NoHistory
from catalog.move import remote
from catalog.move.message import body
from catalog.move.order import Order
from catalog.move.outcome import Outcome
from catalog.move.template import Moved, at_hand
from extensions.policy_file import VARIABLE
from extensions.renames import reaches, renames_since
from extensions.surroundings import OUTCOME_FILE, neutral
from hooks.check_recorded import Unusable, expanded, parse, same_source
from hooks.command_line import ANSWERS_FILE
from hooks.environment import without_secrets
from hooks.git import GitFailed, git, quiet
from hooks.processes import last_line, run

# What Copier and its template may see beyond what a build needs.
MORE = (VARIABLE, "COPIER_SETTINGS_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST")
# A remote may take such a part of the time to say what it has, and so many seconds at least.
PATIENCE, LEAST = 20, 5


class Ended(Exception):
    """The move of a service ends before there is a branch."""

    def __init__(self, outcome: str, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.details = outcome, reason, details


@dataclass(frozen=True)
class Updated:
    """What an update did to a service.

    Attributes:
        outcome: `merged` or `proven`.
        before: The version that it had.
        files: What was changed, from the folder of the service on.
        defaults: The new questions, each with the default that it took.
    """

    outcome: str
    before: str
    files: list[str]
    defaults: dict[str, Any]


def attempt(order: Order, folder: Path, kept: Path) -> Outcome:
    """Move a service.

    Args:
        order: What to do.
        folder: An empty folder to work in.
        kept: A folder for the template, which moves of other services share.

    Returns:
        How it ended; nothing is raised for what a service or a remote can cause.
    """
    begin = time.monotonic()
    made = Outcome(order.service, order.name, "failed", after=order.to, wave=order.wave)
    try:
        made = _moved(order, folder, kept, made)
    except Ended as ended:
        made = replace(made, outcome=ended.outcome, reason=ended.reason, **ended.details)
    except remote.Unreachable as reason:
        made = replace(made, outcome="unreachable", reason=str(reason))
    except (GitFailed, Moved, NoHistory) as reason:
        made = replace(made, reason=str(reason))
    except OSError as reason:
        made = replace(
            made, reason=f"{reason.strerror or reason}: {reason.filename or ''}".rstrip(": ")
        )
    return replace(made, seconds=round(time.monotonic() - begin, 2))


def _moved(order: Order, folder: Path, kept: Path, made: Outcome) -> Outcome:
    heads = _heads(order)
    if not heads.commit:
        raise Ended("refused", "nothing is committed in its default branch")
    made = replace(made, base=heads.base)
    repository = folder / "service"
    remote.fetched(order.remote, heads.commit, repository)
    answers = _answers(order, repository, heads.commit)
    made = replace(made, before=str(answers["_commit"]))
    if reaches(str(answers["_commit"]), order.to):
        return replace(made, outcome="current")
    if heads.ours:
        return _there(order, repository, heads.ours, made)
    template = at_hand(order.template, order.to, order.commit, kept)
    remote.checked_out(repository, heads.commit)
    updated = _updated(order, repository, answers, template)
    made = replace(made, files=updated.files, defaults=updated.defaults)
    commit = _committed(order, repository, heads.commit, updated)
    try:
        is_new = remote.pushed(repository, commit, order.branch)
    except remote.Blocked as reason:
        raise Ended("blocked", str(reason), files=updated.files) from None
    if not is_new:
        # Somebody made it since this began.
        return _there(order, repository, _heads(order).ours, made)
    print(f"pushed {commit} to {order.branch}", file=sys.stderr)
    return replace(made, outcome=updated.outcome, branch=order.branch, commit=commit)


def _heads(order: Order) -> remote.Heads:
    return remote.heads(order.remote, order.branch, max(LEAST, order.seconds // PATIENCE))


def _answers(order: Order, repository: Path, commit: str) -> dict[str, Any]:
    """Return what a service records.

    Raises:
        Ended: It is none of this template.
    """
    path = "/".join(filter(None, [order.folder, ANSWERS_FILE]))
    found = remote.text(repository, commit, path)
    if found is None:
        raise Ended("refused", f"has no {path}")
    try:
        answers = parse(found)
    except Unusable as reason:
        raise Ended("refused", str(reason)) from None
    if same_source(answers["_src_path"]) not in set(map(same_source, order.sources)):
        raise Ended(
            "refused",
            f"is made from {answers['_src_path']}, so nothing of it was run",
            before=str(answers["_commit"]),
        )
    return answers


def _there(order: Order, repository: Path, commit: str, made: Outcome) -> Outcome:
    """Return the outcome for a branch that is there already.

    Raises:
        Ended: Somebody else made it.
    """
    said = remote.trailers(repository, commit) if commit else []
    if _trailers(order) not in said:
        raise Ended(
            "blocked",
            f"a branch {order.branch} by somebody else is in the remote; it is left alone",
        )
    return replace(made, outcome="merged", branch=order.branch, commit=commit, already=True)


def _updated(order: Order, repository: Path, answers: dict[str, Any], template: Path) -> Updated:
    """Update a service by Copier.

    Raises:
        Ended: It did not end well.
    """
    service = repository / order.folder
    told = repository.parent / "outcome.json"
    command = [
        *(str(Path(sys.executable).with_name("copier")), "update", "--trust", "--defaults"),
        f"--vcs-ref={order.to}",
    ]
    # What an update of the template runs sees no token, and reads the template from here.
    environment = {
        **neutral(without_secrets(os.environ) | _more()),
        **_redirected(str(answers["_src_path"]), template),
        # Copier keeps a copy of each template, and updates at the same time would spoil it.
        "COPIER_CACHE_DIR": str(repository.parent / "copier"),
        OUTCOME_FILE: str(told),
        "PYTHONUTF8": "1",
        "SMOKE": order.smoke,
    }
    ended = run(*command, env=environment, folder=service)
    sys.stderr.write(ended.stdout + ended.stderr)
    if not told.exists():
        raise Ended("refused", _why(ended.stderr))
    said = json.loads(told.read_text("utf-8"))
    details = {"files": said["files"], "before": said["before"]}
    if git("ls-files", "--unmerged", folder=service) and said["outcome"] != "conflict":
        raise Ended("conflict", "git has unmerged files", **details)
    if said["outcome"] not in {"merged", "proven", "current"} or ended.returncode:
        raise Ended(said["outcome"], said["reason"] or last_line(ended.stderr), **details)
    now = yaml.safe_load((service / ANSWERS_FILE).read_text("utf-8"))
    entries = git(
        "cat-file", "blob", f"{order.commit}:renames.toml", folder=template, settings=SETTINGS
    )
    renamed = renames_since("questions", said["before"], entries.decode())
    earlier = answers.keys() | {change.now for change in renamed if change.was in answers}
    defaults = {name: now[name] for name in now if name not in earlier}
    # Files may be the same while the version is not.
    word = "merged" if said["outcome"] == "current" else said["outcome"]
    return Updated(word, said["before"], said["files"], defaults)


def _why(said: str) -> str:
    """Return the line that says why Copier ended early; of a traceback, what a program said."""
    program = re.search(r"^Stderr: +\| (.+)$", said, re.MULTILINE)
    return program[1] if program else last_line(said)


def _more() -> dict[str, str]:
    return {name: os.environ[name] for name in MORE if name in os.environ}


def _redirected(source: str, template: Path) -> dict[str, str]:
    """Return variables that let git read a template from a folder, whatever its name.

    Source: https://git-scm.com/docs/git-config#Documentation/git-config.txt-urlltbasegtinsteadOf
    """
    urls = dict.fromkeys([source, expanded(source), f"{expanded(source)}.git"])
    settings = [(f"url.{template}.insteadOf", url) for url in urls]
    settings += [("safe.bareRepository", "all")]
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


def _committed(order: Order, repository: Path, base: str, updated: Updated) -> str:
    """Commit what an update did, and return the commit.

    Author and dates come from the plan and the commit before, so that it is the same each time.
    """
    git("add", "--all", "--", ".", folder=repository / order.folder)
    tree = git("write-tree", folder=repository).decode().strip()
    date = git("log", "-1", "--format=%ct", base, folder=repository).decode().strip()
    name, _, email = order.author.partition(" <")
    people = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", name),
            ("EMAIL", email.removesuffix(">")),
            ("DATE", f"@{date} +0000"),
        )
    }
    made = subprocess.run(
        ["git", "commit-tree", tree, "-p", base, "-F", "-"],
        cwd=repository,
        env={**quiet(), **people},
        input=_message(order, updated),
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return made.stdout.strip()


def _message(order: Order, updated: Updated) -> str:
    said = body(updated.before, order.to, updated.defaults)
    ours = "\n".join(f"{name}: {value}" for name, value in _trailers(order).items())
    return f"{order.title}\n\n{said}\n\n{ours}\n"


def _trailers(order: Order) -> dict[str, str]:
    """Return what says in a commit that a move made it."""
    values = (order.to, order.commit, order.folder or ".")
    return dict(zip(remote.TRAILERS, values, strict=True))
