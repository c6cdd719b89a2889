"""Seconds and compiled crates of image builds, each subject in turn."""

import re
import secrets
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.request import urlopen

from benchmarks.figures import Record, tell
from benchmarks.run_time import HOST
from benchmarks.sizes import megabytes
from benchmarks.workshop import free_port
from extensions.registry import runtimes
from lab.containers import Built, Docker
from lab.subjects import PORT, Subject

# What a build follows, in an order in which each finds what it needs: cache mounts that are gone
# come last, since a layer that is still there does not fill them again.
COLD = "cold"
UNCHANGED = "nothing changed"
EDIT = "an edit"
NO_LAYERS = "an edit, layers gone"
ADDED = "one dependency more"
NO_MOUNTS = "an edit, mounts gone"
SCENARIOS = (COLD, UNCHANGED, EDIT, NO_LAYERS, ADDED, NO_MOUNTS)

ANSWERS = "answers what the edit says"
SIZE, WHOLE_SIZE = "image without its base", "image with its base as published"
SECONDS_TO_ANSWER = 5
BASE = re.compile(r"^FROM (?:--platform=\S+ )?(\S+).*$", re.MULTILINE)


class Builds:
    """Builds subjects on one engine and remembers what it took."""

    def __init__(self, docker: Docker, group: str) -> None:
        self._docker = docker
        self._group = group
        # Edits that no earlier run has made, whose layers would still be there.
        self._edits = int(time.time())
        # What the layers and the mounts of a subject are kept by; nothing, while they may be old.
        self._layers: dict[str, str] = defaultdict(str)
        self._mounts: dict[str, str] = defaultdict(str)
        self._images: dict[str, str] = {}
        self._figures: dict[tuple[str, str, str], list[float]] = defaultdict(list)

    def measure(self, subjects: Sequence[Subject], scenarios: Sequence[str], times: int) -> None:
        """Take the subjects through scenarios.

        Args:
            subjects: Are built in turn, the first one first and last by turns.
            scenarios: Some of `SCENARIOS`, in their order. Before the others a subject must have
                been built, cold or for no record.
            times: How often each is built in each of them.
        """
        for scenario in scenarios:
            for number in range(times):
                self._prepare(scenario, subjects)
                for subject in subjects[:: -1 if number % 2 else 1]:
                    answer = self._change(subject, scenario)
                    begin = time.monotonic()
                    built = self.build(subject)
                    seconds = time.monotonic() - begin
                    self._note(subject, scenario, "s", seconds)
                    self._note(subject, f"{scenario}, compiled", "crates", len(built.compiled))
                    if scenario == EDIT and number == times - 1:
                        self._note(subject, ANSWERS, "", self._answers(subject, answer))
                        self._weigh(subject)

    def _prepare(self, scenario: str, subjects: Sequence[Subject]) -> None:
        for subject in subjects:
            if scenario in (COLD, NO_LAYERS):
                self._layers[subject.name] = secrets.token_hex(4)
            if scenario == COLD:
                self._mounts[subject.name] = secrets.token_hex(4)
        if scenario == NO_MOUNTS:
            self._docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")

    def _change(self, subject: Subject, scenario: str) -> str:
        """Make the change of a scenario, and return what the health route answers if it is one."""
        if scenario == ADDED:
            subject.add_dependency()
        if scenario not in (EDIT, NO_LAYERS, NO_MOUNTS):
            return ""
        self._edits += 1
        return subject.edit(self._edits)

    def _note(self, subject: Subject, what: str, unit: str, value: float) -> None:
        self._figures[subject.name, what, unit].append(value)
        tell([Record(self._group, subject.name, what, unit, (value,))])

    def build(self, subject: Subject) -> Built:
        """Build a subject as it is now, for no record.

        What was never cold takes the layers and the mounts that an earlier run has left. No subject
        shares a mount with another.
        """
        layers, mounts = self._layers[subject.name], self._mounts[subject.name]
        apart = f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={subject.name} {mounts}"
        dockerfile = BASE.sub(rf"\g<0>\nENV LAYERS={layers}", subject.dockerfile, count=1)
        built = self._docker.build(subject.folder, apart, *subject.options, dockerfile=dockerfile)
        earlier = self._images.get(subject.name)
        # A Dockerfile that ships a stub makes the same image of every edit.
        if earlier not in (None, built.image):
            self._docker("image", "rm", "--force", earlier)
        self._images[subject.name] = built.image
        return built

    def _answers(self, subject: Subject, answer: str) -> bool:
        """Tell whether the newest image of a subject starts and answers what its source says."""
        port = free_port()
        options = ("--detach", f"--publish={HOST}:{port}:{PORT}")
        container = self._docker("run", *options, self._images[subject.name])
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        try:
            while time.monotonic() < deadline:
                with suppress(OSError), urlopen(f"http://{HOST}:{port}/health", timeout=1) as got:
                    return bool(got.read().decode() == answer)
                time.sleep(0.1)
            return False
        finally:
            self._docker("rm", "--force", container)

    def _weigh(self, subject: Subject) -> None:
        """Note the size of the newest image of a subject, without its base and with a real one."""
        base = BASE.findall(subject.dockerfile)[-1]
        image = self._images[subject.name]
        size = megabytes(self._docker, image, None if base == "scratch" else base)
        (published,) = (each.megabytes for name, each in runtimes().items() if name in base)
        self._note(subject, SIZE, "MB", size)
        self._note(subject, WHOLE_SIZE, "MB", size + published)

    def records(self) -> list[Record]:
        """Return all that was measured."""
        return [
            Record(self._group, name, what, unit, tuple(values))
            for (name, what, unit), values in self._figures.items()
        ]

    def image(self, subject: Subject) -> str:
        """Return the newest image of a subject."""
        return self._images[subject.name]

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
