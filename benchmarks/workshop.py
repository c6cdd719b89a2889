"""Where subjects and programs are made, once for all that measures them."""

import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import run_time
from extensions.pins import ROOT
from hooks.engine import find as find_engine
from lab import stand_ins
from lab.containers import Docker
from lab.rendering import copy_template
from lab.subjects import NAME, PROJECTS, Subject, ours


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

    def service(self, name: str, image: str) -> run_time.Program:
        """Return the service of an image of ours, to start without the image as it is in it."""
        variables = dict(
            variable.split("=", 1) for variable in self.docker.inspect(image)["Config"]["Env"]
        )
        return program(name, self.binary(image), free_port(), **variables)

    def bare(self, ports: Mapping[str, int]) -> dict[str, Path]:
        """Compile each framework's own hello world for glibc, in Cargo's release profile.

        What they have in common is compiled once, and what is compiled stays for the next run.
        """
        binaries = {}
        for framework, port in ports.items():
            folder = self.place(f"bare-{framework}")
            shutil.copytree(PROJECTS[framework], folder)
            main = folder / "src" / "main.rs"
            text = main.read_text("utf-8")
            main.write_text(text.replace("0.0.0.0:8080", f"{run_time.HOST}:{port}"), "utf-8")
            command = ["cargo", "build", "--release", "--locked", "--quiet"]
            target = ROOT / "benchmarks" / "target"
            subprocess.run([*command, f"--target-dir={target}"], cwd=folder, check=True)
            binaries[framework] = self.folder / f"bare-{framework}.bin"
            shutil.copy(target / "release" / NAME, binaries[framework])
        return binaries


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


def program(name: str, binary: Path, port: int, **more: str) -> run_time.Program:
    """Return a service to start, on a port of its own and with more variables if need be."""
    return run_time.Program(name, binary, port, {**environment(port), **more})
