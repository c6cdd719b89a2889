"""Images cross-compiled for another architecture, and for one that nobody asked for."""

import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from hooks import service
from lab.containers import WITHOUT_LTO, BuildFailed, Built, Docker, elf
from lab.rendering import render_service
from lab.stand_ins import IMAGES
from tests.conftest import Copy, need
from tests.owners import lock, write_answer


@pytest.fixture(scope="session")
def qemu() -> str:
    need("qemu-aarch64-static", "apt-get install qemu-user-static")
    return "qemu-aarch64-static"


def ask(program: Path) -> str:
    """Start a service, and return what its health route answers and that it stops."""
    with service.running(program) as running:
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/health") as response:
            answer: str = response.read().decode()
        service.stop(running)
    return answer


def emulated(binary: Path, qemu: str, root: Path) -> Path:
    """Return a program that runs another one on an emulated machine, with the libraries in root."""
    program = binary.with_name("emulated")
    program.write_text(f'#!/bin/sh\nexec {qemu} -L {root} {binary} "$@"\n')
    program.chmod(0o755)
    return program


@dataclass(frozen=True)
class Job:
    platform: str
    folder: Path


@pytest.fixture(scope="module")
def together(
    docker: Docker, toys: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[tuple[Job, Built]]]:
    """Build two services, one of them for two platforms, at once on an engine without a cache."""
    folder = tmp_path_factory.mktemp("together")
    for name in ("far-a", "far-b"):
        # Cargo.toml says when, so that the layers of an earlier run are no use.
        description = f"Made at {time.time()}."
        render_service(
            toys,
            folder / name,
            service_name=name,
            description=description,
            framework="tiny",
            port=3000,
        )
        routes = folder / name / "src" / "routes.rs"
        routes.write_text(routes.read_text().replace('"OK"\n', 'env!("CARGO_PKG_NAME")\n'))
    jobs = [
        Job(platform, folder / name)
        for name, platform in (
            ("far-a", "linux/amd64"),
            ("far-a", "linux/arm64"),
            ("far-b", "linux/arm64"),
        )
    ]
    docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [
            pool.submit(docker.build, job.folder, WITHOUT_LTO, f"--platform={job.platform}")
            for job in jobs
        ]
        builds = [future.result() for future in futures]
    yield list(zip(jobs, builds, strict=True))
    docker("image", "rm", "--force", *(built.image for built in builds))


def test_builds_at_once_share_no_objects(
    together: list[tuple[Job, Built]], docker: Docker, qemu: str, tmp_path: Path
) -> None:
    for job, built in together:
        name = job.folder.name
        assert built.compiled.count("libmimalloc-sys") == 1
        assert docker.inspect(built.image)["Architecture"] == job.platform.partition("/")[2]
        binary = docker.file(built.image, f"/usr/local/bin/{name}", tmp_path / name)
        described = elf(binary)
        assert ("AArch64" if job.platform == "linux/arm64" else "X86-64") in described
        assert "INTERP" not in described
        if job.platform == "linux/arm64":
            binary = emulated(binary, qemu, tmp_path)
        assert ask(binary) == name


def test_builds_at_once_leave_a_sound_registry(
    together: list[tuple[Job, Built]], docker: Docker
) -> None:
    (job, _), *_ = together
    built = docker.build(
        job.folder,
        dockerfile=(
            f"FROM {IMAGES['builder-musl']}\nENV CARGO_HOME=/var/cache/cargo\nCOPY . .\n"
            "RUN --mount=type=cache,id=cargo-registry,target=/var/cache/cargo/registry"
            " test -f /var/cache/cargo/registry/.package-cache"
            " && cargo fetch --locked --offline --target=x86_64-unknown-linux-musl"
            " && for crate in /var/cache/cargo/registry/cache/*/*.crate;"
            ' do tar -xzOf "$crate" >/dev/null || exit 1; done\n'
        ),
    )
    docker("image", "rm", "--force", built.image)


def test_arm64_on_glibc(docker: Docker, render_tiny: Copy, qemu: str, tmp_path: Path) -> None:
    folder = render_tiny(service_name="far-away", runtime="debian")
    # The builder has the libraries to run it with.
    built = docker.build(folder, WITHOUT_LTO, "--platform=linux/arm64", "--target=builder")
    binary = docker.file(built.image, "/usr/local/bin/far-away", tmp_path / "binary")
    docker.file(built.image, "/usr/aarch64-linux-gnu", tmp_path / "libraries")
    docker("image", "rm", "--force", built.image)
    described = elf(binary)
    assert "AArch64" in described
    assert "ld-linux-aarch64.so.1" in described
    assert ask(emulated(binary, qemu, tmp_path / "libraries")) == "OK"


