"""What was tried beside what we ship, one change at a time, and how much smaller it could get."""

import re
import shutil
import subprocess
from pathlib import Path

from benchmarks import run_time
from benchmarks.figures import Record
from benchmarks.variants import SETTINGS, WHOLE, Compiler, Variant
from benchmarks.workshop import Workshop, free_port, program
from extensions.registry import frameworks
from lab import bases
from lab.stand_ins import IMAGES
from lab.subjects import PROJECTS

# Needs the nightly features of https://doc.rust-lang.org/cargo/reference/unstable.html#build-std
STD_FOR_SIZE = ("-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size")

# Over what the image sets; mimalloc's own names, of its v3/src/options.c.
ALLOCATOR = {
    "as shipped": {},
    "huge pages": {"MIMALLOC_ALLOW_THP": "1"},
    "huge pages, purged at once": {"MIMALLOC_ALLOW_THP": "1", "MIMALLOC_PURGE_DELAY": "0"},
    "huge pages, arenas of 16 MB": {"MIMALLOC_ALLOW_THP": "1", "MIMALLOC_ARENA_RESERVE": "16MiB"},
    "purged at once": {"MIMALLOC_PURGE_DELAY": "0"},
    "arenas committed late": {"MIMALLOC_ARENA_EAGER_COMMIT": "0"},
    "arenas of 16 MB": {"MIMALLOC_ARENA_RESERVE": "16MiB"},
}


def without_mimalloc(folder: Path) -> None:
    """Let a service allocate by musl."""
    main = folder / "src" / "main.rs"
    block = r"/// musl's own.*?static ALLOCATOR[^\n]*\n\n"
    text, count = re.subn(block, "", main.read_text("utf-8"), flags=re.DOTALL)
    assert count == 1, main
    main.write_text(text, "utf-8")


def all_features(folder: Path) -> None:
    """Let our Actix service have the features that the source document's example has."""
    for command in (
        ["add", "--quiet", "actix-web", "--default-features"],
        ["add", "--quiet", "tokio@1", "--features=full"],
        ["update", "--quiet", "--workspace"],
    ):
        subprocess.run(["cargo", *command], cwd=folder, check=True)


def newest_idna(folder: Path) -> None:
    """Let our Actix service have the Unicode data that idna has where nothing holds it."""
    subprocess.run(["cargo", "update", "--quiet", "idna_adapter"], cwd=folder, check=True)


def smallest(folder: Path) -> None:
    """Put hyper alone in the place of our Actix service's framework; the rest is ours."""
    shutil.copytree(PROJECTS["hyper"], folder, dirs_exist_ok=True)


TRIED = (
    WHOLE,
    Variant("opt-level s", {"opt-level": "s"}),
    Variant("opt-level 3", {"opt-level": "3"}),
    Variant("thin LTO", {"lto": "thin"}),
    Variant("no LTO", {"lto": "off"}),
    Variant("no LTO, 16 codegen units", {"lto": "off", "codegen-units": "16"}),
    Variant("linked by lld", flags=("-Clink-arg=-fuse-ld=lld",)),
    Variant("linked by mold", flags=("-Clink-arg=-fuse-ld=mold",)),
    Variant("no unwind tables", flags=("-Cforce-unwind-tables=no",)),
    Variant("not position-independent", flags=("-Crelocation-model=static",)),
    Variant("std rebuilt for size", options=STD_FOR_SIZE),
    Variant("the example's features", change=all_features),
    Variant("idna by ICU4X", change=newest_idna),
    Variant("musl's malloc", change=without_mimalloc),
    Variant("hyper alone", change=smallest),
    Variant("hyper alone, std rebuilt for size", options=STD_FOR_SIZE, change=smallest),
)


def settings(workshop: Workshop) -> list[Record]:
    """Measure the settings of the size profile one by one, on both frameworks."""
    compiler = Compiler(workshop.docker, IMAGES["builder-musl"], workshop.place("settings"))
    records = []
    for framework in frameworks():
        found, _ = compiler.measure(f"settings: {framework}", workshop.ours(framework), SETTINGS)
        records += found
    return records


def measure(workshop: Workshop) -> list[Record]:
    """Compile our Actix service in other ways, edit it, and ask what came of it."""
    names = bases.provide(workshop.docker, "compiler")
    compiler = Compiler(workshop.docker, names["compiler"], workshop.place("tried"))
    own = workshop.ours("actix")
    in_image = dict(re.findall(r"(?m)^ENV (MIMALLOC_\w+)=(\w+)$", own.dockerfile))
    records, binaries = compiler.measure("tried", own, TRIED, edits=3)
    programs = [program(name, binary, free_port(), **in_image) for name, binary in binaries.items()]
    records += run_time.measure("tried", programs, connections=(64,), seconds=2)
    allocators = [
        program(name, binaries[WHOLE.name], free_port(), **{**in_image, **variables})
        for name, variables in ALLOCATOR.items()
    ]
    return records + run_time.measure("allocator", allocators, connections=(64,), seconds=2)
