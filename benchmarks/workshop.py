"""Where subjects and programs are made, for all that measures them."""

import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.figures import Sheet
from benchmarks.run_time import Program
from extensions.pins import ROOT
from hooks.engine import find as find_engine
from lab import stand_ins
from lab.containers import Docker
from lab.rendering import copy_template
from lab.servers import HOST, free_port
from lab.subjects import NAME, PROJECTS, Subject, ours
from lab.versions import with_a_past


@dataclass(frozen=True)
class Workshop:
    """A folder to work in, an engine, and a sheet for the figures.

    Attributes:
        folder: Where all is made.
        quick: Whether fleets are small, and figures taken less often, for a first look.
        sheet: Takes the figures.
    """

    folder: Path
    quick: bool = False
    sheet: Sheet = field(default_factory=Sheet)

    @cached_property
    def docker(self) -> Docker:
        """The engine, with the base images of the template."""
        return Docker(stand_ins.provide(find_engine()))

    @cached_property
    def template(self) -> Path:
        """A copy of the template without its history."""
        return copy_template(self.folder / "template")

    @cached_property
    def releases(self) -> Path:
        """A repository with three versions of the template."""
        return with_a_past(self.template, self.folder / "releases")

    def place(self, name: str) -> Path:
        """Return a folder of that name which is not there yet."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return self.folder / name

    def ours(
        self,
        framework: str,
        runtime: str = "scratch",
        profile: str = "size",
        observability: Sequence[str] = (),
    ) -> Subject:
        """Render our service anew."""
        folder = self.place("-".join([framework, runtime, profile, *observability]))
        return ours(
            self.template,
            folder,
            framework=framework,
            runtime=runtime,
            profile=profile,
            observability=list(observability),
        )

    def image(self, subject: Subject) -> str:
        """Build an image that nobody measures, and return it."""
        return self.docker.build(subject.folder, dockerfile=subject.dockerfile).image

    def images(self, subjects: Sequence[Subject]) -> list[str]:
        """Build images that nobody measures, two at a time, and return them in their order."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(self.image, subjects))

    def binary(self, image: str) -> Path:
        """Return the binary of an image of ours."""
        file = self.folder / image.removeprefix("sha256:")[:16]
        return self.docker.file(image, f"/usr/local/bin/{NAME}", file)

    def service(self, name: str, image: str) -> Program:
        """Return the service of an image of ours, to start without the image as it is in it."""
        variables = self.docker.inspect(image)["Config"]["Env"]
        return Program(name, self.binary(image), dict(each.split("=", 1) for each in variables))

    def bare(self, name: str, framework: str) -> Program:
        """Compile a framework's own hello world for glibc, in Cargo's release profile.

        What is compiled stays for the next run; what several have in common is compiled once.
        """
        folder, port = self.place(f"bare-{framework}"), free_port()
        shutil.copytree(PROJECTS[framework], folder)
        main = folder / "src" / "main.rs"
        # The usual example listens there and nowhere else; Rocket reads its port when it starts.
        text = main.read_text("utf-8").replace("0.0.0.0:8080", f"{HOST}:{port}")
        main.write_text(text, "utf-8")
        target = ROOT / "benchmarks" / "target"
        command = ["cargo", "build", "--release", "--locked", "--quiet", f"--target-dir={target}"]
        subprocess.run(command, cwd=folder, check=True)
        shutil.copy(target / "release" / NAME, folder)
        return Program(name, folder / NAME, {}, port)
