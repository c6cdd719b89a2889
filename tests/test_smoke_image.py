"""`smoke=image` as Copier runs it: what it proves, and what it leaves when it is stopped."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from lab.containers import Docker
from lab.rendering import COPIER
from tests.test_smoke import arguments, assert_failed, copy, wait_until_gone, without_rust

# One that builds in seconds, whose dependencies may be built already.
SERVICE = {"service_name": "tiny-probe", "framework": "tiny", "port": "3000"}


@pytest.fixture
def leftovers(docker: Docker) -> Iterator[None]:
    """Make sure that a test leaves no image and no container."""
    yield
    assert smoked(docker) == []


def smoked(docker: Docker) -> list[str]:
    """Return the names of the containers and images that smoke builds have left."""
    containers = docker("ps", "--all", "--format", "{{.Names}}").splitlines()
    images = docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return [name for name in [*containers, *images] if "-smoke-" in name]


@pytest.mark.parametrize("runtime", ["scratch", "debian"])
def test_an_image_is_proven_without_rust_on_the_host(
    runtime: str,
    docker: Docker,
    toys: Path,
    logs: Path,
    leftovers: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in (shutil.which("git"), docker.client):
        assert program
        (programs / Path(program).name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))

    ended = copy(toys, tmp_path / "x", **SERVICE, runtime=runtime, smoke="image")
    assert ended.returncode == 0, ended.stderr
    table = ended.stdout[ended.stdout.index("x is proven:") :].strip().splitlines()
    steps = [re.split(r"  +", line.strip()) for line in table[1:]]
    assert [step[0] for step in steps] == [
        "docker build",
        "docker run",
        "GET /health",
        "docker stop",
    ]
    assert all(re.fullmatch(r"[0-9]+\.[0-9]{2} s", step[1]) for step in steps)
    build, *others = [step[2] for step in steps]
    assert re.fullmatch(r"[0-9.]+ MB, [0-9] layers?, user 65532:65532", build)
    assert others == ["healthy", "200 OK 'OK'", "exit 0"]
    assert f"smoke: {docker.provided.engine.client}" not in ended.stderr
    assert "smoke: docker " in ended.stderr
    assert "FROM docker.io/" in ended.stderr  # the progress of BuildKit
    assert list(logs.glob("smoke-*")) == []


def test_what_is_asked_to_stay_stays(
    docker: Docker, toys: Path, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOKE_KEEP", "1")
    ended = copy(toys, tmp_path / "x", **SERVICE, smoke="image")
    assert ended.returncode == 0, ended.stderr
    kept = re.search(r"smoke: image and container (\S+) were kept", ended.stderr)
    assert kept
    name = kept[1]
    assert sorted(smoked(docker)) == [name, f"{name}:latest"]
    configuration = docker.inspect(name)["HostConfig"]
    assert configuration["ReadonlyRootfs"] is True
    assert configuration["CapDrop"] == ["ALL"]
    assert configuration["SecurityOpt"] == ["no-new-privileges"]
    docker("rm", "--force", name)
    docker("image", "rm", name)


def test_an_image_that_does_not_build(
    docker: Docker, broken: Path, logs: Path, leftovers: None, tmp_path: Path
) -> None:
    with (broken / "frameworks" / "tiny" / "src" / "routes.rs").open("a") as routes:
        routes.write("fn broken( {}\n")
    ended = copy(broken, tmp_path / "x", **SERVICE, smoke="image")
    assert_failed(ended, tmp_path / "x", logs)
    assert "smoke: docker build ended with 1; the last lines were:" in ended.stderr
    assert "could not compile `tiny-probe`" in ended.stderr


def test_an_image_that_ends_at_once(
    docker: Docker, broken: Path, logs: Path, leftovers: None, tmp_path: Path
) -> None:
    service = broken / "template" / "Dockerfile.jinja"
    entry = 'ENTRYPOINT ["/usr/local/bin/{{ service_name }}"'
    text = service.read_text()
    assert entry in text
    service.write_text(text.replace(entry, f'{entry}, "dance"'))
    ended = copy(broken, tmp_path / "x", **SERVICE, smoke="image")
    assert_failed(ended, tmp_path / "x", logs)
    assert (
        "smoke: docker run: it ended with exit 1: tiny-probe: "
        'unknown command "dance", expected healthcheck or none'
    ) in ended.stderr


def test_an_image_that_wants_to_write(
    docker: Docker, broken: Path, logs: Path, leftovers: None, tmp_path: Path
) -> None:
    main = broken / "frameworks" / "tiny" / "src" / "main.rs"
    text = main.read_text()
    start = "    command::run("
    assert start in text
    main.write_text(
        text.replace(start, '    std::fs::write("/tmp-file", "x").expect("to write");\n' + start)
    )
    ended = copy(broken, tmp_path / "x", **SERVICE, smoke="image")
    assert_failed(ended, tmp_path / "x", logs)
    assert re.search(r"smoke: docker run: it ended with exit 1[0-9]*: ", ended.stderr)


def _engine_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    return "the container engine does not answer: "


def _no_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    without_rust(monkeypatch, tmp_path)
    return "docker is not installed; https://docs.docker.com/engine/install/ says how"


@pytest.mark.parametrize("machine", [_engine_down, _no_client])
def test_without_an_engine_it_is_refused_before_the_first_file(
    machine: object,
    docker: Docker,
    toys: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert callable(machine)
    reason = machine(monkeypatch, tmp_path)
    ended = copy(toys, tmp_path / "x", smoke="image")
    assert ended.returncode == 1
    assert f"smoke: image cannot run here: {reason}" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "x").exists()


def test_without_the_token_it_is_refused_before_the_first_file(toys: Path, tmp_path: Path) -> None:
    index = "sparse+https://cargo.example.com/index/"
    ended = copy(
        toys, tmp_path / "x", cargo_registry="acme", cargo_registry_index=index, smoke="image"
    )
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert "smoke: image needs the token of cargo_registry in CARGO_REGISTRIES_ACME_TOKEN" in last
    assert not (tmp_path / "x").exists()


def test_ctrl_c_stops_the_build_and_leaves_nothing(
    docker: Docker, toys: Path, logs: Path, leftovers: None, tmp_path: Path
) -> None:
    folder = tmp_path / "x"
    # Nobody has built a service of this name.
    given = arguments(toys, folder, service_name="stopped-soon", smoke="image")
    terminal = pexpect.spawn(COPIER, given, encoding="utf-8", dimensions=(40, 120), timeout=120)
    terminal.expect("smoke: docker build")
    terminal.expect("Compiling")
    terminal.sendintr()
    terminal.expect("smoke: stopped by SIG(INT|TERM)")
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 1
    assert not folder.exists()
    assert list(logs.glob("smoke-*")) == []
    wait_until_gone(folder)


def test_a_terminated_copier_takes_its_container_along(
    docker: Docker,
    toys: Path,
    logs: Path,
    leftovers: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An engine under load starts a container when the client that asked may be gone already.
    asked, started = tmp_path / "asked", tmp_path / "started"
    slow = executable(
        tmp_path / "bin" / "docker",
        f'[ "$1" = run ] || exec {docker.client} "$@"\ntouch {asked}\n'
        f'setsid sh -c \'sleep 1; {docker.client} "$@"; touch {started}\' docker "$@" &\n'
        "wait\n",
    )
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    folder = tmp_path / "x"
    with subprocess.Popen(
        [COPIER, *arguments(toys, folder, **SERVICE, smoke="image")],
        stderr=subprocess.PIPE,
        text=True,
    ) as copier:
        assert copier.stderr
        lines = iter(copier.stderr)
        assert any("smoke: docker run" in line for line in lines)
        while not asked.exists():
            assert copier.poll() is None
            time.sleep(0.01)
        copier.send_signal(signal.SIGTERM)
        rest = "".join(lines)
        assert copier.wait() == 1
    assert "smoke: stopped by SIGTERM" in rest
    assert "Traceback" not in rest
    assert not folder.exists()
    assert started.exists()


def executable(path: Path, script: str) -> Path:
    """Write a shell script that can be run, and return where it is."""
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return path
