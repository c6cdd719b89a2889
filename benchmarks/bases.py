"""The base images that our Dockerfiles and the peers' name: the same ones for all."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.containers import Docker
from tests.stand_ins import IMAGES, LABEL, Provided

FOLDER = Path(__file__).resolve().parent / "stand_ins"
# The stages of the Dockerfile there that only stand-ins need.
ADDED = ("rust-alpine", "alpine")


def provide(provided: Provided, stages: tuple[str, ...]) -> dict[str, str]:
    """Make sure that the engine has what the peers build on.

    Args:
        provided: The base images of the tests.
        stages: Which of `rust-alpine`, `alpine` and `cargo-chef` are wanted beside those.

    Returns:
        An image for each name in braces in the Dockerfiles of `peers/`.
    """
    docker = Docker(provided)
    names = dict(IMAGES)
    needed = [
        stage for stage in stages if stage not in ADDED or IMAGES[stage] in provided.stand_ins
    ]
    arguments = [
        f"--build-arg={stage.replace('-', '_').upper()}={image}" for stage, image in IMAGES.items()
    ]
    with TemporaryDirectory() as name:
        context = Path(name) / "context"
        shutil.copytree(FOLDER, context)
        for stage in needed:
            print(f"benchmarks: the base image {stage} of the peers", file=sys.stderr)
            names[stage] = f"{LABEL}.peer:{stage}"
            docker.build(context, f"--target={stage}", f"--tag={names[stage]}", *arguments)
    return names
