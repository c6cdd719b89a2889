"""The Rust of the template, checked where it stands and as it is emitted."""

import subprocess
from itertools import product
from pathlib import Path

import pytest

from extensions.registry import frameworks, runtimes
from tests.answers import SUBSETS
from tests.conftest import Copy

# A runtime for each C library: the Rust differs by nothing else.
RUNTIMES = {each.libc: name for name, each in runtimes().items()}


def cargo_in(folder: Path, *arguments: str) -> None:
    subprocess.run(["cargo", *arguments], cwd=folder, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("framework", frameworks())
def test_in_place(framework: str, cargo: Path) -> None:
    crate = frameworks()[framework].folder
    cargo_in(crate, "fmt", "--check")
    cargo_in(crate, "clippy", "--locked", "--all-targets", "--", "-D", "warnings")
    cargo_in(crate, "test", "--locked")


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "runtime"), list(product(frameworks(), RUNTIMES.values())))
def test_as_emitted(framework: str, runtime: str, cargo: Path, render: Copy) -> None:
    check(render(framework=framework, runtime=runtime, port=9999))


@pytest.mark.slow
@pytest.mark.parametrize("told", SUBSETS[1:], ids="-".join)
@pytest.mark.parametrize("framework", frameworks())
def test_every_subset_of_observability(
    framework: str, told: tuple[str, ...], cargo: Path, render: Copy
) -> None:
    check(render(framework=framework, observability=list(told)))


def check(folder: Path) -> None:
    cargo_in(folder, "fmt", "--check")
    cargo_in(folder, "clippy", "--locked", "--all-targets", "--", "-D", "warnings")
