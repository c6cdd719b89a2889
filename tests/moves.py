"""Services that are moved: their remotes on this disk, and what is done with them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.move import journal, plan
from extensions.pins import ROOT
from lab.fleet import Member, make_fleet
from lab.repository import git

TO = "3.0.0"
BRANCH = f"template/{TO}"
ANSWERS = ".copier-answers.yml"


@dataclass(frozen=True)
class World:
    """Services with remotes on this disk.

    Attributes:
        folder: Where all is.
        template: The template.
        members: The services.
    """

    folder: Path
    template: Path
    members: list[Member]

    @property
    def file(self) -> Path:
        return self.folder / "move.yaml"

    @property
    def pushes(self) -> list[str]:
        """What the remotes say that was pushed, a line each."""
        log = self.folder / "pushes"
        return sorted(log.read_text().splitlines()) if log.exists() else []

    def remote(self, number: int) -> Path:
        return self.members[number].path

    def catalog(self, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "bin" / "catalog"), *map(str, arguments)]
        environment = {
            **os.environ,
            **more.pop("env", {}),
            "XDG_CACHE_HOME": f"{self.folder}/cache",
        }
        return subprocess.run(
            command, env=environment, capture_output=True, check=False, text=True,
            stdin=subprocess.DEVNULL, **more,
        )  # fmt: skip

    def planned(self, *arguments: str | Path) -> plan.Plan:
        """Plan the move of all services, or of what the arguments name."""
        where = arguments or [member.path for member in self.members]
        ended = self.catalog(
            "plan", "--template", self.template, "--output", self.file, *map(as_url, where)
        )
        assert ended.returncode == 0, ended.stderr
        return plan.read(self.file)

    def update(self, *arguments: str, code: int | None = 0) -> str:
        """Carry the plan out, and return what is printed; without a code, any will do."""
        ended = self.catalog("update", self.file, *arguments)
        assert "Traceback" not in ended.stderr, ended.stderr
        assert code in {None, ended.returncode}, (ended.stdout, ended.stderr)
        return ended.stdout + ended.stderr

    def outcomes(self) -> dict[str, Any]:
        """Return what the journal says of each service, by its name."""
        file = journal.folder_of(self.file) / journal.FILE
        known = journal.read(file, plan.read(self.file))
        return {each.name: each for each in known.outcomes.values()}


def as_url(place: str | Path) -> str:
    return place.as_uri() if isinstance(place, Path) else place


def hook(remote: Path, name: str, script: str) -> None:
    """Let a remote run a script, after others of that name."""
    file = remote / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    before = file.read_text() if file.exists() else "#!/bin/sh\n"
    file.write_text(f"{before}{script}\n")
    file.chmod(0o755)


def edited(remote: Path, change: dict[str, str | None], branch: str = "main") -> str:
    """Commit other files to a branch of a remote, and return the commit."""
    with checkout(remote) as folder:
        git(folder, "checkout", "--quiet", branch)
        for name, text in change.items():
            if text is None:
                (folder / name).unlink()
            else:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
        git(folder, "add", "--all", "--force")
        git(folder, "commit", "--quiet", "-m", "an edit")
        git(folder, "push", "--quiet", "origin", f"HEAD:{branch}")
        return git(folder, "rev-parse", "HEAD").strip()


def made_world(folder: Path, template: Path, number: int) -> World:
    """Make services of version 2.0.0 whose remotes note what is pushed beside `main`."""
    members = make_fleet(folder / "git", template, number, 5, tags=["2.0.0"], variety=2)
    note = f'[ "$name" = refs/heads/main ] || echo "$PWD $name" >>{folder}/pushes'
    for member in members:
        hook(member.path, "post-receive", f"read -r _ _ name; {note}")
    return World(folder, template, members)


@contextmanager
def checkout(remote: Path) -> Iterator[Path]:
    folder = remote.with_suffix(".checkout")
    git(remote, "clone", "--quiet", "--config=core.hooksPath=/dev/null", str(remote), str(folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def shown(remote: Path, path: str, branch: str = "main") -> str:
    return git(remote, "show", f"{branch}:{path}")


def branches(remote: Path) -> list[str]:
    return git(remote, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()


def pushed_once(world: World, members: list[Member]) -> None:
    assert world.pushes == sorted(f"{each.path} refs/heads/{BRANCH}" for each in members)
