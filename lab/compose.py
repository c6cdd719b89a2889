"""What the compose file of a service needs: the image of its proxy, and a tool that reads it."""

import shutil
import subprocess
from pathlib import Path

from extensions.pins import versions
from lab.containers import Docker
from lab.stand_ins import IMAGES, LABEL, pull

FOLDER = Path(__file__).resolve().parent / "compose_stand_ins"
PROXY = str(versions()["images"]["haproxy"])


def provide_proxy(docker: Docker) -> str:
    """Make sure that the engine has the image of the proxy, and say which one it is."""
    if pull(docker.provided.engine, PROXY):
        return f"official image {PROXY}"
    built = _build(docker, "haproxy", PROXY)
    version = docker("run", "--rm", built, "haproxy", "-v").split()[2]
    return f"HAProxy {version} of Debian for {PROXY}"


def provide_plugin(docker: Docker, configuration: Path) -> None:
    """Make sure that the client has Compose v2, which is a plugin of it.

    Args:
        docker: The client.
        configuration: A folder to be given to the client as `DOCKER_CONFIG`; the plugin is put
            there if the machine has none.
    """
    plugins = configuration / "cli-plugins"
    plugins.mkdir(parents=True)
    found = subprocess.run(
        [docker.client, "--config", configuration, "compose", "version"],
        capture_output=True,
        check=False,
    )
    if found.returncode:
        image = _build(docker, "compose", f"{LABEL}.compose")
        docker.file(image, "/docker-compose", plugins / "docker-compose").chmod(0o755)


def old_tool() -> str | None:
    """Return Compose v1, a program of its own, if the machine has it."""
    program = shutil.which("docker-compose")
    if program is None:
        return None
    command = [program, "version", "--short"]
    version = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    return program if version.startswith("1.") else None


def _build(docker: Docker, stage: str, name: str) -> str:
    debian = f"--build-arg=DEBIAN={IMAGES['debian']}"
    return docker.build(FOLDER, f"--target={stage}", f"--tag={name}", debian).image
