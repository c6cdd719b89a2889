"""Reads remotes as far as it must: what HEAD names, the trees of that commit, and single blobs.

Nothing of a remote is run, checked out or kept. Git asks nobody anything, and is ended with all
that it started when a remote does not answer in time.

Source: https://git-scm.com/docs/partial-clone for what a server may leave out.
"""

import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pygit2

from catalog.fleet.repositories import (
    BRANCHES,
    Unreadable,
    folders,
    not_read,
    without_password,
)
from catalog.unattended import environment
from hooks.check_recorded import expanded
from hooks.processes import started

# In one fetch; a remote of whatever size must not fill the disk. In the 512 bytes of `ulimit -f`.
MOST_BLOBS, MOST_BLOCKS = 500, 2**20
SECONDS_BETWEEN_LOOKS = 0.2
LONGEST_REASON = 300
NAME = "origin"


@dataclass(frozen=True)
class Head:
    """What HEAD of a remote names.

    Attributes:
        commit: The full id of a commit.
        branch: The branch that has it, "" if HEAD is detached or the remote does not say.
    """

    commit: str
    branch: str


@dataclass
class Remote:
    """A remote that is being read, by one thread.

    Attributes:
        place: Its URL as Copier takes it.
        folder: A folder of its own for what is fetched.
        seconds: How long it may take in all.
        stopped: Ends the reading early.
    """

    place: str
    folder: Path
    seconds: float
    stopped: threading.Event
    _since: float = field(default_factory=time.monotonic)

    @property
    def url(self) -> str:
        """Its URL as git takes it."""
        return expanded(self.place)

    def head(self) -> Head:
        """Ask what HEAD names.

        Raises:
            Unreadable: The remote does not say, or has no commit.
        """
        said = self._git("ls-remote", "--symref", NAME, "HEAD").read_text("utf-8", "replace")
        commit = re.search(r"^([0-9a-f]{40,64})\tHEAD$", said, re.MULTILINE)
        if not commit:
            raise Unreadable("has no commit")
        branch = re.search(rf"^ref: {BRANCHES}(\S+)\tHEAD$", said, re.MULTILINE)
        return Head(commit[1], branch[1] if branch else "")

    def trees(self, commit: str) -> tuple[pygit2.Repository, dict[str, str]]:
        """Fetch the trees of a commit.

        Returns:
            A repository with them, and the folders that have services with their trees.

        Raises:
            Unreadable: The remote does not give them, or there is no service in them.
        """
        self._git("fetch", "--depth=1", NAME, commit)
        try:
            repository = pygit2.Repository(str(self.folder / "objects.git"))
            return repository, folders(repository[commit].peel(pygit2.Tree))
        except (pygit2.GitError, KeyError, ValueError) as reason:
            raise Unreadable(not_read(reason)) from None

    def blobs(self, repository: pygit2.Repository, names: Iterable[str]) -> None:
        """Fetch blobs that are not there yet.

        Raises:
            Unreadable: The remote does not give them.
        """
        missing = sorted(name for name in names if name not in repository)
        for start in range(0, len(missing), MOST_BLOBS):
            self._git("fetch", NAME, *missing[start : start + MOST_BLOBS])

    def _git(self, command: str, *arguments: str) -> Path:
        """Run git to its end, and return the file that has what it printed.

        Raises:
            Unreadable: It failed, or did not end in time.
        """
        repository = self.folder / "objects.git"
        if not repository.exists():
            _begin(repository)
        printed, said = self.folder / "printed", self.folder / "said"
        options = FETCH if command == "fetch" else ()
        limited = ["sh", "-c", 'ulimit -f "$0" && exec git "$@"', str(MOST_BLOCKS)]
        called = [*limited, f"--git-dir={repository}", command, "--quiet", *options, *arguments]
        around = _named(self.url, environment())
        with (
            printed.open("wb") as out,
            said.open("wb") as errors,
            started(called, env=around, stdout=out, stderr=errors) as process,
        ):
            self._wait(process)
        if process.returncode:
            raise Unreadable(self._why(said))
        return printed

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            left = self._since + self.seconds - time.monotonic()
            try:
                process.wait(max(0.0, min(SECONDS_BETWEEN_LOOKS, left)))
            except subprocess.TimeoutExpired:
                if self.stopped.is_set() or left <= 0:
                    raise Unreadable(f"did not answer within {self.seconds:g} s") from None
            else:
                return

    def _why(self, said: Path) -> str:
        """Return the line that says why git failed; what follows it is advice."""
        with said.open(encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file.read(100_000).splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith(("fatal: ", "error: "))]
        reason = (fatal or lines or ["git ended without a word"])[0].partition(": ")
        text = (reason[2] or reason[0]).replace(self.url, without_password(self.url))
        return not_read(text[:LONGEST_REASON])


# Blobs are left out, unless they are asked for by name.
FETCH = (
    *("--filter=blob:none", "--no-tags", "--no-write-fetch-head"),
    *("--no-recurse-submodules", "--no-auto-maintenance"),
)


@contextmanager
def reading(
    place: str, scratch: Path, seconds: float, stopped: threading.Event
) -> Iterator[Remote]:
    """Give a remote, and remove what was fetched of it with the block.

    Args:
        place: Its URL, as Copier takes it.
        scratch: Where its folder is made.
        seconds: How long it may take in all.
        stopped: Ends the reading early.
    """
    folder = Path(tempfile.mkdtemp(dir=scratch, prefix="remote-"))
    try:
        yield Remote(place, folder, seconds, stopped)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _named(url: str, around: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which git knows a URL by a name.

    It takes the repository for a partial clone then, and writes neither that nor a password down.
    """
    settings = {"url": url, "promisor": "true", "partialclonefilter": "blob:none"}
    count = int(around.get("GIT_CONFIG_COUNT", "0"))
    made = {**around, "GIT_CONFIG_COUNT": str(count + len(settings))}
    for number, (key, value) in enumerate(settings.items(), count):
        made[f"GIT_CONFIG_KEY_{number}"] = f"remote.{NAME}.{key}"
        made[f"GIT_CONFIG_VALUE_{number}"] = value
    return made


def _begin(repository: Path) -> None:
    """Make an empty repository; `git init` would take as long as a look.

    Source: https://git-scm.com/docs/gitrepository-layout
    """
    for part in ("objects", "refs"):
        (repository / part).mkdir(parents=True)
    (repository / "HEAD").write_text(f"ref: {BRANCHES}none\n")
    (repository / "config").write_text("[core]\nrepositoryformatversion = 1\nbare = true\n")
