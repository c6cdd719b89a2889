"""The base images that our Dockerfiles and the peers' name: the same ones for all."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.containers import Docker
from lab.stand_ins import IMAGES, LABEL, pull

FOLDER = Path(__file__).resolve().parent / "peer_stand_ins"
CARGO_CHEF = "lukemathwalker/cargo-chef:latest-rust-1"


def provide(docker: Docker, *stages: str) -> dict[str, str]:
    """Make sure that the engine has what the peers build on.

    Args:
        docker: The engine, with the base images of the tests.
        stages: Which images are needed beside those of the tests.

    Returns:
        An image for each name in braces in the Dockerfiles of `peers/`.
    """
    names = dict(IMAGES)
    arguments = [
        f"--build-arg={base.replace('-', '_').upper()}={image}" for base, image in IMAGES.items()
    ]
    with TemporaryDirectory() as name:
        context = Path(name) / "context"
        shutil.copytree(FOLDER, context)
        for stage in stages:
            if stage == "cargo-chef" and pull(docker.provided.engine, CARGO_CHEF):
                names[stage] = CARGO_CHEF
            elif IMAGES.get(stage) in (None, *docker.provided.stand_ins):
                names[stage] = f"{LABEL}.peer:{stage}"
                docker.build(context, f"--target={stage}", f"--tag={names[stage]}", *arguments)
    return names


def warm(docker: Docker, names: Iterable[str]) -> None:
    """Read what images hold, so that the first build does not wait for the disk."""
    read = "find /usr -xdev -type f -size +1M -exec cat {} + | cksum"
    for name in names:
        docker("run", "--rm", "--entrypoint=sh", name, "-c", read)
