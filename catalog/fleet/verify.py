"""Compares the fast way to know what a version makes with a real `copier copy`."""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from catalog.fleet.crew import Job
from catalog.fleet.expected import APART, REGULAR, stored
from catalog.fleet.look import Row
from catalog.fleet.releases import Releases
from extensions.policy_file import VARIABLE
from extensions.surroundings import neutral
from hooks.processes import last_line


class Sample:
    """Some services of many, by chance, to be compared with real copies.

    Source: reservoir sampling, https://doi.org/10.1145/3147.3165, algorithm R
    """

    def __init__(self, size: int) -> None:
        """Take so many."""
        self.size = size
        self.taken: list[Row] = []
        self._chance = random.Random(0)  # noqa: S311 (no secret)

    def seen(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on, and take some of those that were compared."""
        number = 0
        for row in rows:
            if row.seen.answers and not row.reason:
                number += 1
                if len(self.taken) < self.size:
                    self.taken.append(row)
                elif (place := self._chance.randrange(number)) < self.size:
                    self.taken[place] = row
            yield row

    def differences(self, job: Job) -> list[str]:
        """Return a line for each service of which a real copy is another one."""
        releases = Releases(job.repository, job.scratch)
        found = []
        for row in self.taken:
            try:
                if wrong := differences(row.seen.answers, releases):
                    found.append(f"{row.place}: a real copy differs in {', '.join(wrong[:5])}")
            except subprocess.CalledProcessError as refused:
                found.append(f"{row.place}: no real copy is made: {last_line(refused.stderr)}")
        return found


def differences(answers: Mapping[str, Any], releases: Releases) -> list[str]:
    """Return the files that a real copy makes otherwise than `catalog status` takes it to.

    Args:
        answers: The answers of a service, as recorded.
        releases: The versions of the template.

    Raises:
        NotRendered: The fast way cannot make the version at all.
        CalledProcessError: Copier cannot.
    """
    expected = releases.files(str(answers["_commit"]), answers)
    with tempfile.TemporaryDirectory(prefix="catalog-verify-") as scratch:
        made = Path(scratch) / "service"
        data = Path(scratch) / "answers.yml"
        given = {name: value for name, value in answers.items() if not name.startswith("_")}
        data.write_text(yaml.safe_dump(given), "utf-8")
        command = [str(Path(sys.executable).with_name("copier")), "copy", "--quiet", "--trust"]
        command += ["--defaults", "--skip-tasks", f"--data-file={data}"]
        command += [str(releases.unpacked(str(answers["_commit"]))), str(made)]
        environment = {**neutral(os.environ), VARIABLE: "", "PYTHONUTF8": "1"}
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        found = {
            path.relative_to(made).as_posix(): stored(path.read_bytes(), REGULAR).sha1
            for path in made.rglob("*")
            if path.is_file()
        }
    blobs = {path: file.sha1 for path, file in expected.items()}
    real = {path: blob for path, blob in found.items() if path not in APART}
    return sorted(path for path in blobs.keys() | real.keys() if blobs.get(path) != real.get(path))
