"""Mirrors of images and private registries of crates, real ones on 127.0.0.1."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest

from extensions.images import CA_BUNDLE, pulled_from
from lab import image_registry, private_registry
from lab.containers import WITHOUT_LTO, BuildFailed, Built, Docker
from lab.private_registry import CRATE, TOKEN, Registry
from lab.rendering import render_service
from lab.stand_ins import IMAGES
from tests.answers import RUNTIMES
from tests.conftest import Copy, need

VARIABLE = "CARGO_REGISTRIES_ACME_PRIVATE_TOKEN"


@pytest.fixture(scope="module")
def mirror(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return a registry that holds the bases of all runtimes and nothing else.

    The builders have its name on the engine alone: a gigabyte each would be packed for the way.
    """
    need("docker-registry", "apt-get install docker-registry")
    with image_registry.running(tmp_path_factory.mktemp("mirror")) as address:
        registry = f"{address}/mirror"
        names = {use: pulled_from(image, registry) for use, image in IMAGES.items()}
        for use, name in names.items():
            docker("tag", IMAGES[use], name)
            if use in RUNTIMES:
                docker("push", "--quiet", name)
                docker("image", "rm", name)
        yield registry
        docker("image", "rm", "--force", *names.values())


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_all_bases_come_through_the_mirror(
    runtime: str, mirror: str, docker: Docker, render_tiny: Copy
) -> None:
    folder = render_tiny(runtime=runtime, port=3000, image_registry=mirror)
    built = docker.build(folder, WITHOUT_LTO)
    resolved = set(re.findall(r"load metadata for (\S+)", built.log))
    assert resolved
    assert all(name.startswith(f"{mirror}/") for name in resolved)
    with docker.started(built.image, 3000) as container:
        assert container.get("/health") == (200, "OK")
    docker("image", "rm", "--force", built.image)


def test_an_image_that_the_mirror_lacks_is_named(mirror: str, docker: Docker, render: Copy) -> None:
    folder = render(image_registry=mirror, rust_version="1.95.9")
    with pytest.raises(BuildFailed, match=r"mirror/library/rust:1\.95\.9-alpine3\.23.*not found"):
        docker.build(folder)


@dataclass(frozen=True)
class Private:
    """A service that takes a crate from a private registry."""

    folder: Path
    registry: Registry

    @property
    def environment(self) -> dict[str, str]:
        """What Cargo needs outside Docker."""
        return {
            VARIABLE: TOKEN,
            "CARGO_HTTP_CAINFO": str(self.registry.bundle),
            "CARGO_NET_OFFLINE": "false",
        }

    @property
    def options(self) -> list[str]:
        """The options of its build, which reaches the registry, trusts it and is quick."""
        return [WITHOUT_LTO, "--network=host", f"--secret=id=ca_bundle,src={self.registry.bundle}"]


