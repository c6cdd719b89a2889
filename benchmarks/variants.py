"""Other ways to compile a service, each measured on its own: seconds, bytes and requests."""

import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Record, tell
from benchmarks.subjects import NAME, Subject
from tests.containers import Docker

TARGET = "x86_64-unknown-linux-musl"
PROFILE = "CARGO_PROFILE_RELEASE_"
STATIC = "-Ctarget-feature=+crt-static"

# What Cargo's own release profile has, and what the size profile has instead.
# https://doc.rust-lang.org/cargo/reference/profiles.html#release
DEFAULT = {
    "OPT_LEVEL": "3",
    "LTO": "false",
    "CODEGEN_UNITS": "16",
    "STRIP": "none",
    "PANIC": "unwind",
}
SIZE = {"OPT_LEVEL": "z", "LTO": "true", "CODEGEN_UNITS": "1", "STRIP": "symbols", "PANIC": "abort"}


@dataclass(frozen=True)
class Variant:
    """One way to compile.

    Attributes:
        name: How it is called in the results.
        profile: Settings of the release profile, over those of the size profile.
        flags: Flags for rustc, beside the one that makes musl static.
        environment: More variables for Cargo.
    """

    name: str
    profile: Mapping[str, str] = field(default_factory=dict)
    flags: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """What Cargo is told through its environment."""
        profile = {f"{PROFILE}{key}": value for key, value in {**SIZE, **self.profile}.items()}
        flags = "\x1f".join([STATIC, *self.flags])
        return {**profile, "CARGO_ENCODED_RUSTFLAGS": flags, **self.environment}


SETTINGS = (
    Variant("Cargo's release profile", DEFAULT),
    *(Variant(f"{key.lower()} alone", {**DEFAULT, key: SIZE[key]}) for key in SIZE),
    *(Variant(f"all but {key.lower()}", {key: DEFAULT[key]}) for key in SIZE),
    Variant("the size profile"),
)


@dataclass(frozen=True)
class Compiler:
    """A container that compiles for musl.

    Attributes:
        docker: Runs it.
        image: Has Rust and its standard library for musl.
        folder: Where target folder and crates are kept, the crates for the variants to come.
    """

    docker: Docker
    image: str
    folder: Path

    def measure(
        self, subject: Subject, variant: Variant, edits: int = 0
    ) -> tuple[list[Record], Path]:
        """Compile a service from nothing and after edits.

        Args:
            subject: The service.
            variant: How to compile it.
            edits: How often to edit and compile again.

        Returns:
            What was measured, and the binary.
        """
        shutil.rmtree(self.folder / "target", ignore_errors=True)
        self._cargo(subject, variant, "fetch", "--locked")
        seconds = []
        for number in range(edits + 1):
            if number:
                subject.edit(1000 + number)
            begin = time.monotonic()
            self._cargo(subject, variant, "build", "--release", "--locked", "--offline")
            seconds.append(time.monotonic() - begin)
        binary = self.folder / f"{re.sub('[^a-z0-9]+', '-', variant.name.lower())}.bin"
        shutil.copy(self.folder / "target" / TARGET / "release" / NAME, binary)
        group = f"variants: {subject.name}"
        records = [
            Record(group, variant.name, "cold", "s", (seconds[0],)),
            Record(group, variant.name, "binary", "MB", (binary.stat().st_size / 1e6,)),
        ]
        if edits:
            records.append(Record(group, variant.name, "an edit", "s", tuple(seconds[1:])))
        tell(records)
        return records, binary

    def _cargo(self, subject: Subject, variant: Variant, *arguments: str) -> None:
        environment = {
            "CARGO_HOME": "/work/cargo",
            "CARGO_TARGET_DIR": "/work/target",
            "CARGO_BUILD_TARGET": TARGET,
            **variant.variables,
        }
        subprocess.run(
            [
                *(self.docker.client, "run", "--rm", "--network=host", "--workdir=/app"),
                *(f"--volume={subject.folder}:/app:ro", f"--volume={self.folder}:/work"),
                *(f"--env={name}={value}" for name, value in environment.items()),
                *(self.image, "cargo", *arguments, "--quiet"),
            ],
            check=True,
        )
