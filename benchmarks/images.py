"""Seconds and compiled crates of image builds, each subject in turn."""

import re
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.figures import Record
from benchmarks.subjects import Subject
from tests.containers import Built, Docker

COLD = "cold"
EDIT = "an edit"
NO_MOUNTS = "an edit, mounts gone"
FIRST_BASE = re.compile(r"^FROM .*$", re.MULTILINE)


class Builds:
    """Builds subjects on one engine and remembers what it took."""

    def __init__(self, docker: Docker, group: str) -> None:
        self._docker = docker
        self._group = group
        self._edits = 0
        self._cold = ""
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._compiled: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._images: dict[str, str] = {}

    def measure(self, subjects: Sequence[Subject], scenarios: Sequence[str], times: int) -> None:
        """Take the subjects through scenarios.

        Args:
            subjects: Are built in turn, the first one first and last by turns.
            scenarios: What to build after: nothing, an edit, or an edit without cache mounts. A
                cold build must have preceded the others.
            times: How often each is built, but for a cold one.
        """
        for scenario in scenarios:
            self._prepare(scenario)
            for number in range(1 if scenario == COLD else times):
                for subject in subjects[:: -1 if number % 2 else 1]:
                    if scenario != COLD:
                        self._edits += 1
                        subject.edit(self._edits)
                    begin = time.monotonic()
                    built = self.build(subject)
                    seconds = time.monotonic() - begin
                    self._seconds[subject.name, scenario].append(seconds)
                    self._compiled[subject.name, scenario].append(len(built.compiled))
                    told = f"{subject.name}, {scenario}: {seconds:.1f} s"
                    print(
                        f"benchmarks: {self._group}: {told}, {len(built.compiled)} compiled",
                        file=sys.stderr,
                    )

    def _prepare(self, scenario: str) -> None:
        if scenario == COLD:
            self._cold = secrets.token_hex(4)
        elif scenario == NO_MOUNTS:
            self._docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")

    def build(self, subject: Subject) -> Built:
        """Build a subject as it is now, for no record.

        It is cold the first time: neither its layers nor its mounts have been there before, and no
        subject shares a mount with another.
        """
        apart = f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={subject.name} {self._cold}"
        dockerfile = FIRST_BASE.sub(rf"\g<0>\nENV COLD={self._cold}", subject.dockerfile, count=1)
        built = self._docker.build(subject.folder, apart, *subject.options, dockerfile=dockerfile)
        if earlier := self._images.get(subject.name):
            self._docker("image", "rm", "--force", earlier)
        self._images[subject.name] = built.image
        return built

    def image(self, subject: Subject) -> str:
        """Return the newest image of a subject."""
        return self._images[subject.name]

    def records(self) -> list[Record]:
        """Return all that was measured."""
        found = [("s", self._seconds, ""), ("crates", self._compiled, ", compiled")]
        return [
            Record(self._group, name, f"{scenario}{suffix}", unit, tuple(values))
            for unit, table, suffix in found
            for (name, scenario), values in table.items()
        ]

    def remove(self) -> None:
        """Remove the images that were built."""
        self._docker("image", "rm", "--force", *set(self._images.values()))


@contextmanager
def builds(docker: Docker, group: str) -> Iterator[Builds]:
    """Build on an engine, and remove the images with the block."""
    building = Builds(docker, group)
    try:
        yield building
    finally:
        building.remove()
