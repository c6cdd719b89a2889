"""The figures that the budgets need, the costly ones measured once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product

from benchmarks import images, run_time, template_cost
from benchmarks.budgets import BARE, IMAGES, OURS, OURS_WITHOUT_LTO, PEER, PEER_ON_OURS
from benchmarks.figures import Record, tell
from benchmarks.sizes import megabytes
from benchmarks.workshop import Workshop, free_port, program
from extensions.registry import frameworks
from extensions.rules import CHOICES
from lab import bases
from lab.containers import WITHOUT_LTO
from lab.subjects import PROJECTS, peer


def measure(workshop: Workshop) -> list[Record]:
    """Measure them, in an order that needs no build twice."""
    docker = workshop.docker
    names = bases.provide(docker, "builder-musl", "alpine")
    records = template_cost.measure(
        workshop.template, workshop.place("copies"), times=5, growth=(1,)
    )
    bases.warm(docker, [names["builder-musl"]])
    actix = workshop.ours("actix")
    without_lto = replace(actix, name=OURS_WITHOUT_LTO, options=(WITHOUT_LTO,))
    of_example = peer(PEER, PROJECTS["actix"], workshop.place("example"), names)
    of_service = peer(PEER, actix.folder, workshop.place("service"), names)
    of_service = replace(of_service, name=PEER_ON_OURS)
    with images.builds(docker, IMAGES) as builds:
        builds.measure([of_service, actix, of_example], (images.COLD,), 1)
        programs, sizes = programs_and_sizes(workshop, {("actix", "size"): builds.image(actix)})
        builds.build(without_lto)
        builds.measure([actix, of_service, of_example, without_lto], (images.EDIT,), 3)
        builds.measure([actix], (images.NO_MOUNTS,), 1)
        records += [*builds.records(), *sizes]
    for framework, those in programs.items():
        records += run_time.measure(f"run time: {framework}", those, connections=(64,), seconds=2)
    return records


def programs_and_sizes(
    workshop: Workshop, built: Mapping[tuple[str, str], str]
) -> tuple[dict[str, list[run_time.Program]], list[Record]]:
    """Make what is measured when it runs, as fast as it goes.

    Args:
        workshop: Where to make it.
        built: Images of ours that are there already, by framework and profile.

    Returns:
        The programs of each framework, its bare one first, and the sizes of our images.
    """
    ports = {framework: free_port() for framework in frameworks()}
    services = [*product(frameworks(), CHOICES["profile"])]
    with ThreadPoolExecutor(2) as pool:
        bare = pool.submit(workshop.bare, ports)
        made = {
            (framework, profile): pool.submit(
                workshop.image, workshop.ours(framework, profile=profile)
            )
            for framework, profile in services
            if (framework, profile) not in built
        }
    ours = {**built, **{service: image.result() for service, image in made.items()}}
    programs = {
        framework: [
            program(BARE, bare.result()[framework], ports[framework]),
            *(
                workshop.service(f"{OURS}, {profile}", ours[framework, profile])
                for profile in CHOICES["profile"]
            ),
        ]
        for framework in frameworks()
    }
    sizes = [
        Record("sizes", f"{framework} scratch {profile}", "image", "MB",
               (megabytes(workshop.docker, ours[framework, profile]),))
        for framework, profile in services
    ]  # fmt: skip
    tell(sizes)
    return programs, sizes
