"""Bytes of our binaries and images, on the disk and on the wire."""

import gzip
from itertools import product

from benchmarks.figures import Record, tell
from benchmarks.workshop import Workshop
from extensions.rules import CHOICES
from lab.containers import Docker
from lab.stand_ins import IMAGES


def measure(workshop: Workshop) -> list[Record]:
    """Build every runtime of every framework in every profile, and weigh it without its base."""
    docker = workshop.docker
    records = []
    for framework, profile, runtime in product(
        CHOICES["framework"], CHOICES["profile"], CHOICES["runtime"]
    ):
        image = workshop.image(workshop.ours(framework, runtime, profile))
        base = IMAGES.get(runtime)
        weights = {
            "binary": workshop.binary(image).stat().st_size / 1e6,
            "image": megabytes(docker, image, base),
            "compressed": compressed(docker, image, base),
        }
        found = [
            Record(f"sizes: {framework}, {profile}", runtime, what, "MB", (weight,))
            for what, weight in weights.items()
        ]
        tell(found)
        records += found
    return records


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