C_CRATES = """\
aws-lc-rs = { version = "=1.19.0", default-features = false, features = ["aws-lc-sys"] }
ring = "=0.17.14"
rusqlite = { version = "=0.43.0", features = ["bundled"] }
zstd = { version = "=0.14.4", default-features = false }
"""
C_ANSWER = """{
    let digest = ring::digest::digest(&ring::digest::SHA256, b"words");
    let other = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"words");
    assert_eq!(digest.as_ref(), other.as_ref());
    let packed = zstd::encode_all(&b"words"[..], 1).unwrap();
    assert_eq!(zstd::decode_all(&packed[..]).unwrap(), b"words");
    let memory = rusqlite::Connection::open_in_memory().unwrap();
    let sum: i64 = memory.query_row("SELECT 40 + 2", [], |row| row.get(0)).unwrap();
    if sum == 42 { "42" } else { "not" }
}"""


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_c_code_that_services_take(
    platform: str, docker: Docker, render_tiny: Copy, cargo: Path, qemu: str, tmp_path: Path
) -> None:
    folder = render_tiny(service_name="with-c")
    manifest = folder / "Cargo.toml"
    dependencies = "[dependencies]\n"
    manifest.write_text(manifest.read_text().replace(dependencies, dependencies + C_CRATES))
    lock(folder, CARGO_NET_OFFLINE="false")
    write_answer(folder, C_ANSWER)
    # The compilers need not do their best.
    dockerfile = (folder / "Dockerfile").read_text()
    hasty = dockerfile.replace("\nENV ", "\nENV CARGO_PROFILE_RELEASE_OPT_LEVEL=0 ", 1)
    assert hasty != dockerfile
    built = docker.build(folder, WITHOUT_LTO, f"--platform={platform}", dockerfile=hasty)
    binary = docker.file(built.image, "/usr/local/bin/with-c", tmp_path / "binary")
    docker("image", "rm", "--force", built.image)
    assert "NEEDED" not in elf(binary)
    assert ask(binary if platform == "linux/amd64" else emulated(binary, qemu, tmp_path)) == "42"


@pytest.fixture
def with_cpp(render_tiny: Copy, cargo: Path) -> Copy:
    """Return a function that renders a service with a function in C++."""

    def copy(**answers: object) -> Path:
        folder = render_tiny(service_name="with-cpp", **answers)
        manifest = folder / "Cargo.toml"
        manifest.write_text(f'{manifest.read_text()}\n[build-dependencies]\ncc = "1"\n')
        build = (
            'fn main() {\n    cc::Build::new().cpp(true).file("length.cpp").compile("length");\n}\n'
        )
        (folder / "build.rs").write_text(build)
        function = 'extern "C" int length() { return std::string("words").size(); }\n'
        (folder / "length.cpp").write_text(f"#include <string>\n{function}")
        lock(folder)
        routes = folder / "src" / "routes.rs"
        declared = 'unsafe extern "C" {\n    safe fn length() -> i32;\n}\n'
        routes.write_text(f"{routes.read_text()}\n{declared}")
        write_answer(folder, 'if length() == 5 { "five" } else { "not" }')
        return folder

    return copy


@pytest.mark.parametrize(
    ("platform", "package"),
    [("linux/amd64", "g++"), ("linux/arm64", "g++-aarch64-linux-gnu")],
)
def test_c_plus_plus_takes_its_compiler(
    platform: str, package: str, docker: Docker, with_cpp: Copy, qemu: str, tmp_path: Path
) -> None:
    folder = with_cpp(runtime="debian")
    arguments = [f"--platform={platform}", f"--build-arg=BUILD_PACKAGES={package}"]
    built = docker.build(folder, WITHOUT_LTO, *arguments, "--target=builder")
    binary = docker.file(built.image, "/usr/local/bin/with-cpp", tmp_path / "binary")
    if platform == "linux/arm64":
        docker.file(built.image, "/usr/aarch64-linux-gnu", tmp_path / "libraries")
        binary = emulated(binary, qemu, tmp_path / "libraries")
    docker("image", "rm", "--force", built.image)
    assert ask(binary) == "five"


def test_c_plus_plus_for_another_machine_is_refused_in_a_line(
    docker: Docker, with_cpp: Copy
) -> None:
    with pytest.raises(BuildFailed, match=r"C\+\+ for another machine: take runtime=debian"):
        docker.build(with_cpp(), WITHOUT_LTO, "--platform=linux/arm64")


@pytest.mark.parametrize("runtime", ["scratch", "debian"])
@pytest.mark.parametrize("platform", ["linux/arm64", "linux/riscv64", "linux/unheard-of"])
def test_an_architecture_that_was_not_chosen_stops_the_build(
    platform: str, runtime: str, docker: Docker, render_tiny: Copy
) -> None:
    folder = render_tiny(runtime=runtime, platforms=["linux/amd64"])
    with pytest.raises(BuildFailed) as failed:
        docker.build(folder, f"--platform={platform}", "--target=builder")
    architecture = platform.partition("/")[2]
    log = str(failed.value)
    assert f"unsupported architecture {architecture}: the platforms are linux/amd64\n" in log
    assert "Compiling" not in log


def test_the_machine_that_builds_need_not_be_chosen(docker: Docker, render_tiny: Copy) -> None:
    with pytest.raises(BuildFailed, match="unsupported architecture amd64"):
        docker.build(render_tiny(platforms=["linux/arm64"]), "--platform=linux/amd64")
