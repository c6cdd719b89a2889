"""Other ways to compile a service, each measured on its own: seconds and bytes."""

import shutil
import subprocess
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.figures import ROUND
from benchmarks.workshop import Workshop
from lab.subjects import NAME, PROJECTS, Subject, file_name

DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
RELEASE_PROFILE, SIZE_PROFILE = DATA["profiles"]["release"], DATA["profiles"]["size"]

TARGET = "x86_64-unknown-linux-musl"
STATIC = "-Ctarget-feature=+crt-static"
# How many are compiled in turn with what they are measured against. A machine is not as fast now as
# it is in an hour; with fewer, more of that hour goes to what is known.
IN_A_ROUND = 3


@dataclass(frozen=True)
class Variant:
    """One way to compile.

    Attributes:
        name: How it is called in the results.
        profile: Settings of the release profile, over those of the size profile.
        flags: Flags for rustc, beside the one that makes musl static.
        options: Options of `cargo build`.
        cargo: Commands of Cargo that change the manifest or the lock file first.
        project: The project of `lab/` that takes the place of the framework.
        runtime: The runtime whose sources are compiled, if not those of scratch.
    """

    name: str
    profile: Mapping[str, str] = field(default_factory=dict)
    flags: Sequence[str] = ()
    options: Sequence[str] = ()
    cargo: Sequence[str] = ()
    project: str = ""
    runtime: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What Cargo is told through its environment, which goes before the manifest.

        https://doc.rust-lang.org/cargo/reference/environment-variables.html
        """
        settings = {
            f"CARGO_PROFILE_RELEASE_{key.upper().replace('-', '_')}": value
            for key, value in {**SIZE_PROFILE, **self.profile}.items()
        }
        flags = "\x1f".join([STATIC, *self.flags])
        # The last is for the options that want it: what is compiled is the same with it.
        return {**settings, "CARGO_ENCODED_RUSTFLAGS": flags, "RUSTC_BOOTSTRAP": "1"}


TRIED = {name: Variant(name, **words) for name, words in DATA["tried"].items()}
SHIPPED, WITH_MALLOC = TRIED["the size profile"], TRIED["musl's malloc"]
RELEASE = Variant("Cargo's release profile", RELEASE_PROFILE)
# How to compile, and which service.
Way = tuple[Variant, Subject]


def settings() -> list[Variant]:
    """Return each setting of the size profile alone, two together, and all but each."""
    alone = [{key: value} for key, value in SIZE_PROFILE.items()]
    alone.append({key: SIZE_PROFILE[key] for key in ("lto", "codegen-units")})
    return [
        RELEASE,
        *(Variant(f"{' and '.join(own)} alone", {**RELEASE_PROFILE, **own}) for own in alone),
        *(Variant(f"all but {key}", {key: value}) for key, value in RELEASE_PROFILE.items()),
        SHIPPED,
    ]


def changed(workshop: Workshop, variant: Variant, framework: str, profile: str = "size") -> Subject:
    """Render our service, and change its sources as a variant wants them."""
    place = workshop.place(f"{framework}-{file_name(variant.name)}")
    service = workshop.ours(framework, profile=profile).copy(place)
    for command in variant.cargo:
        subprocess.run(["cargo", *command.split(), "--quiet"], cwd=place, check=True)
    if variant.project:
        shutil.copytree(PROJECTS[variant.project], place, dirs_exist_ok=True)
    if variant.runtime:
        other = workshop.ours(framework, variant.runtime, profile)
        shutil.copytree(other.folder / "src", place / "src", dirs_exist_ok=True)
    return service


def measure(
    workshop: Workshop, image: str, group: str, ways: Sequence[Way], edits: int = 0
) -> dict[str, Path]:
    """Compile services for musl from nothing and after edits, in rounds that all have the first.

    Args:
        workshop: Has the engine and the sheet; its folder keeps the crates.
        image: Has Rust and its standard library for musl.
        group: What the results are filed under, round by round.
        ways: How to compile which service, of which copies are edited.
        edits: How often to edit and compile again.

    Returns:
        The binaries by the names of the variants.
    """
    first, *others = ways
    binaries: dict[str, Path] = {}
    for number, start in enumerate(range(0, len(others), IN_A_ROUND), start=1):
        those = [first, *others[start : start + IN_A_ROUND]]
        place = workshop.place(f"{file_name(group)}-{number}")
        copies = [(each, subject.copy(place / file_name(each.name))) for each, subject in those]
        _round(workshop, image, f"{group}{ROUND}{number}", copies, edits)
        for variant, copy in copies:
            binaries[variant.name] = workshop.folder / f"{place.name}-{copy.folder.name}"
            shutil.copy(_binary(copy), binaries[variant.name])
        shutil.rmtree(place)
    return binaries


def _round(workshop: Workshop, image: str, group: str, ways: Sequence[Way], edits: int) -> None:
    note = partial(workshop.sheet.note, group)
    for way in ways:
        _cargo(workshop, image, way, "fetch")
    for number in range(edits + 1):
        for variant, subject in ways[:: -1 if number % 2 else 1]:
            if number:
                subject.edit(number)
            begin = time.monotonic()
            _cargo(workshop, image, (variant, subject), "build", "--release", *variant.options)
            note(variant.name, "an edit" if number else "cold", time.monotonic() - begin, "s")
    for variant, subject in ways:
        note(variant.name, "binary", _binary(subject).stat().st_size / 1e6, "MB")


def _target(subject: Subject) -> Path:
    return subject.folder.with_name(f"{subject.folder.name}-target")


def _binary(subject: Subject) -> Path:
    return _target(subject) / TARGET / "release" / NAME


def _cargo(workshop: Workshop, image: str, way: Way, *arguments: str) -> None:
    variant, subject = way
    environment = {
        "CARGO_HOME": "/work/cargo",
        "CARGO_TARGET_DIR": f"/work/{_target(subject).relative_to(workshop.folder)}",
        "CARGO_BUILD_TARGET": TARGET,
        **variant.environment,
    }
    workshop.docker(
        *("run", "--rm", "--network=host", "--workdir=/app"),
        *(f"--volume={subject.folder}:/app:ro", f"--volume={workshop.folder}:/work"),
        *(f"--env={name}={value}" for name, value in environment.items()),
        *(image, "cargo", *arguments, "--locked", "--quiet"),
    )