@pytest.fixture(scope="module")
def private(toys: Path, cargo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    folder = tmp_path_factory.mktemp("private")
    with private_registry.running(folder) as registry, pytest.MonkeyPatch.context() as patch:
        patch.delenv(VARIABLE, raising=False)
        service = folder / "order-api"
        render_service(
            toys,
            service,
            service_name="order-api",
            framework="tiny",
            port=8080,
            platforms=["linux/amd64"],
            cargo_registry="acme-private",
            cargo_registry_index=registry.index,
        )
        manifest = service / "Cargo.toml"
        manifest.write_text(
            manifest.read_text().replace(
                "[dependencies]\n",
                f'[dependencies]\n{CRATE} = {{ version = "1", registry = "acme-private" }}\n',
            )
        )
        routes = service / "src" / "routes.rs"
        routes.write_text(routes.read_text().replace('    "OK"\n', "    acme_words::HELLO\n"))
        made = Private(service, registry)
        # The lock file learns of the new crate.
        run_cargo(made, "metadata", "--format-version=1", **made.environment)
        yield made


def run_cargo(private: Private, *arguments: str, **environment: str) -> str:
    ended = subprocess.run(
        ["cargo", *arguments],
        cwd=private.folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_it_builds_outside_docker_with_cargos_own_variable(private: Private) -> None:
    printed = run_cargo(
        private, "build", "--locked", "--message-format=short", **private.environment
    )
    assert TOKEN not in printed


def test_without_its_token_the_build_stops(private: Private, docker: Docker) -> None:
    with pytest.raises(BuildFailed) as failed:
        docker.build(private.folder, *private.options)
    log = str(failed.value)
    assert re.search(rf"secret {VARIABLE}\W.*not found", log)
    assert "Compiling" not in log


def test_with_a_wrong_token_the_build_stops(private: Private, docker: Docker) -> None:
    secret = f"--secret=id={VARIABLE}"
    with pytest.raises(BuildFailed) as failed:
        docker.build(private.folder, *private.options, secret, **{VARIABLE: "not-the-token"})
    log = str(failed.value)
    assert "token rejected for `acme-private`" in log
    assert "not-the-token" not in log
    assert "Compiling" not in log


def test_without_the_ca_bundle_the_build_stops(private: Private, docker: Docker) -> None:
    secret = f"--secret=id={VARIABLE}"
    with pytest.raises(BuildFailed, match=r"SSL|certificate"):
        docker.build(private.folder, "--network=host", secret, **{VARIABLE: TOKEN})


@pytest.fixture(scope="module")
def built(private: Private, docker: Docker) -> Iterator[tuple[Built, Built]]:
    """Return the image and its builder, built with the token."""
    options = [*private.options, f"--secret=id={VARIABLE}"]
    image = docker.build(private.folder, *options, **{VARIABLE: TOKEN})
    builder = docker.build(private.folder, *options, "--target=builder", **{VARIABLE: TOKEN})
    yield image, builder
    docker("image", "rm", "--force", image.image, builder.image)


def test_the_image_has_the_private_crate(built: tuple[Built, Built], docker: Docker) -> None:
    image, builder = built
    assert CRATE in image.compiled
    assert builder.compiled == []
    with docker.started(image.image, 8080) as container:
        assert container.get("/health") == (200, "private")


def test_token_and_ca_bundle_are_nowhere_afterwards(
    built: tuple[Built, Built], private: Private, docker: Docker
) -> None:
    image, builder = built
    token = TOKEN.encode()
    authority = private.registry.authority.read_bytes().splitlines()[1]
    for log in (image.log, builder.log):
        assert TOKEN not in log
    for path in private.folder.rglob("*"):
        assert not path.is_file() or token not in path.read_bytes()
    names = set()
    for built_image, base in ((image, None), (builder, IMAGES["builder-musl"])):
        assert TOKEN not in docker("history", "--no-trunc", built_image.image)
        for name, content in docker.layers(built_image.image, base):
            names.add(name)
            assert token not in content, name
            assert authority not in content, name
    # The search has seen the layers of both: the manifest, the dependencies and the binary.
    assert {"app/Cargo.toml", "app/.cargo/config.toml", "usr/local/bin/order-api"} <= names
    assert "app/src/routes.rs" not in names  # what is built stays in no layer
    assert any(name.endswith(".rlib") for name in names)


def test_the_cache_mounts_hold_neither(
    built: tuple[Built, Built], private: Private, docker: Docker
) -> None:
    image, _ = built
    dockerfile = (private.folder / "Dockerfile").read_text()
    mounts = set(re.findall(r"--mount=type=cache,id=([^,]+),", dockerfile))
    assert len(mounts) == 3
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", dockerfile, re.MULTILINE))
    arguments |= {"TARGETARCH": "amd64", "CARGO_PROFILE_RELEASE_LTO": "off"}
    folders = {Template(name).substitute(arguments): n for n, name in enumerate(sorted(mounts))}
    authority = private.registry.authority.read_text().splitlines()[1]
    searched = docker.build(
        private.folder,
        # Not with --no-cache, which gives a build empty mounts; each image makes it another step.
        dockerfile=(
            f"FROM {IMAGES['debian']}\nRUN "
            + " ".join(f"--mount=type=cache,id={name},target=/m/{n}" for name, n in folders.items())
            + f" echo {image.image} && ls /m/* && find /m -name '*{CRATE}*' | head -n 3"
            + f" && ! grep -rqF -e {TOKEN[:12]}''{TOKEN[12:]} -e '{authority}' /m"
            + " && ! find /m -maxdepth 2 -name config.toml | grep .\n"
        ),
    )
    docker("image", "rm", "--force", searched.image)
    assert f"{CRATE}-" in searched.log


def test_the_certificates_that_ship_are_the_images_own(
    private: Private, docker: Docker, tmp_path: Path
) -> None:
    folder = tmp_path / "order-api"
    subprocess.run(["cp", "-r", private.folder, folder], check=True)
    dockerfile = (folder / "Dockerfile").read_text()
    dockerfile = dockerfile.replace(
        "FROM scratch\n", f"FROM scratch\nCOPY --from=builder {CA_BUNDLE} /etc/ssl/certs/\n"
    )
    options = [*private.options, f"--secret=id={VARIABLE}"]
    image = docker.build(folder, *options, dockerfile=dockerfile, **{VARIABLE: TOKEN}).image
    shipped = docker.file(image, CA_BUNDLE, tmp_path / "shipped").read_bytes()
    docker("image", "rm", "--force", image)
    assert b"BEGIN CERTIFICATE" in shipped
    assert private.registry.authority.read_bytes().splitlines()[1] not in shipped
