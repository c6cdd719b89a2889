"""The remote of a service, as git reaches it: what is there, a clone, and a branch that is new."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from catalog.unattended import environment
from hooks.check_recorded import ADDRESS, expanded
from hooks.git import OUTSIDE, git
from hooks.processes import last_line, run_within

# A transfer must reach so many bytes a second, within so many seconds.
SLOWEST, PATIENCE = 1_000, 60
SETTINGS = {
    "advice.detachedHead": "false",
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "http.lowSpeedLimit": str(SLOWEST),
    "http.lowSpeedTime": str(PATIENCE),
    "maintenance.auto": "false",
    "submodule.recurse": "false",
}
# Blobs are fetched when they are asked for: https://git-scm.com/docs/partial-clone
PARTIAL = """[remote "origin"]
\tpromisor = true
\tpartialclonefilter = blob:none
"""
# In so many commits of a branch, that of a move is looked for.
LATELY = 30
TRAILERS = ("Template-Version", "Template-Commit", "Template-Folder")


class Unreachable(Exception):
    """A remote cannot be read; the message is one line that says why."""


class Blocked(Exception):
    """A remote does not take a branch; the message is one line that says why."""


@dataclass(frozen=True)
class Heads:
    """What a remote has.

    Attributes:
        base: The name of its default branch, "" if it is detached.
        commit: What that branch has, "" if nothing is committed.
        ours: What the branch of the move has, "" if there is none.
    """

    base: str
    commit: str
    ours: str


def address(remote: str) -> str:
    """Return a remote as git takes it; a folder is read as from another machine."""
    return expanded(remote) if ADDRESS.match(remote) else Path(remote).absolute().as_uri()


def heads(remote: str, branch: str, seconds: int) -> Heads:
    """Ask a remote what it has.

    Args:
        remote: Its URL or path.
        branch: The branch of the move.
        seconds: How long it may take to answer.

    Raises:
        Unreachable: It does not say.
    """
    asked = ("ls-remote", "--symref", "--", address(remote), "HEAD", f"refs/heads/{branch}")
    try:
        ended = _run(*asked, seconds=seconds)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"the remote did not answer within {seconds} s") from None
    if ended.returncode:
        raise Unreachable(_why(ended.stderr))
    symbolic = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", ended.stdout, re.MULTILINE)
    found = {
        name: commit
        for commit, name in re.findall(r"^([0-9a-f]{40,64})\t(\S+)$", ended.stdout, re.MULTILINE)
    }
    base = symbolic[1] if symbolic else ""
    return Heads(base, found.get("HEAD", ""), found.get(f"refs/heads/{branch}", ""))


def fetched(remote: str, commit: str, folder: Path) -> None:
    """Make a repository with one commit of a remote: its trees, and no blob yet if that can be.

    Args:
        remote: Its URL or path.
        commit: The commit.
        folder: Where the repository is made.

    Raises:
        Unreachable: The remote does not give it.
    """
    git("init", "--quiet", "--template=", "--", folder, settings={})
    with (folder / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(PARTIAL)
    git("config", "remote.origin.url", address(remote), folder=folder, settings={})
    _fetch(folder, "--depth=1", "--filter=blob:none", "origin", commit)


def _fetch(folder: Path, *arguments: str) -> None:
    ended = _run("fetch", "--quiet", "--no-tags", *arguments, folder=folder)
    if ended.returncode:
        raise Unreachable(_why(ended.stderr))


def text(folder: Path, commit: str, path: str) -> str | None:
    """Return the text of a file of a commit, which is fetched if need be; None if there is none.

    Raises:
        Unreachable: The remote does not give it.
    """
    listed = git("ls-tree", "-z", commit, "--", path, folder=folder, settings={})
    if not listed.startswith(b"100"):
        return None
    blob = listed.split()[2].decode()
    ended = _run("cat-file", "blob", blob, folder=folder)
    if ended.returncode:
        raise Unreachable(_why(ended.stderr))
    return ended.stdout


def checked_out(folder: Path, commit: str) -> None:
    """Write the files of a commit, which are fetched if need be.

    Raises:
        Unreachable: The remote does not give them.
    """
    ended = _run("checkout", "--quiet", "--detach", commit, folder=folder)
    if ended.returncode:
        raise Unreachable(_why(ended.stderr))


def pushed(folder: Path, commit: str, branch: str) -> bool:
    """Make a branch in the remote, unless there is one.

    Args:
        folder: The repository that has the commit.
        commit: What the branch gets.
        branch: Its name.

    Returns:
        Whether this made it; False if a branch of that name is there.

    Raises:
        Blocked: The remote does not take it.

    Source: https://git-scm.com/docs/git-push#Documentation/git-push.txt---force-with-leaserefnameexpect
    An empty expectation means that the branch must not exist; so nothing is ever overwritten.
    """
    name = f"refs/heads/{branch}"
    lease = f"--force-with-lease={name}:"
    asked = ("push", "--quiet", "--porcelain", "--no-verify", lease, "origin", f"{commit}:{name}")
    ended = _run(*asked, folder=folder)
    if not ended.returncode:
        return True
    refused = re.search(r"^!\t\S+\t(.*)$", ended.stdout, re.MULTILINE)
    if refused and ("stale info" in refused[1] or "already exists" in refused[1]):
        return False
    raise Blocked(f"the remote refuses the branch: {refused[1] if refused else _why(ended.stderr)}")


def trailers(folder: Path, commit: str) -> list[dict[str, str]]:
    """Return what the messages of a branch in the remote say of moves, by the trailer.

    Args:
        folder: The repository.
        commit: What the branch has. Owners may have committed more to it, so earlier commits count.

    Raises:
        Unreachable: The remote does not give the commits.
    """
    _fetch(folder, f"--depth={LATELY}", "--filter=tree:0", "origin", commit)
    asked = ("log", f"--max-count={LATELY}", "-z", "--format=%B", commit)
    said = os.fsdecode(git(*asked, folder=folder, settings={})).split("\0")
    lines = [[line.partition(": ") for line in message.splitlines()] for message in said]
    return [{name: text for name, _, text in each if name in TRAILERS} for each in lines]


def _run(
    *arguments: str, folder: Path | None = None, seconds: int | None = None
) -> subprocess.CompletedProcess[str]:
    options = [word for pair in SETTINGS.items() for word in ("-c", "=".join(pair))]
    asked = ("git", *options, *arguments)
    return run_within(seconds, *asked, env=environment(), folder=folder or OUTSIDE)


def _why(said: str) -> str:
    """Return the line that says why git failed; what follows it is advice."""
    lines = [line.strip() for line in said.splitlines()]
    found = [line for line in lines if line.startswith(("fatal: ", "error: ", "remote: "))]
    return found[0].partition(": ")[2] if found else last_line(said)
