"""Every variant as an image: built, started as a platform team would, asked, and stopped."""

import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from extensions.images import CA_BUNDLE
from hooks.toolchain import numbers
from lab.containers import Built, Docker, elf, newest_symbol
from lab.rendering import render_service
from lab.stand_ins import IMAGES, PUBLISHED
from tests import slow_route
from tests.answers import FRAMEWORKS, RUNTIMES
from tests.conftest import REPORT, Copy

# What the source document expects of an image, in MB; ours must be below the first figure.
EXPECTED = {"scratch": (5, 15), "distroless": (8, 18), "alpine": (12, 25), "debian": (20, 40)}


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
    render_service(
        template, folder / name, service_name=name, framework=framework, runtime=runtime, port=3000
    )
    slow_route.add(folder / name, framework)
    built = docker.build(folder / name)
    binary = docker.file(built.image, f"/usr/local/bin/{name}", folder / "binary")
    base = 0 if runtime == "scratch" else docker.inspect(IMAGES[runtime])["Size"]
    added = docker.inspect(built.image)["Size"] - base
    yield Image(framework, runtime, name, 3000, built, folder / name, binary, added)
    docker("image", "rm", "--force", built.image)


def test_it_answers_locked_down_and_stops(image: Image, docker: Docker) -> None:
    with docker.started(image.built.image, image.port) as container:
        assert container.get("/health") == (200, "OK")
        status = container.process()
        assert status["Name"] == image.name[:15]
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65532"}
        assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        # The engine kills what still runs after 2 s, and the exit code would be 137.
        docker("stop", "--time=2", container.name)
        assert container.exit_code() == 0
        lines = docker("logs", container.name).splitlines()
        assert lines == [f"{image.name} listening on http://0.0.0.0:{image.port}"]


def test_it_holds_no_huge_pages(image: Image, docker: Docker) -> None:
    variables = docker.inspect(image.built.image)["Config"]["Env"] or []
    assert ("MIMALLOC_ALLOW_THP=0" in variables) == (image.runtime != "debian")
    with docker.started(image.built.image, image.port) as container:
        assert container.get("/health") == (200, "OK")
        # What glibc's allocator gets is the kernel's choice.
        assert image.runtime == "debian" or container.huge_pages() == 0


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
    assert list(config["ExposedPorts"]) == [f"{image.port}/tcp"]


def test_the_binary_is_static_or_as_old_as_its_base(
    image: Image, docker: Docker, tmp_path: Path
) -> None:
    described = elf(image.binary)
    if image.runtime != "debian":
        assert "INTERP" not in described
        assert "NEEDED" not in described
        return
    assert "INTERP" in described
    versions = []
    for base in (IMAGES["builder-glibc"], IMAGES["debian"]):
        printed = docker("run", "--rm", "--entrypoint=ldd", base, "--version")
        versions.append(numbers(printed.splitlines()[0].rpartition(" ")[2]))
    builder, runtime = versions
    assert newest_symbol(image.binary) <= builder <= runtime


def test_certificates_are_there_but_in_plain_scratch(
    image: Image, docker: Docker, tmp_path: Path
) -> None:
    if image.runtime == "scratch":
        assert paths(docker, image.built) == {f"usr/local/bin/{image.name}"}
    else:
        _assert_roots(docker.file(image.built.image, CA_BUNDLE, tmp_path / "roots"))


def test_there_is_a_shell_where_one_is_promised(image: Image, docker: Docker) -> None:
    with docker.started(image.built.image, image.port) as container:
        shell = subprocess.run(
            [docker.client, "exec", container.name, "sh", "-c", "echo $((40 + 2))"],
            stdout=subprocess.PIPE,
            check=False,
            text=True,
        )
    if image.runtime in {"alpine", "debian"}:
        assert shell.stdout == "42\n"
    else:
        assert shell.returncode == 126  # the engine finds no such program
        assert "executable file not found" in shell.stdout


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
    low, high = EXPECTED[image.runtime]
    size = image.added / 1e6 + PUBLISHED[image.runtime]
    pytestconfig.stash[REPORT].append(
        f"image size: {image.framework:<6}  {image.runtime:<10}  "
        f"{image.added / 1e6:.2f} MB of ours, {size:5.2f} MB with its base as published; "
        f"the source document: {low}-{high} MB"
    )
    shipped = [image.binary]
    if image.runtime == "debian":
        # This base alone is larger than the document expects of the whole image.
        shipped.append(docker.file(image.built.image, CA_BUNDLE, tmp_path / "roots"))
        size = image.added / 1e6
    assert size < low
    assert image.added == sum(file.stat().st_size for file in shipped)


def test_an_edit_compiles_one_crate_and_is_in_the_next_image(image: Image, docker: Docker) -> None:
    edited = image.folder.with_name("edited")
    shutil.copytree(image.folder, edited)
    routes = edited / "src" / "routes.rs"
    routes.write_text(routes.read_text().replace('"OK"', '"Edited"'))
    built = docker.build(edited)
    # The variants on musl share their builder, so that for most there is nothing left to compile.
    assert built.compiled in ([], [image.name])
    with docker.started(built.image, image.port) as container:
        assert container.get("/health") == (200, "Edited")
    docker("image", "rm", "--force", built.image)
