"""The compose file of a service: brought up, asked, replaced under load, and brought down."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab import compose
from lab.containers import WITHOUT_LTO, Container, Docker
from lab.load import under_load
from lab.rendering import render_service
from lab.servers import free_port
from tests import slow_route
from tests.answers import REGISTRIES
from tests.conftest import REPORT, Copy, need

# With these answers tests/test_images.py builds the same image, which is compiled once.
ANSWERS = {"service_name": "actix-probe", "framework": "actix", "runtime": "scratch", "port": 3000}
NAME = "actix-probe"
PROJECT = "label=com.docker.compose.project=stack"
REPLACE = "deploy/compose/replace.sh"
TOOLS = ("docker compose", "docker-compose")
# The script goes the same way with both tools once it has started new replicas.
new_tool = pytest.mark.parametrize("stack", TOOLS[:1], indirect=True)


@dataclass
class Stack:
    """A service with its proxy, as one tool brings it up."""

    docker: Docker
    tool: str
    folder: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command line as its owner types it; an old tool has a name with a dash."""
        return subprocess.Popen(
            ["sh", "-c", f"exec {command.replace('docker compose', self.tool)}"],
            cwd=self.folder,
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str, **environment: str) -> str:
        """Run a command line that succeeds, and return what it printed."""
        code, printed = self.end(self.start(command, **environment))
        assert code == 0, printed
        return printed

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        printed, _ = process.communicate(timeout=300)
        return process.returncode, printed

    def containers(self, service: str) -> set[str]:
        label = f"label=com.docker.compose.service={service}"
        found = self.docker("ps", "-aq", "--no-trunc", f"--filter={PROJECT}", f"--filter={label}")
        return set(found.split())

    def edit(self, was: str, now: str) -> None:
        routes = self.folder / "src" / "routes.rs"
        text = routes.read_text()
        assert f'"{was}"' in text
        routes.write_text(text.replace(f'"{was}"', f'"{now}"'))

    @contextmanager
    def another_image(self) -> Iterator[None]:
        """Let the block build another image of the service, which is gone afterwards."""
        served = self.docker.inspect(NAME)["Id"]
        try:
            yield
        finally:
            built = self.docker.inspect(NAME)["Id"]
            self.docker("tag", served, NAME)
            if built != served:
                self.docker("image", "rm", "--force", built)

    def wait_until_ready(self) -> None:
        (proxy,) = self.containers("proxy")
        Container(self.docker, proxy, self.port).wait_until_healthy()


