"""The parts of the full mode, each of which can be measured on its own."""

from collections.abc import Callable

from benchmarks import bases, images, quick
from benchmarks.figures import Record
from benchmarks.subjects import peer
from benchmarks.workshop import Workshop

PEERS = {
    "actix": ("docker init", "cargo-chef", "the document", "the document, repaired"),
    "rocket": ("Rocket guide",),
}


def image_builds(workshop: Workshop) -> list[Record]:
    """Build our services by our Dockerfiles and by the peers', in every scenario."""
    docker = workshop.docker
    names = bases.provide(docker, "rust-alpine", "alpine", "cargo-chef")
    bases.warm(docker, (names["rust-alpine"], names["rust-slim"]))
    records = []
    for framework, peers in PEERS.items():
        own = workshop.ours(framework)
        subjects = [own]
        subjects += [
            peer(name, own.folder, workshop.place(f"{framework}-{number}"), names)
            for number, name in enumerate(peers)
        ]
        with images.builds(docker, f"images: {framework}") as builds:
            for scenario in images.SCENARIOS:
                builds.measure(subjects, (scenario,), 3 if scenario == images.EDIT else 1)
        records += builds.records()
    return records


PARTS: dict[str, Callable[[Workshop], list[Record]]] = {
    "budgets": quick.measure,
    "images": image_builds,
}
