"""What images cost: seconds and compiled crates of their builds, and bytes."""

import gzip
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from benchmarks.run_time import ask
from benchmarks.workshop import Workshop
from extensions.registry import runtimes
from lab.containers import Built, Docker
from lab.servers import HOST, free_port
from lab.subjects import PORT, Subject

# What happens before a build, in an order in which each finds what it needs: cache mounts that are
# gone come last, since a layer that is still there does not fill them again.
COLD, EDIT, NO_MOUNTS = "cold", "an edit", "an edit, mounts gone"
SCENARIOS: Mapping[str, Sequence[str]] = {
    COLD: ["new layers", "new mounts"],
    "nothing changed": [],
    EDIT: ["edit"],
    "an edit, layers gone": ["edit", "new layers"],
    "one dependency more": ["dependency"],
    NO_MOUNTS: ["edit", "prune mounts"],
}
ANSWERS = "answers what the edit says"
SIZE, WHOLE_SIZE = "image without its base", "image with its base as published"
SECONDS_TO_ANSWER = 5
BASE = re.compile(r"^FROM (?:--platform=\S+ )?(\S+).*$", re.MULTILINE)


class Builds:
    """Builds subjects on one engine and notes what it took; `images` has their newest images."""

    def __init__(self, workshop: Workshop, group: str) -> None:
        self._docker, self._sheet, self._group = workshop.docker, workshop.sheet, group
        # Edits that no earlier run has made, whose layers would still be there.
        self._edits = int(time.time())
        # What layers and mounts of a subject are kept by; nothing, while they may be old.
        self._kept_by: dict[tuple[str, str], str] = defaultdict(str)
        self.images: dict[str, str] = {}

    def measure(self, scenario: str, subjects: Sequence[Subject], times: int = 1) -> None:
        """Build subjects so many times after what happens in a scenario, first and last by turns.

        Before one that is not cold a subject must have been built, cold or for no record.
        """
        happens = SCENARIOS[scenario]
        for number in range(times):
            if "prune mounts" in happens:
                self._docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
            for subject in subjects[:: -1 if number % 2 else 1]:
                for kept in ("layers", "mounts"):
                    if f"new {kept}" in happens:
                        self._kept_by[subject.name, kept] = secrets.token_hex(4)
                if "dependency" in happens:
                    subject.add_dependency()
                if "edit" in happens:
                    self._edits += 1
                    answer = subject.edit(self._edits)
                begin = time.monotonic()
                built = self.build(subject)
                self._note(subject, scenario, time.monotonic() - begin, "s")
                self._note(subject, f"{scenario}, compiled", len(built.compiled), "crates")
                if scenario == EDIT and number == times - 1:
                    self._look_at_image(subject, answer)

    def build(self, subject: Subject) -> Built:
        """Build a subject as it is now, for no record.

        What was never cold takes the layers and the mounts that an earlier run has left. No subject
        shares a mount with another.
        """
        layers, mounts = (self._kept_by[subject.name, kept] for kept in ("layers", "mounts"))
        apart = f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={subject.name} {mounts}"
        dockerfile = BASE.sub(rf"\g<0>\nENV LAYERS={layers}", subject.dockerfile, count=1)
        built = self._docker.build(subject.folder, apart, *subject.options, dockerfile=dockerfile)
        earlier = self.images.get(subject.name)
        # A Dockerfile that ships a stub makes the same image of every edit.
        if earlier not in (None, built.image):
            self._docker("image", "rm", "--force", earlier)
        self.images[subject.name] = built.image
        return built

    def close(self) -> None:
        """Remove the images that were built."""
        self._docker("image", "rm", "--force", *set(self.images.values()))

    def _note(self, subject: Subject, what: str, value: float, unit: str = "") -> None:
        self._sheet.note(self._group, subject.name, what, value, unit)

    def _look_at_image(self, subject: Subject, answer: str) -> None:
        """Note whether an image answers so, and its size without its base and with a real one."""
        image, base = self.images[subject.name], BASE.findall(subject.dockerfile)[-1]
        self._note(subject, ANSWERS, self._answer(image) == answer)
        size = megabytes(self._docker, image, None if base == "scratch" else base)
        (published,) = (each.megabytes for name, each in runtimes().items() if name in base)
        self._note(subject, SIZE, size, "MB")
        self._note(subject, WHOLE_SIZE, size + published, "MB")

    def _answer(self, image: str) -> str | None:
        """Return what a container of an image answers, None where it does not start."""
        port = free_port()
        container = self._docker("run", "--detach", f"--publish={HOST}:{port}:{PORT}", image)
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        try:
            while (answer := ask(port)) is None and time.monotonic() < deadline:
                time.sleep(0.1)
            return answer
        finally:
            self._docker("rm", "--force", container)


def megabytes(docker: Docker, image: str, base: str | None = None) -> float:
    """Return the size of an image beyond its base, as the engine counts it."""
    sizes = [float(docker.inspect(name)["Size"]) / 1e6 for name in (image, base) if name]
    return sizes[0] - sum(sizes[1:])


def compressed(docker: Docker, image: str, base: str | None = None) -> float:
    """Return the megabytes that a registry keeps of an image beyond its base: its layers, gzipped.

    https://github.com/opencontainers/image-spec/blob/main/layer.md#gzip-media-types
    """
    _, *layers = docker.archives(image, base)
    return sum(len(gzip.compress(layer, 6)) for _, layer in layers) / 1e6
