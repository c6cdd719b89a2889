"""The list of crates that a program carries, read as scanners of images read it."""

import json
import subprocess
from pathlib import Path

import pytest

from lab.containers import WITHOUT_LTO, Built, Docker
from tests.conftest import Copy

# The parser of those who made the format: https://github.com/rust-secure-code/cargo-auditable
READER = "rust-audit-info@0.5.4"


@pytest.fixture(scope="module")
def reader(cargo: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("reader")
    command = ["cargo", "install", "--quiet", "--locked", "--config=net.offline=false"]
    subprocess.run([*command, f"--root={root}", READER], check=True)
    return str(root / "bin" / "rust-audit-info")


def test_a_scanner_reads_the_crates_of_a_scratch_image(
    docker: Docker, render_tiny: Copy, cargo: Path, reader: str, tmp_path: Path
) -> None:
    folder = render_tiny(service_name="listed")
    built: Built = docker.build(folder, WITHOUT_LTO)
    binary = docker.file(built.image, "/usr/local/bin/listed", tmp_path / "binary")
    docker("image", "rm", "--force", built.image)
    read = subprocess.run([reader, binary], check=True, capture_output=True, text=True).stdout
    listed = {(each["name"], each["version"]) for each in json.loads(read)["packages"]}
    # What Cargo says that is linked to it.
    tree = ["cargo", "tree", "--locked", "--target=x86_64-unknown-linux-musl", "--prefix=none"]
    edges = ["--edges=normal,no-proc-macro", "--no-dedupe"]
    told = subprocess.run(
        [*tree, *edges], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    assert listed == {tuple(line.replace(" v", " ").split()[:2]) for line in told.splitlines()}
    assert {"listed", "tiny_http", "mimalloc"} <= {name for name, _ in listed}
