"""The parts of the full mode, each of which can be measured on its own."""

from collections.abc import Callable
from functools import partial

from benchmarks import alternatives, images, quick, run_time, sizes, template_cost
from benchmarks.budgets import OURS
from benchmarks.figures import Record
from benchmarks.workshop import Workshop
from extensions.registry import frameworks
from lab import bases
from lab.subjects import peer

PEERS = {
    "actix": ("docker init", "cargo-chef", "the document", "the document, repaired"),
    "rocket": ("Rocket guide",),
}


def image_builds(framework: str, workshop: Workshop) -> list[Record]:
    """Build our service by our Dockerfile and by the peers', in every scenario."""
    docker = workshop.docker
    names = bases.provide(docker, "builder-musl", "alpine", "cargo-chef")
    bases.warm(docker, (names["builder-musl"], names["builder-glibc"]))
    own = workshop.ours(framework)
    subjects = [own]
    subjects += [
        peer(name, own.folder, workshop.place(f"peer-{number}"), names)
        for number, name in enumerate(PEERS[framework])
    ]
    with images.builds(docker, f"images: {framework}") as builds:
        for scenario in images.SCENARIOS:
            builds.measure(subjects, (scenario,), 3 if scenario == images.EDIT else 1)
        return builds.records()


def running(workshop: Workshop) -> list[Record]:
    """Run our services in both profiles, and with musl's allocator, beside the bare frameworks."""
    programs, _ = quick.programs_and_sizes(workshop, {})
    records = []
    for framework, those in programs.items():
        own = workshop.ours(framework, profile="speed")
        alternatives.without_mimalloc(own.folder)
        those.append(workshop.service(f"{OURS}, speed, musl's malloc", workshop.image(own)))
        records += run_time.measure(f"run time: {framework}", those)
    return records


def copies(workshop: Workshop) -> list[Record]:
    """Time `copier copy` of our template and a plain one, and of both with ten times the files."""
    return template_cost.measure(
        workshop.template, workshop.place("copies"), times=5, growth=(1, 10)
    )


PARTS: dict[str, Callable[[Workshop], list[Record]]] = {
    "budgets": quick.measure,
    **{f"images-{name}": partial(image_builds, name) for name in frameworks()},
    "sizes": sizes.measure,
    "settings": alternatives.settings,
    "running": running,
    "copies": copies,
    "tried": alternatives.measure,
}
