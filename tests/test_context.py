"""The engine gets what a build may need, and no secret that happens to lie beside it."""

import re

import pytest

from extensions.rules import DEPLOY
from lab.containers import Docker
from tests.answers import REGISTRIES
from tests.conftest import Copy

SECRETS = [
    ".env",
    ".env.production",
    ".git/config",
    ".netrc",
    ".npmrc",
    ".cargo/credentials.toml",
    ".idea/workspace.xml",
    ".vscode/settings.json",
    "cargo_token.txt",
    "id_rsa",
    "key.pem",
    "secrets/tls.key",
    "src/.env",
    "src/.routes.rs.swp",
    "src/id_ed25519",
    "src/keys/store.p12",
    "src/keys/store.pfx",
    "src/keys/tls.key",
    "src/keys/tls.pem",
    "src/routes.rs~",
]
JUNK = {"target/release/order-api": 100, "web/node_modules/blob": 50}  # MB
# What Cargo does not need, or the build has of its own.
LEFT_OUT = {
    ".copier-answers.yml",
    ".dockerignore",
    ".editorconfig",
    ".gitignore",
    "Dockerfile",
    "compose.yaml",
    "deny.toml",
    "renovate.json",
    "rust-toolchain.toml",
}
LEFT_OUT_FOLDERS = (".github/", "deploy/")
MARK = b"a-secret-that-nobody-may-see"


@pytest.mark.parametrize("registry", [False, True], ids=["public", "private"])
def test_no_secret_and_no_junk_is_sent(registry: bool, docker: Docker, render: Copy) -> None:
    folder = render(deploy=[*DEPLOY], **(REGISTRIES if registry else {}))
    (folder / "rust-toolchain.toml").write_text('[toolchain]\nchannel = "nightly"\n')
    emitted = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in SECRETS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(MARK)
    for name, megabytes in JUNK.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("wb") as file:
            for _ in range(megabytes):
                file.write(b"x" * 1_000_000)

    built = docker.build(folder, dockerfile="FROM scratch\nCOPY . /\n")
    sent = re.findall(r"transferring context: ([0-9.]+)(k?B)", built.log)
    number, unit = sent[-1]
    assert float(number) * (1000 if unit == "kB" else 1) < 100_000
    layers = dict(docker.layers(built.image))
    docker("image", "rm", "--force", built.image)
    files = {name for name in layers if not re.fullmatch(r"(blobs/.*|[0-9a-f]{64}\.json)", name)}
    assert files == {name for name in emitted - LEFT_OUT if not name.startswith(LEFT_OUT_FOLDERS)}
    assert not any(MARK in content for content in layers.values())
