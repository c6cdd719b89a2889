"""Every variant as an image: built, started as a platform team would, asked, and stopped."""

import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from extensions.images import CA_BUNDLE
from extensions.registry import Runtime, runtimes
from extensions.rules import OBSERVABILITY
from hooks.toolchain import numbers
from lab.containers import WITHOUT_LTO, Built, Container, Docker, elf, newest_symbol
from lab.rendering import render_service
from lab.stand_ins import IMAGES
from tests import slow_route
from tests.answers import FRAMEWORKS, RUNTIMES
from tests.conftest import REPORT, Copy

# The least that the source document expects of an image, in MB with its base; ours must be below.
EXPECTED = {"scratch": 5, "distroless": 8, "alpine": 12, "debian": 20}
BUILDER = "\nWORKDIR /app\n"
HASTY = f"\nENV CARGO_PROFILE_RELEASE_OPT_LEVEL=0{BUILDER}"


@dataclass(frozen=True)
class Image:
    framework: str
    runtime: str
    name: str
    port: int
    built: Built
    folder: Path
    binary: Path
    added: int

    @property
    def base(self) -> Runtime:
        return runtimes()[self.runtime]


@pytest.fixture(scope="module", params=[(f, r) for f in FRAMEWORKS for r in RUNTIMES], ids=str)
def image(
    request: pytest.FixtureRequest,
    docker: Docker,
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Image]:
    """Return the image of a service whose owner has added a slow route."""
    framework, runtime = request.param
    folder = tmp_path_factory.mktemp(f"{framework}-{runtime}")
    name = f"{framework}-probe"
    answers = {"framework": framework, "runtime": runtime, "port": 3000}
    if runtimes()[runtime].libc == "musl":
        render_service(template, folder / name, service_name=name, **answers)
        slow_route.add(folder / name, framework)
        built = docker.build(folder / name)
    else:
        # Where no size is promised, the compiler need not do its best, and has all options to do.
        told = {"profile": "speed", "observability": list(OBSERVABILITY)}
        render_service(template, folder / name, service_name=name, **told, **answers)
        slow_route.add(folder / name, framework)
        dockerfile = (folder / name / "Dockerfile").read_text().replace(BUILDER, HASTY)
        assert HASTY in dockerfile
        built = docker.build(folder / name, WITHOUT_LTO, dockerfile=dockerfile)
    binary = docker.file(built.image, f"/usr/local/bin/{name}", folder / "binary")
    base = docker.inspect(IMAGES[runtime])["Size"] if runtime in IMAGES else 0
    added = docker.inspect(built.image)["Size"] - base
    yield Image(framework, runtime, name, 3000, built, folder / name, binary, added)
    docker("image", "rm", "--force", built.image)


@pytest.fixture(scope="module")
def container(image: Image, docker: Docker) -> Iterator[Container]:
    """Return a container of the image; the last test that has it stops it."""
    with docker.started(image.built.image, image.port, "--publish=127.0.0.1::9090") as running:
        yield running


def test_it_holds_no_huge_pages(image: Image, container: Container, docker: Docker) -> None:
    variables = docker.inspect(image.built.image)["Config"]["Env"] or []
    assert ("MIMALLOC_ALLOW_THP=0" in variables) == (image.base.libc == "musl")
    assert container.get("/health") == (200, "OK")
    # What glibc's allocator gets is the kernel's choice.
    assert image.base.libc == "glibc" or container.huge_pages() == 0


