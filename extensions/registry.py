"""The frameworks and runtimes that the template offers, as their folders describe them.

A framework is a folder of `frameworks/` with a `framework.toml`, a crate and the crate's lock
file. A runtime is a folder of `runtimes/` with a `runtime.toml`, its part of the Dockerfile, and
what the emitted README says of it. Both have a folder called `shared`, which holds what several
of them use.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from string import Template
from typing import Any, TypeVar

from .pins import ROOT, alpine_for, parse_release, versions

# What is in the folder of a framework beside its crate.
DESCRIPTION, LOCK, TARGET = "framework.toml", "Cargo.lock", "target"
# Which packages of the lock file depend on which others for the sake of an option alone.
FEATURES = "features.toml"
# Owners' edits that tests make. The first adds `GET /slow`, which answers `finished` after 2 s, for
# requests in flight; the second goes on top of it, and adds routes for all that can go wrong.
SLOW, FAULTS = "slow.patch", "faults.patch"
NOT_EMITTED = {DESCRIPTION, FEATURES, SLOW, FAULTS}


@dataclass(frozen=True)
class Framework:
    """A web framework.

    Attributes:
        name: The answer that chooses it, and its folder.
        label: How a person knows it.
        help: What it gives; the choice says this behind the label.
        port: What its services listen on unless told otherwise.
        readme: What the emitted README says of where to change a service, as Markdown.
    """

    name: str
    label: str
    help: str
    port: int
    readme: str

    @cached_property
    def folder(self) -> Path:
        """Its crate, which builds in place."""
        return ROOT / "frameworks" / self.name

    # Copier asks for each text that it renders.
    @cached_property
    def files(self) -> list[str]:
        """The files of its crate, relative to it, without the lock file.

        Which of them a service gets is for `sources.emitted_files` to say.
        """
        found = []
        for parent, folders, names in os.walk(self.folder):
            if TARGET in folders:
                folders.remove(TARGET)
            found += [(Path(parent) / name).relative_to(self.folder).as_posix() for name in names]
        return sorted(set(found) - NOT_EMITTED - {LOCK})

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of its crate, with all options on."""
        return _manifest(self.folder)

    @property
    def requirements(self) -> dict[str, str]:
        """The crates that it depends on, on any target, with their versions."""
        return requirements(self.manifest)


@dataclass(frozen=True)
class Runtime:
    """A base of the image.

    Attributes:
        name: The answer that chooses it, and its folder.
        label: How a person knows it.
        help: What it gives; the choice says this behind the label.
        libc: The C library that a service is linked to; it decides the builder in `versions.toml`.
        image: The base as `docker pull` takes it, "" where there is none; it may use the
            variables that its builder's image uses.
        certificates: Whether the image has CA certificates without being asked to.
        shell: Whether it has a shell.
        megabytes: The size of the published base on the disk, in 10^6 bytes.
    """

    name: str
    label: str
    help: str
    libc: str
    image: str
    certificates: bool
    shell: bool
    megabytes: float

    def __post_init__(self) -> None:
        """Refuse a C library without a builder, and a variable that the Dockerfile lacks."""
        builders = versions()["builders"]
        where = f"runtimes/{self.name}/runtime.toml"
        if self.libc not in builders:
            raise ValueError(f"{where}: libc must be one of {', '.join(builders)}")
        known = Template(builders[self.libc]).get_identifiers()
        if unknown := set(Template(self.image).get_identifiers()) - set(known):
            raise ValueError(f"{where}: image names {unknown.pop()}; there is {', '.join(known)}")

    @property
    def base(self) -> str:
        """The base with the pinned versions filled in."""
        return filled(self.image, versions()["rust"])


def filled(image: str, rust: str) -> str:
    """Fill the pinned versions in for the variables of an image's name.

    Args:
        image: The name, with `${RUST_VERSION}`, `${ALPINE_VERSION}` and `${DEBIAN_SUITE}`.
        rust: The Rust release to build with.
    """
    return Template(image).substitute(
        RUST_VERSION=rust, ALPINE_VERSION=alpine_for(rust), DEBIAN_SUITE=versions()["debian"]
    )


Kind = TypeVar("Kind", Framework, Runtime)


@cache
def frameworks() -> dict[str, Framework]:
    """Return every framework by its name, in the order of the names."""
    found = (_read(Framework, file) for file in (ROOT / "frameworks").glob(f"*/{DESCRIPTION}"))
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


@cache
def runtimes() -> dict[str, Runtime]:
    """Return every runtime by its name, the smallest base first."""
    found = (_read(Runtime, file) for file in (ROOT / "runtimes").glob("*/runtime.toml"))
    return {each.name: each for each in sorted(found, key=lambda each: (each.megabytes, each.name))}


def images() -> dict[str, str]:
    """Return every image that emitted Dockerfiles are built from, by what it is for.

    Returns:
        The builders as `builder-LIBC`, and the bases by the names of their runtimes.
    """
    builders = {
        f"builder-{libc}": filled(image, versions()["rust"])
        for libc, image in versions()["builders"].items()
    }
    return builders | {name: each.base for name, each in runtimes().items() if each.image}


def images_of(runtime: str, rust: str) -> list[str]:
    """Return the images that one service is built from and on.

    Args:
        runtime: The name of its runtime.
        rust: The Rust release to build with.
    """
    chosen = runtimes()[runtime]
    named = (versions()["builders"][chosen.libc], chosen.image)
    return [filled(image, rust) for image in named if image]


def minimum_rust() -> str:
    """Return the oldest Rust release that builds every framework, as `x.y.z`.

    Source: `rust-version` in the manifests, https://doc.rust-lang.org/cargo/reference/rust-version.html
    """
    declared = (f"{each.manifest['package']['rust-version']}.0" for each in frameworks().values())
    return max(declared, key=lambda version: parse_release(version) or (0, 0, 0))


def requirements(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the crates that a Cargo manifest depends on, on any target, with their versions."""
    found: dict[str, str] = {}
    for part in (manifest, *manifest.get("target", {}).values()):
        for name, wanted in part.get("dependencies", {}).items():
            found[name] = wanted["version"] if isinstance(wanted, dict) else wanted
    return found


def choices(offered: Mapping[str, Framework | Runtime], question: str) -> str:
    """Return the choices of a question as the YAML that Copier takes them from.

    Args:
        offered: What there is to choose.
        question: The name of the question; a choice that is refused shows why.

    Source: https://copier.readthedocs.io/en/stable/configuring/#advanced-prompt-formatting
    """
    labels = {
        f"{each.label}, {each.help}": {
            "value": name,
            "validator": f"{{{{ '{name}' | refusal('{question}') }}}}",
        }
        for name, each in offered.items()
    }
    return json.dumps(labels, ensure_ascii=False)


@cache
def _manifest(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))


def _read(kind: type[Kind], file: Path) -> Kind:
    """Read the description of a framework or a runtime, which must be complete.

    Raises:
        ValueError: It lacks something, or has something that nobody reads.
    """
    found = tomllib.loads(file.read_text("utf-8"))
    wanted = {field.name for field in fields(kind)} - {"name"}
    where = file.relative_to(ROOT).as_posix()
    if lacking := wanted - found.keys():
        raise ValueError(f"{where} must say {', '.join(sorted(lacking))}")
    if unknown := found.keys() - wanted:
        raise ValueError(f"{where} says {', '.join(sorted(unknown))}, which nobody reads")
    return kind(name=file.parent.name, **found)
