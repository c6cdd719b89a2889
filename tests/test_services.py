"""The Rust of the template, checked where it stands and as it is emitted."""

import subprocess
from pathlib import Path

import pytest

from extensions.pins import ROOT
from tests.conftest import Copy

CRATES = [ROOT / "frameworks" / framework for framework in ("actix", "rocket")]


def cargo_in(folder: Path, *arguments: str) -> None:
    subprocess.run(["cargo", *arguments], cwd=folder, check=True)


@pytest.mark.parametrize("crate", CRATES, ids=lambda crate: crate.name)
def test_in_place(crate: Path, cargo: Path) -> None:
    cargo_in(crate, "fmt", "--check")
    cargo_in(crate, "clippy", "--locked", "--all-targets", "--", "-D", "warnings")
    cargo_in(crate, "test", "--locked")


@pytest.mark.parametrize("framework", ["actix", "rocket"])
@pytest.mark.parametrize("runtime", ["scratch", "debian"])
def test_as_emitted(framework: str, runtime: str, cargo: Path, render: Copy) -> None:
    folder = render(framework=framework, runtime=runtime, port=9999)
    cargo_in(folder, "fmt", "--check")
    cargo_in(folder, "clippy", "--locked", "--all-targets", "--", "-D", "warnings")