def test_there_is_a_shell_where_one_is_promised(
    image: Image, container: Container, docker: Docker
) -> None:
    shell = subprocess.run(
        [docker.client, "exec", container.name, "sh", "-c", "echo $((40 + 2))"],
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if image.base.shell:
        assert shell.stdout == "42\n"
    else:
        assert shell.returncode == 126  # the engine finds no such program
        assert "executable file not found" in shell.stdout


def test_it_answers_locked_down_and_stops(
    image: Image, container: Container, docker: Docker
) -> None:
    assert container.get("/health") == (200, "OK")
    process = container.process()
    assert process["Name"] == image.name[:15]
    assert set(process["Uid"].split()) == set(process["Gid"].split()) == {"65532"}
    assert int(process["CapBnd"], 16) == int(process["CapEff"], 16) == 0
    assert process["NoNewPrivs"] == "1"
    tells = image.base.libc == "glibc"
    if tells:
        status, metrics = container.get("/metrics", 9090)
        assert status == 200
        assert 'http_server_requests_total{method="GET",route="/health",status="200"}' in metrics
    # The engine kills what still runs after 2 s, and the exit code would be 137.
    docker("stop", "--time=2", container.name)
    assert container.exit_code() == 0
    lines = docker("logs", container.name).splitlines()
    start = f"{image.name} listening on http://0.0.0.0:{image.port}"
    if tells:
        assert any(re.fullmatch(rf"\S+ INFO  \S+: {start}", line) for line in lines)
    else:
        assert lines == [start]


def test_sigterm_finishes_a_request_in_flight(image: Image, docker: Docker) -> None:
    answers: list[tuple[int, str]] = []
    with docker.started(image.built.image, image.port) as container:
        client = threading.Thread(target=lambda: answers.append(container.get("/slow")))
        client.start()
        time.sleep(0.7)  # the request takes 2 s
        docker("stop", container.name)
        client.join()
        assert container.exit_code() == 0
    assert answers == [(200, "finished")]


def test_the_user_is_numeric_and_the_entry_point_needs_no_shell(
    image: Image, docker: Docker
) -> None:
    config = docker.inspect(image.built.image)["Config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == [f"/usr/local/bin/{image.name}"]
    assert config["Healthcheck"]["Test"] == ["CMD", f"/usr/local/bin/{image.name}", "healthcheck"]
    metrics = ["9090/tcp"] if image.base.libc == "glibc" else []
    assert list(config["ExposedPorts"]) == [f"{image.port}/tcp", *metrics]


def test_labels_say_what_it_was_built_from(docker: Docker, render_tiny: Copy) -> None:
    told = {
        "SOURCE": "https://git.example.com/orders",
        "REVISION": "0f1e2d3c",
        "VERSION": '1.2.3 "quoted" $HOME',
        "CREATED": "2026-11-27T12:00:00Z",
    }
    options = [f"--build-arg={name}={value}" for name, value in told.items()]
    built = docker.build(render_tiny(), WITHOUT_LTO, *options)
    labels = docker.inspect(built.image)["Config"]["Labels"]
    found = {name: labels[f"org.opencontainers.image.{name.lower()}"] for name in told}
    docker("image", "rm", "--force", built.image)
    assert found == told


def test_a_slow_start_is_not_unhealthy(docker: Docker, render_tiny: Copy) -> None:
    folder = render_tiny()
    main = folder / "src" / "main.rs"
    start, slow = "fn serve(address", "std::thread::sleep(std::time::Duration::from_secs(6));"
    before, found, after = main.read_text().partition(start)
    line, brace, rest = after.partition("{\n")
    assert found
    main.write_text(f"{before}{start}{line}{brace}    {slow}\n{rest}")
    built = docker.build(folder, WITHOUT_LTO)
    container = docker("run", "--detach", "--health-interval=1s", built.image)
    seen = set()
    try:
        while "healthy" not in seen:
            state = docker.inspect(container)["State"]
            seen.add(state["Health"]["Status"])
            failed = [each["ExitCode"] for each in state["Health"]["Log"]].count(1)
            assert state["Running"]
            time.sleep(0.2)
        assert failed >= 3  # as many as make a container unhealthy later
        assert seen == {"starting", "healthy"}
    finally:
        docker("rm", "--force", container)
        docker("image", "rm", "--force", built.image)


def test_the_binary_is_static_or_as_old_as_its_base(
    image: Image, docker: Docker, tmp_path: Path
) -> None:
    described = elf(image.binary)
    if image.base.libc == "musl":
        assert "INTERP" not in described
        assert "NEEDED" not in described
        return
    assert "INTERP" in described
    versions = []
    for base in (IMAGES["builder-glibc"], IMAGES[image.runtime]):
        printed = docker("run", "--rm", "--entrypoint=ldd", base, "--version")
        versions.append(numbers(printed.splitlines()[0].rpartition(" ")[2]))
    builder, runtime = versions
    assert newest_symbol(image.binary) <= builder <= runtime


def test_certificates_are_there_but_in_plain_scratch(
    image: Image, docker: Docker, tmp_path: Path
) -> None:
    if not image.base.certificates:
        assert paths(docker, image.built) == {f"usr/local/bin/{image.name}"}
    else:
        _assert_roots(docker.file(image.built.image, CA_BUNDLE, tmp_path / "roots"))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_scratch_carries_certificates_where_it_is_asked_to(
    framework: str, docker: Docker, render: Copy, tmp_path: Path
) -> None:
    # All but the last stages are those of the image above.
    name = f"{framework}-probe"
    folder = render(service_name=name, framework=framework, port=3000, ca_certificates=True)
    slow_route.add(folder, framework)
    built = docker.build(folder)
    assert built.compiled == []
    assert paths(docker, built) == {CA_BUNDLE[1:], f"usr/local/bin/{name}"}
    _assert_roots(docker.file(built.image, CA_BUNDLE, tmp_path / "roots"))
    docker("image", "rm", "--force", built.image)


def paths(docker: Docker, built: Built) -> set[str]:
    """Return what is in the layers of an image."""
    return {path for path, _ in docker.layers(built.image) if not path.endswith(".json")}


def _assert_roots(bundle: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    assert len(context.get_ca_certs()) > 100


def test_the_image_is_small(
    image: Image, docker: Docker, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    shipped = [image.binary]
    if image.base.libc == "glibc":
        shipped.append(docker.file(image.built.image, CA_BUNDLE, tmp_path / "roots"))
    assert image.added == sum(file.stat().st_size for file in shipped)
    if image.base.libc == "glibc":
        # Debian's base alone is more than the document expects of a whole image.
        assert image.added / 1e6 < EXPECTED[image.runtime]
        return
    size = image.added / 1e6 + image.base.megabytes
    pytestconfig.stash[REPORT].append(
        f"image size: {image.framework:<6}  {image.runtime:<10}  "
        f"{image.added / 1e6:.2f} MB of ours, {size:5.2f} MB with its base as published"
    )
    assert size < EXPECTED.get(image.runtime, size + 1)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_edit_compiles_one_crate_and_is_in_the_next_image(
    framework: str, docker: Docker, render: Copy
) -> None:
    name = f"{framework}-probe"
    folder = render(service_name=name, framework=framework, port=3000)
    slow_route.add(folder, framework)
    docker("image", "rm", "--force", docker.build(folder).image)
    # An engine that keeps its cache has seen every edit of an earlier run.
    answer = f"Edited {uuid4()}"
    routes = folder / "src" / "routes.rs"
    routes.write_text(routes.read_text().replace('"OK"', f'"{answer}"'))
    built = docker.build(folder)
    assert built.compiled == [name]
    with docker.started(built.image, 3000) as container:
        assert container.get("/health") == (200, answer)
    docker("image", "rm", "--force", built.image)
