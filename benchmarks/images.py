"""Seconds and compiled crates of image builds, each subject in turn."""

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.figures import Record
from benchmarks.subjects import Subject
from tests.containers import Docker

COLD = "cold"
UNCHANGED = "nothing changed"
EDIT = "an edit"
CRATE = "a crate added"
NO_LAYERS = "an edit, layers gone"
NO_MOUNTS = "an edit, mounts gone"
# In this order: each leaves what the next one needs.
SCENARIOS = (COLD, UNCHANGED, EDIT, CRATE, NO_LAYERS, NO_MOUNTS)


class Builds:
    """Builds subjects on one engine and remembers what it took."""

    def __init__(self, docker: Docker, group: str) -> None:
        self._docker = docker
        self._group = group
        self._edits = 0
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._compiled: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._images: dict[str, str] = {}

    def measure(self, subjects: Sequence[Subject], scenarios: Sequence[str], times: int) -> None:
        """Take the subjects through scenarios.

        Args:
            subjects: Are built in turn, the first one first and last by turns.
            scenarios: Some of `SCENARIOS`, in their order and beginning with `COLD`.
            times: How often those are built that take little.
        """
        for scenario in scenarios:
            self._prepare(scenario)
            for number in range(times if scenario in {UNCHANGED, EDIT} else 1):
                for subject in subjects[:: -1 if number % 2 else 1]:
                    self._change(subject, scenario)
                    self._build(subject, scenario)

    def _prepare(self, scenario: str) -> None:
        if scenario == COLD:
            self._docker("builder", "prune", "--all", "--force")
        elif scenario == NO_LAYERS:
            for kind in ("regular", "source.local"):
                self._docker("builder", "prune", "--all", "--force", "--filter", f"type={kind}")
        elif scenario == NO_MOUNTS:
            self._docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")

    def _change(self, subject: Subject, scenario: str) -> None:
        if scenario == CRATE:
            subject.add_crate()
        elif scenario not in {COLD, UNCHANGED}:
            self._edits += 1
            subject.edit(self._edits)

    def _build(self, subject: Subject, scenario: str) -> None:
        # Subjects that would share a cache mount are kept apart.
        apart = f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={self._group} {subject.name}"
        begin = time.monotonic()
        built = self._docker.build(subject.folder, apart, dockerfile=subject.dockerfile)
        seconds = time.monotonic() - begin
        print(
            f"benchmarks: {self._group}: {subject.name}, {scenario}: {seconds:.1f} s, "
            f"{len(built.compiled)} crates",
            file=sys.stderr,
        )
        self._seconds[subject.name, scenario].append(seconds)
        self._compiled[subject.name, scenario].append(len(built.compiled))
        self._images[subject.name] = built.image

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
