"""What is measured together: each part returns its records, and stands for itself."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from benchmarks import bases, images, run_time, template_cost
from benchmarks.budgets import BARE, EXAMPLE, OURS, SERVICE
from benchmarks.figures import Record, find, tell
from benchmarks.subjects import FOLDER, NAME, Subject, ours, peer
from extensions.pins import FRAMEWORKS
from hooks.engine import find as find_engine
from tests import stand_ins
from tests.conftest import copy_template
from tests.containers import Docker

PROJECTS = {"actix": FOLDER / "projects" / "example", "rocket": FOLDER / "projects" / "rocket"}


@dataclass(frozen=True)
class Workshop:
    """A folder to work in, an engine, and what is made once for all parts."""

    folder: Path

    @cached_property
    def docker(self) -> Docker:
        """The engine, with the base images of the template."""
        return Docker(stand_ins.provide(find_engine()))

    @cached_property
    def template(self) -> Path:
        """A copy of the template without its history."""
        return copy_template(self.folder / "template")

    def place(self, name: str) -> Path:
        """Return a folder of that name which is not there yet."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return self.folder / name

    def ours(self, framework: str, runtime: str = "scratch", profile: str = "size") -> Subject:
        """Render our service anew."""
        folder = self.place(f"{framework}-{runtime}-{profile}")
        return ours(self.template, folder, framework=framework, runtime=runtime, profile=profile)

    def image(self, subject: Subject) -> str:
        """Build an image that nobody measures, and return it."""
        return self.docker.build(subject.folder, dockerfile=subject.dockerfile).image

    def binary(self, image: str) -> Path:
        """Return the binary of an image of ours."""
        folder = self.folder / "binaries"
        folder.mkdir(exist_ok=True)
        name = image.removeprefix("sha256:")[:16]
        return self.docker.file(image, f"/usr/local/bin/{NAME}", folder / name)

    def megabytes(self, image: str) -> float:
        """Return the size of an image."""
        return float(self.docker.inspect(image)["Size"]) / 1e6

    def bare(self, framework: str, port: int) -> Path:
        """Compile the framework's own hello world for glibc, in Cargo's release profile."""
        folder = self.place(f"bare-{framework}")
        shutil.copytree(PROJECTS[framework], folder, ignore=shutil.ignore_patterns("target"))
        main = folder / "src" / "main.rs"
        text = main.read_text("utf-8")
        main.write_text(text.replace("0.0.0.0:8080", f"{run_time.HOST}:{port}"), "utf-8")
        subprocess.run(
            ["cargo", "build", "--release", "--locked", "--quiet"], cwd=folder, check=True
        )
        return folder / "target" / "release" / NAME


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind((run_time.HOST, 0))
        return int(free.getsockname()[1])


def environment(port: int) -> dict[str, str]:
    """Return what tells a service where to listen, by our names and by Rocket's."""
    host = run_time.HOST
    ours = {"HOST": host, "PORT": str(port)}
    return {**ours, "ROCKET_ADDRESS": host, "ROCKET_PORT": str(port)}


def program(name: str, binary: Path, port: int) -> run_time.Program:
    """Return a service to start, on a port of its own."""
    return run_time.Program(name, binary, port, environment(port))


def quick(workshop: Workshop) -> list[Record]:
    """Measure the figures that the budgets need, most of them once."""
    docker = workshop.docker
    names = bases.provide(docker.provided, ("rust-alpine", "alpine"))
    records = template_cost.measure(
        workshop.template, workshop.place("copies"), times=5, growth=(1,)
    )
    actix = workshop.ours("actix")
    of_example = peer("docker init", PROJECTS["actix"], workshop.place("init-example"), names)
    of_service = peer("docker init", actix.folder, workshop.place("init-service"), names)
    with images.builds(docker, EXAMPLE) as builds:
        builds.measure([actix, of_example], (images.COLD, images.EDIT), 3)
        builds.measure([actix], (images.NO_MOUNTS,), 1)
        found = builds.records()
        records += [*found, replace(find(found, EXAMPLE, OURS, images.COLD), group=SERVICE)]
        small = {"actix": workshop.binary(builds.image(actix))}
        sizes = {"actix scratch size": workshop.megabytes(builds.image(actix))}
    with images.builds(docker, SERVICE) as builds:
        builds.measure([of_service], (images.COLD,), 1)
        records += builds.records()

    ports = {framework: free_port() for framework in FRAMEWORKS}
    with ThreadPoolExecutor(2) as pool:  # nobody measures these
        slim = pool.submit(workshop.image, workshop.ours("rocket"))
        fast = {
            name: pool.submit(workshop.image, workshop.ours(name, profile="speed"))
            for name in FRAMEWORKS
        }
        bare = {name: pool.submit(workshop.bare, name, ports[name]) for name in FRAMEWORKS}
    small["rocket"] = workshop.binary(slim.result())
    sizes["rocket scratch size"] = workshop.megabytes(slim.result())
    found = [Record("sizes", name, "image", "MB", (size,)) for name, size in sizes.items()]
    tell(found)
    records += found
    for name in FRAMEWORKS:
        records += run_time.measure(
            f"run time: {name}",
            [
                program(f"{OURS}, speed", workshop.binary(fast[name].result()), free_port()),
                program(BARE, bare[name].result(), ports[name]),
                program(f"{OURS}, size", small[name], free_port()),
            ],
            connections=(64,),
            seconds=2,
        )
    return records


PARTS: Mapping[str, Callable[[Workshop], list[Record]]] = {}
