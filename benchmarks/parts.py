"""The parts of what is measured, each of which can be measured on its own."""

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import product

from benchmarks import copies, fleet, images, observability, run_time, variants
from benchmarks.budgets import BARE, OURS, OURS_WITHOUT_LTO, PEER, PEER_ON_OURS
from benchmarks.variants import SHIPPED, WITH_MALLOC, changed
from benchmarks.workshop import Workshop
from extensions.registry import frameworks, runtimes
from extensions.rules import CHOICES
from lab import bases
from lab.containers import WITHOUT_LTO
from lab.stand_ins import IMAGES
from lab.subjects import PROJECTS, peer

# The framework of the usual example, and of the service that is compiled in other ways.
USUAL = "actix"
# Whose Dockerfiles build our service of a framework; one that is not here has no peers yet.
PEERS = {
    "actix": ("docker init", "cargo-chef", "the document", "the document, repaired"),
    "rocket": ("Rocket guide",),
}
PROFILES = CHOICES["profile"]

# Images of ours by framework and profile.
Images = Mapping[tuple[str, str], str]


def budgets(workshop: Workshop) -> None:
    """Measure what the budgets of services and images need.

    The costly things are measured once, in an order without a build twice.
    """
    docker = workshop.docker
    names = bases.provide(docker, "builder-musl", "alpine")
    copies.measure(workshop, growth=(1,))
    bases.warm(docker, [names["builder-musl"]])
    own = workshop.ours(USUAL)
    without_lto = replace(own, name=OURS_WITHOUT_LTO, options=(WITHOUT_LTO,))
    example = peer(PEER, PROJECTS[USUAL], workshop.place("example"), names)
    same = replace(peer(PEER, own.folder, workshop.place("same"), names), name=PEER_ON_OURS)
    with closing(images.Builds(workshop, "images")) as builds:
        builds.measure(images.COLD, [same, own, example])
        made = _images(workshop, {(USUAL, "size"): builds.images[own.name]})
        for (framework, profile), image in made.items():
            subject = f"{framework} scratch {profile}"
            workshop.sheet.note("sizes", subject, "image", images.megabytes(docker, image), "MB")
        programs = {each: _programs(workshop, each, made) for each in frameworks()}
        builds.build(without_lto)
        builds.measure(images.EDIT, [own, same, example, without_lto], times=3)
        builds.measure(images.NO_MOUNTS, [own])
    for framework, those in programs.items():
        run_time.measure(workshop.sheet, f"run time: {framework}", those)


def _images(workshop: Workshop, built: Images) -> Images:
    """Return our scratch images of all frameworks in all profiles; some may be built already."""
    lacking = [each for each in product(frameworks(), PROFILES) if each not in built]
    services = [workshop.ours(framework, profile=profile) for framework, profile in lacking]
    return {**built, **dict(zip(lacking, workshop.images(services), strict=True))}


def _programs(workshop: Workshop, framework: str, made: Images) -> list[run_time.Program]:
    """Return what runs side by side: the bare framework, and our service in both profiles."""
    ours = (workshop.service(f"{OURS}, {each}", made[framework, each]) for each in PROFILES)
    return [workshop.bare(BARE, framework), *ours]


def quick(workshop: Workshop) -> None:
    """Measure what the budgets need, but for those of the full mode."""
    budgets(workshop)
    fleet.look(workshop, fleet.QUICK)


def builds(framework: str, workshop: Workshop) -> None:
    """Build our service by our Dockerfile and by the peers', in every scenario."""
    names = bases.provide(workshop.docker, "builder-musl", "alpine", "cargo-chef")
    bases.warm(workshop.docker, (names["builder-musl"], names["builder-glibc"]))
    own = workshop.ours(framework)
    peers = [
        peer(name, own.folder, workshop.place(f"peer-{number}"), names)
        for number, name in enumerate(PEERS.get(framework, ()))
    ]
    with closing(images.Builds(workshop, f"images: {framework}")) as building:
        for scenario in images.SCENARIOS:
            building.measure(scenario, [own, *peers], times=3 if scenario == images.EDIT else 1)


def sizes(workshop: Workshop) -> None:
    """Build every runtime of every framework in every profile, and weigh it without its base."""
    docker = workshop.docker
    for framework, profile, runtime in product(frameworks(), PROFILES, runtimes()):
        image = workshop.image(workshop.ours(framework, runtime, profile))
        base = IMAGES.get(runtime)
        for what, weight in (
            ("binary", workshop.binary(image).stat().st_size / 1e6),
            ("image", images.megabytes(docker, image, base)),
            ("compressed", images.compressed(docker, image, base)),
        ):
            workshop.sheet.note(f"sizes: {framework}, {profile}", runtime, what, weight, "MB")


def profiles(workshop: Workshop) -> None:
    """Compile with the settings of the size profile one by one."""
    for framework in frameworks():
        own = workshop.ours(framework)
        ways = [(variant, own) for variant in variants.settings()]
        variants.measure(workshop, IMAGES["builder-musl"], f"settings: {framework}", ways)


def running(workshop: Workshop) -> None:
    """Run our services in both profiles, and with musl's allocator, beside the bare frameworks."""
    made = _images(workshop, {})
    for framework in frameworks():
        image = workshop.image(changed(workshop, WITH_MALLOC, framework, "speed"))
        with_malloc = workshop.service(f"{OURS}, speed, {WITH_MALLOC.name}", image)
        programs = [*_programs(workshop, framework, made), with_malloc]
        rounds = run_time.Rounds((1, 64), seconds=3)
        run_time.measure(workshop.sheet, f"run time: {framework}", programs, rounds)


def tried(workshop: Workshop) -> None:
    """Compile our usual service in other ways, edit it, and run what came of it."""
    image = bases.provide(workshop.docker, "compiler")["compiler"]
    ways = [(each, changed(workshop, each, USUAL)) for each in variants.TRIED.values()]
    binaries = variants.measure(workshop, image, "tried", ways, edits=3)
    dockerfile = workshop.ours(USUAL).dockerfile
    in_image = dict(re.findall(r"(?m)^ENV (MIMALLOC_\w+)=(\w+)$", dockerfile))
    programs = [run_time.Program(name, binary, in_image) for name, binary in binaries.items()]
    run_time.measure(workshop.sheet, "tried", programs)
    allocators = [
        run_time.Program(name, binaries[SHIPPED.name], {**in_image, **more})
        for name, more in variants.DATA["allocator"].items()
    ]
    run_time.measure(workshop.sheet, "allocator", allocators)


def fleets(workshop: Workshop) -> None:
    """Look at services and move them, many or few."""
    fleet.measure(workshop, fleet.QUICK if workshop.quick else fleet.FULL)


PARTS: dict[str, Callable[[Workshop], None]] = {
    "budgets": budgets,
    **{f"images-{name}": partial(builds, name) for name in frameworks()},
    "sizes": sizes,
    "settings": profiles,
    "running": running,
    "observability": observability.measure,
    "copies": partial(copies.measure, growth=(1, 10)),
    "tried": tried,
    "fleet": fleets,
}
# What the figures of those parts depend on that need no engine.
TOOLS = {"fleet": fleet.tools}
