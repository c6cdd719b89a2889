"""The base images that emitted Dockerfiles name: the official ones, or stand-ins of the same names.

Where an image can be pulled it is, also in the place of a stand-in. Where it cannot, one is made
from Debian's packages, as the Dockerfile here tells. A stand-in is labelled with a digest of all
that it was made of, so that the next run finds it again.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from extensions.pins import versions
from extensions.registry import images
from hooks.engine import Engine
from hooks.processes import run

FOLDER = Path(__file__).resolve().parent
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LABEL = "rust-service-template.stand-in"
FRONTEND = "docker/dockerfile:1"

DEBIAN = versions()["debian"]
# The last stages of the Dockerfile here, and the images they stand in for.
IMAGES = images()


class CannotMake(Exception):
    """A stand-in cannot be made here; the message says why."""


@dataclass(frozen=True)
class Provided:
    """What the engine has now."""

    engine: Engine
    official: tuple[str, ...]
    stand_ins: tuple[str, ...]
    frontend: bool

    def __str__(self) -> str:
        """Say which engine and which images gave the results of this session."""
        parts = [str(self.engine)]
        if self.official:
            parts.append(f"official images {', '.join(self.official)}")
        if self.stand_ins:
            parts.append(f"stand-ins for {', '.join(self.stand_ins)}")
        if self.frontend:
            parts.append(f"Dockerfile frontend {FRONTEND}")
        else:
            parts.append("the engine's own Dockerfile frontend, without the `# syntax` line")
        return "; ".join(parts)


def provide(engine: Engine) -> Provided:
    """Make sure that the engine has every base image.

    Raises:
        CannotMake: An image can neither be pulled nor made here.
    """
    digest = _digest()
    labels = {image: _label(engine, image) for image in IMAGES.values()}
    wanted = [FRONTEND, *(image for image, label in labels.items() if label != "")]
    # All at once: an engine waits 15 s for a registry that does not answer, and then once.
    with ThreadPoolExecutor(len(wanted)) as pool:
        pulled = dict(zip(wanted, pool.map(partial(pull, engine), wanted), strict=True))
    official = [image for image in labels if pulled.get(image, True)]
    stand_ins = [image for image in labels if image not in official]
    missing = [
        stage for stage, image in IMAGES.items() if image in stand_ins and labels[image] != digest
    ]
    if missing:
        _make(engine, missing, digest)
    return Provided(engine, tuple(official), tuple(stand_ins), pulled[FRONTEND])


def _label(engine: Engine, image: str) -> str | None:
    """Return the digest a stand-in was made with, "" for another image, None for no image."""
    form = f'{{{{ index .Config.Labels "{LABEL}" }}}}'
    answer = run(engine.client, "image", "inspect", "--format", form, image)
    return None if answer.returncode else answer.stdout.strip()


def pull(engine: Engine, image: str) -> bool:
    """Tell whether an image could be pulled."""
    return run(engine.client, "pull", "--quiet", image).returncode == 0


def _digest() -> str:
    digest = hashlib.sha256()
    for path in [*sorted(FOLDER.rglob("*")), CERTIFICATES]:
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(f"{DEBIAN} {distribution('ziglang').version}".encode())
    return digest.hexdigest()[:16]


def _make(engine: Engine, stages: list[str], digest: str) -> None:
    if platform.machine() != "x86_64":
        raise CannotMake(f"stand-ins are made on x86_64 alone, not on {platform.machine()}")
    if shutil.which("mmdebstrap") is None:
        raise CannotMake("mmdebstrap is not installed; apt-get install mmdebstrap")
    print("\nMaking stand-in base images", file=sys.stderr)
    with TemporaryDirectory() as temporary:
        context = Path(temporary) / "context"
        shutil.copytree(FOLDER, context, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        shutil.copy(CERTIFICATES, context)
        shutil.copytree(str(distribution("ziglang").locate_file("ziglang")), context / "ziglang")
        root = Path(temporary) / "root.tar"
        debian = f"{LABEL}:{DEBIAN}"
        label = f"LABEL {LABEL}={digest}"
        _do("mmdebstrap", "--quiet", "--variant=minbase", DEBIAN, str(root))
        names = [IMAGES["debian"]] if "debian" in stages else []
        for name in [debian, *names]:
            _do(engine.client, "import", "--change", label, str(root), name)
        for stage in stages:
            if stage != "debian":
                _build(engine, context, stage, debian, f"{LABEL}={digest}")


def _build(engine: Engine, context: Path, stage: str, debian: str, label: str) -> None:
    arguments = ["--build-arg", f"DEBIAN={debian}", "--target", stage, "--label", label]
    _do(engine.client, "build", *arguments, "--tag", IMAGES[stage], str(context))


def _do(*command: str) -> None:
    process = subprocess.run(
        ["env", "DOCKER_BUILDKIT=1", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if process.returncode:
        raise CannotMake(f"{' '.join(command)} ended with {process.returncode}:\n{process.stdout}")
