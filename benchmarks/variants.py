"""Other ways to compile a service, each measured on its own: seconds and bytes."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Record, tell
from benchmarks.subjects import NAME, Subject
from tests.containers import Docker

TARGET = "x86_64-unknown-linux-musl"
STATIC = "-Ctarget-feature=+crt-static"

# What Cargo's own release profile has, and what the size profile has instead.
# https://doc.rust-lang.org/cargo/reference/profiles.html#release
DEFAULT = {
    "opt-level": "3",
    "lto": "false",
    "codegen-units": "16",
    "strip": "none",
    "panic": "unwind",
}
SIZE = {"opt-level": "z", "lto": "true", "codegen-units": "1", "strip": "symbols", "panic": "abort"}


@dataclass(frozen=True)
class Variant:
    """One way to compile.

    Attributes:
        name: How it is called in the results.
        profile: Settings of the release profile, over those of the size profile.
        flags: Flags for rustc, beside the one that makes musl static.
        options: Options of `cargo build`.
        change: What is done to the sources first.
    """

    name: str
    profile: Mapping[str, str] = field(default_factory=dict)
    flags: Sequence[str] = ()
    options: Sequence[str] = ()
    change: Callable[[Path], object] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What Cargo is told through its environment, which goes before the manifest.

        https://doc.rust-lang.org/cargo/reference/environment-variables.html
        """
        settings = {
            f"CARGO_PROFILE_RELEASE_{key.upper().replace('-', '_')}": value
            for key, value in {**SIZE, **self.profile}.items()
        }
        flags = "\x1f".join([STATIC, *self.flags])
        # Only for the options that want it: what is compiled is the same with it.
        return {**settings, "CARGO_ENCODED_RUSTFLAGS": flags, "RUSTC_BOOTSTRAP": "1"}


RELEASE = Variant("Cargo's release profile", DEFAULT)
WHOLE = Variant("the size profile")


def _added(*keys: str) -> Variant:
    """Return Cargo's release profile with some settings of the size profile."""
    name = f"{' and '.join(keys)} alone"
    return Variant(name, {**DEFAULT, **{key: SIZE[key] for key in keys}})


STRIP = _added("strip")
LTO_AND_ONE_UNIT = _added("lto", "codegen-units")
SETTINGS = (
    RELEASE,
    *(_added(key) for key in SIZE),
    LTO_AND_ONE_UNIT,
    *(Variant(f"all but {key}", {key: DEFAULT[key]}) for key in SIZE),
    WHOLE,
)


@dataclass(frozen=True)
class Compiler:
    """A container that compiles for musl.

    Attributes:
        docker: Runs it.
        image: Has Rust and its standard library for musl.
        folder: Where binaries, compiled objects and crates are kept, the crates for all variants.
    """

    docker: Docker
    image: str
    folder: Path

    def measure(
        self, group: str, subject: Subject, variant: Variant, edits: int = 0
    ) -> tuple[list[Record], Path]:
        """Compile a service from nothing and after edits.

        Args:
            group: What the results are filed under.
            subject: The service.
            variant: How to compile it.
            edits: How often to edit and compile again.

        Returns:
            What was measured, and the binary.
        """
        if variant.change:
            variant.change(subject.folder)
        self.folder.mkdir(exist_ok=True)
        shutil.rmtree(self.folder / "target", ignore_errors=True)
        self._cargo(subject, variant, "fetch", "--locked")
        seconds = []
        for number in range(edits + 1):
            if number:
                subject.edit(number)
            begin = time.monotonic()
            self._cargo(subject, variant, "build", "--release", "--locked", *variant.options)
            seconds.append(time.monotonic() - begin)
        name = re.sub("[^a-z0-9]+", "-", f"{group} {variant.name}".lower())
        binary = self.folder / name
        shutil.copy(self.folder / "target" / TARGET / "release" / NAME, binary)
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
            **variant.environment,
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
