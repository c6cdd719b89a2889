"""Other ways to compile a service, each measured on its own: seconds and bytes."""

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import ROUND, Record, tell
from lab.containers import Docker
from lab.subjects import NAME, Subject, file_name

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


# How many are compiled in turn with what they are measured against. A machine is not as fast now as
# it is in an hour; with fewer, more of that hour goes to what is known.
IN_A_ROUND = 3


@dataclass(frozen=True)
class Compiler:
    """A container that compiles for musl.

    Attributes:
        docker: Runs it.
        image: Has Rust and its standard library for musl.
        folder: Where sources, binaries, compiled objects and crates are kept, the crates for all.
    """

    docker: Docker
    image: str
    folder: Path

    def measure(
        self, group: str, subject: Subject, variants: Sequence[Variant], edits: int = 0
    ) -> tuple[list[Record], dict[str, Path]]:
        """Compile a service from nothing and after edits, in rounds that all have the first way.

        Args:
            group: What the results are filed under, round by round.
            subject: The service, of which copies are compiled.
            variants: How to compile it; the first is what the others are measured against.
            edits: How often to edit and compile again.

        Returns:
            What was measured, and the binaries by the names of the variants.
        """
        first, *others = variants
        records: list[Record] = []
        binaries: dict[str, Path] = {}
        for number, start in enumerate(range(0, len(others), IN_A_ROUND), start=1):
            those = [first, *others[start : start + IN_A_ROUND]]
            found, compiled = self._round(f"{group}{ROUND}{number}", subject, those, edits)
            tell(found)
            records += found
            binaries |= compiled
        return records, binaries

    def _round(
        self, group: str, subject: Subject, variants: Sequence[Variant], edits: int
    ) -> tuple[list[Record], dict[str, Path]]:
        """Compile in several ways, each in turn, the first one first and last by turns."""
        place = self.folder / file_name(group)
        ways = []
        for number, variant in enumerate(variants):
            copy = subject.copy(place / f"sources-{number}")
            if variant.change:
                variant.change(copy.folder)
            ways.append((variant, copy, f"{place.name}/target-{number}"))
            self._cargo(*ways[-1], "fetch", "--locked")
        seconds: dict[str, list[float]] = {variant.name: [] for variant in variants}
        for number in range(edits + 1):
            for variant, copy, target in ways[:: -1 if number % 2 else 1]:
                if number:
                    copy.edit(number)
                begin = time.monotonic()
                self._cargo(
                    variant, copy, target, "build", "--release", "--locked", *variant.options
                )
                seconds[variant.name].append(time.monotonic() - begin)
        records, binaries = [], {}
        for variant, _, target in ways:
            binary = binaries[variant.name] = self.folder / file_name(f"{group} {variant.name}")
            shutil.copy(self.folder / target / TARGET / "release" / NAME, binary)
            cold, *edited = seconds[variant.name]
            megabytes = binary.stat().st_size / 1e6
            records.append(Record(group, variant.name, "binary", "MB", (megabytes,)))
            records.append(Record(group, variant.name, "cold", "s", (cold,)))
            if edited:
                records.append(Record(group, variant.name, "an edit", "s", tuple(edited)))
        shutil.rmtree(place, ignore_errors=True)
        return records, binaries

    def _cargo(self, variant: Variant, subject: Subject, target: str, *arguments: str) -> None:
        environment = {
            "CARGO_HOME": "/work/cargo",
            "CARGO_TARGET_DIR": f"/work/{target}",
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