@pytest.fixture(scope="module", params=TOOLS)
def stack(
    request: pytest.FixtureRequest,
    docker: Docker,
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Return a service with a slow route, brought up by the commands of its README."""
    temporary = tmp_path_factory.mktemp("compose")
    programs = temporary / "bin"
    programs.mkdir()
    if request.param == TOOLS[0]:
        (programs / "docker").symlink_to(docker.client)
        compose.provide_plugin(docker, temporary / "config")
        configuration = {"DOCKER_CONFIG": str(temporary / "config")}
    else:
        if compose.old_tool() is None:
            pytest.skip("newer systems have Compose 2 alone")
        refusing = f'#!/bin/sh\n[ "$1" != compose ] && exec {docker.client} "$@"\n'
        (programs / "docker").write_text(refusing)
        (programs / "docker").chmod(0o755)
        configuration = {}
    proxy = compose.provide_proxy(docker)
    stack = Stack(docker, request.param, temporary / "stack", free_port())
    render_service(template, stack.folder, **ANSWERS)
    slow_route.add(stack.folder, "actix")
    dockerfile = stack.folder / "Dockerfile"
    dockerfile.write_text(docker.readable(dockerfile.read_text()))
    # The tests share the machine with who works on it.
    file = stack.folder / "compose.yaml"
    assert '"3000:3000"' in file.read_text()
    file.write_text(file.read_text().replace('"3000:', f'"127.0.0.1:{stack.port}:'))
    stack.environment = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "DOCKER_BUILDKIT": "1",
        **configuration,
    }
    version = stack.run("docker compose version").splitlines()[0]
    request.config.stash[REPORT].append(f"compose: {version} with {proxy}")
    try:
        stack.run("docker compose up --build --detach")
        stack.wait_until_ready()
        yield stack
    finally:
        stack.run("docker compose down")
        docker("image", "rm", "--force", NAME)


def test_two_replicas_are_locked_down_behind_a_proxy_that_is_too(
    stack: Stack, docker: Docker
) -> None:
    replicas, proxies = stack.containers("service"), stack.containers("proxy")
    assert (len(replicas), len(proxies)) == (2, 1)
    for container in replicas | proxies:
        found = docker.inspect(container)
        host, config = found["HostConfig"], found["Config"]
        assert host["ReadonlyRootfs"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["CapDrop"] == ["ALL"]
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
        assert host["NanoCpus"] == 10**9
        assert 0 < host["Memory"] <= 256 * 2**20
        assert 0 < host["PidsLimit"] <= 64
        assert config["Healthcheck"]["Test"][0] == "CMD"
        process = Container(docker, container, 3000).process()
        assert (int(process["CapBnd"], 16), process["NoNewPrivs"]) == (0, "1")
        assert "0" not in process["Uid"].split()
        published = [port for port in found["NetworkSettings"]["Ports"].values() if port]
        assert len(published) == (container in proxies)
    for container in replicas:
        config = docker.inspect(container)["Config"]
        assert config["StopTimeout"] == 15
        assert config["Healthcheck"]["Test"][-1] == "healthcheck"


def test_it_is_replaced_and_no_request_fails(stack: Stack, docker: Docker) -> None:
    old, image = stack.containers("service"), docker.inspect(NAME)["Id"]
    stack.edit("OK", "newer")
    stack.run("docker compose build")
    with under_load(stack.port, "/health", "/slow") as load:
        printed = stack.run(REPLACE)
    assert printed.splitlines()[-1] == "replace: done: 2 new serve"
    assert load.failures == []
    assert load.answers.keys() == {"OK", "newer", "finished"}
    replicas = stack.containers("service")
    assert len(replicas) == 2
    assert not replicas & old
    docker("image", "rm", image)
    with under_load(stack.port, "/health") as load:
        # It says so, changes nothing, and removes nothing that serves.
        stack.run("docker compose up --detach")
    assert load.failures == []
    assert load.answers.keys() == {"newer"}
    assert stack.containers("service") == replicas


def ends_at_once(stack: Stack, folder: Path) -> None:
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {NAME}\nENV LISTEN_ADDRESS=nowhere\n")
    stack.docker.build(folder, f"--tag={NAME}")


def is_never_ready(stack: Stack, render_tiny: Copy) -> None:
    """Build the toy, which answers on /health alone."""
    stack.docker.build(render_tiny(service_name=NAME, port=3000), WITHOUT_LTO, f"--tag={NAME}")


@new_tool
@pytest.mark.parametrize("fault", ["it ends at once", "it is never ready"])
def test_an_image_that_does_not_serve_replaces_nothing(
    fault: str, stack: Stack, render_tiny: Copy, tmp_path: Path
) -> None:
    replicas = stack.containers("service")
    with stack.another_image():
        if fault == "it ends at once":
            ends_at_once(stack, tmp_path / "image")
        else:
            is_never_ready(stack, render_tiny)
        with under_load(stack.port, "/health", "/slow") as load:
            code, printed = stack.end(stack.start(REPLACE, READY_SECONDS="4"))
    assert code == 1, printed
    last = "replace: the new ones were not ready in 4 s and go, the old ones stay; one says: "
    assert printed.splitlines()[-1].startswith(last)
    assert load.failures == []
    assert load.answers.keys() == {"newer", "finished"}
    assert stack.containers("service") == replicas


@new_tool
def test_a_replacement_that_is_interrupted_leaves_the_old_ones(
    stack: Stack, tmp_path: Path
) -> None:
    replicas = stack.containers("service")
    with stack.another_image():
        ends_at_once(stack, tmp_path / "image")
        process = stack.start(REPLACE)
        assert process.stdout
        for line in process.stdout:
            if "0 of 2 healthy" in line:
                break
        code, printed = stack.end(stack.start(REPLACE))
        assert code == 1
        assert printed.startswith("replace: another one is at work")
        process.terminate()  # a shell cannot trap SIGINT where the caller ignores it
        code, _ = stack.end(process)
    assert code == 130
    assert stack.containers("service") == replicas


def test_nothing_is_left_of_it(stack: Stack, docker: Docker) -> None:
    stack.run("docker compose down")
    assert docker("ps", "--all", "--quiet", f"--filter={PROJECT}") == ""
    assert docker("network", "ls", "--quiet", f"--filter={PROJECT}") == ""
    code, printed = stack.end(stack.start(REPLACE))
    assert (code, printed) == (1, "replace: nothing runs here; docker compose up brings it up\n")


@pytest.mark.parametrize(
    ("answers", "built"),
    [
        ({}, True),
        ({"observability": ["metrics"]}, True),
        ({"observability": ["traces"]}, True),
        (REGISTRIES, False),
    ],
    ids=["nothing", "metrics", "traces", "registries"],
)
def test_the_file_is_what_the_specification_says(
    answers: dict[str, Any], built: bool, render: Copy
) -> None:
    folder = render(**answers)
    check = Path(sys.executable).with_name("check-jsonschema")
    options = ("--quiet", "--builtin-schema=vendor.compose-spec")
    subprocess.run([check, *options, folder / "compose.yaml"], check=True)
    text = (folder / "compose.yaml").read_text()
    # Compose 1 lends no secrets to a build.
    assert ("build: ." in text) == built


def test_the_script_is_clean_and_can_be_run(render: Copy) -> None:
    script = render() / REPLACE
    assert os.access(script, os.X_OK)
    need("shellcheck", "apt-get install shellcheck")
    subprocess.run(["shellcheck", "--norc", script], check=True)
