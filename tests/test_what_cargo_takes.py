"""What owners do to a service, and Cargo takes: the Dockerfile takes it as well, as it is.

Every test has a service of the toy framework, all of one name, so that they share compiled crates.
Crates of others are compiled once, an edit compiles what depends on it, and its answer is shipped.
"""

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from hooks.processes import started
from lab import servers
from lab.containers import WITHOUT_LTO, BuildFailed, Built, Docker
from lab.repository import commit, git
from tests.conftest import Answer, Copy
from tests.owners import lock, write_answer

NAME = "taken"
ON_THE_HOST = "--network=host"


@pytest.fixture
def service(render_tiny: Copy, cargo: Path) -> Path:
    """Return a service whose layers no earlier run has made."""
    return render_tiny(service_name=NAME, description=f"Made at {time.time()}.")


def write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def extend(folder: Path, tables: str) -> None:
    """Put tables at the end of the manifest, or lines below a table that it has, and lock it."""
    manifest = folder / "Cargo.toml"
    head, _, rest = tables.partition("\n")
    text = manifest.read_text()
    if f"\n{head}\n" in text:
        manifest.write_text(text.replace(f"\n{head}\n", f"\n{head}\n{rest}"))
    else:
        manifest.write_text(f"{text}\n{tables}")
    lock(folder)


def others(built: Built, *own: str) -> Counter[str]:
    """Count what was compiled but the crates of the owner."""
    counted = Counter(built.compiled)
    for name in own:
        counted.pop(name, None)
    return counted


def test_a_build_script(service: Path, docker: Docker, answer: Answer) -> None:
    spoken = """\
fn main() {
    println!("cargo::rustc-env=SPOKEN={}", ["one"][fastrand::usize(..1)]);
}
"""
    write(service, {"build.rs": spoken})
    extend(service, '[build-dependencies]\nfastrand = "2"\n')
    write_answer(service, 'env!("SPOKEN")')
    assert answer(docker.build(service, WITHOUT_LTO)) == "one"
    write(service, {"build.rs": spoken.replace("one", "two")})
    os.utime(service / "build.rs", (0, 0))
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == [NAME]
    assert answer(built) == "two"


def test_another_name_for_the_crate(service: Path, docker: Docker, answer: Answer) -> None:
    for file in ("Cargo.toml", "Cargo.lock"):
        path = service / file
        path.write_text(path.read_text().replace(f'"{NAME}"', '"renamed"'))
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled[-1] == "renamed"
    assert answer(built) == "OK"


def test_the_settings_of_cargo(service: Path, docker: Docker, answer: Answer) -> None:
    settings = '[build]\nrustflags = ["--cfg", "loud"]\n\n[env]\nSPOKEN = "one"\n'
    write(service, {".cargo/config.toml": settings})
    write_answer(service, 'if cfg!(loud) { env!("SPOKEN") } else { "quiet" }')
    assert answer(docker.build(service, WITHOUT_LTO)) == "one"
    write(service, {".cargo/config.toml": settings.replace("one", "two")})
    built = docker.build(service, WITHOUT_LTO)
    assert not others(built, NAME)
    assert answer(built) == "two"


def test_more_programs(service: Path, docker: Docker, answer: Answer) -> None:
    says = 'fn main() {{\n    println!("{}");\n}}\n'
    write(
        service, {"src/bin/worker.rs": says.format("works"), "tools/tool.rs": says.format("helps")}
    )
    extend(service, '[[bin]]\nname = "tool"\npath = "tools/tool.rs"\n')
    manifest = service / "Cargo.toml"
    with_default = manifest.read_text()
    if "\ndefault-run = " not in with_default:
        with_default = with_default.replace("\nversion", f'\ndefault-run = "{NAME}"\nversion', 1)
    manifest.write_text(with_default)
    assert answer(docker.build(service, WITHOUT_LTO)) == "OK"
    for name, said in (("worker", "works"), ("tool", "helps")):
        built = docker.build(service, WITHOUT_LTO, f"--build-arg=BIN={name}")
        assert built.compiled == [NAME]
        assert docker("run", "--rm", built.image) == said
        docker("image", "rm", built.image)
    manifest.write_text(re.sub("\ndefault-run = .*", "", with_default))
    with pytest.raises(BuildFailed, match="could not determine which binary to run"):
        docker.build(service, WITHOUT_LTO)


def test_declared_tests_benches_and_examples(service: Path, docker: Docker, answer: Answer) -> None:
    kinds = {"test": "tests/outside.rs", "bench": "benches/fast.rs", "example": "shown/shown.rs"}
    tables = [f'[[{kind}]]\nname = "{kind}-one"\npath = "{path}"\n' for kind, path in kinds.items()]
    write(service, dict.fromkeys(kinds.values(), "fn main() {}\n"))
    extend(service, "\n".join([*tables, '[dev-dependencies]\nhex = "0.4"\n']))
    built = docker.build(service, WITHOUT_LTO)
    assert "hex" not in built.compiled
    assert answer(built) == "OK"
    write(service, dict.fromkeys(kinds.values(), "fn main() { println!(); }\n"))
    assert docker.build(service, WITHOUT_LTO).compiled == []


def test_files_outside_of_the_sources(service: Path, docker: Docker, answer: Answer) -> None:
    included = {"templates/page.html": "a", "migrations/1.sql": "b", ".sqlx/query-1.json": "c"}
    write(service, {**included, "README.md": "d", "static/.well-known/x": "secret"})
    paths = [*included, "README.md"]
    each = ", ".join(f'include_str!("../{path}")' for path in paths)
    write_answer(service, f"concat!({each})")
    assert answer(docker.build(service, WITHOUT_LTO)) == "abcd"
    write(service, {"migrations/1.sql": "B"})
    os.utime(service / "migrations" / "1.sql", (0, 0))
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == [NAME]
    assert answer(built) == "aBcd"


def test_what_is_called_like_a_key(service: Path, docker: Docker, answer: Answer) -> None:
    write(service, {"src/id_gen.rs": 'pub const ID: &str = "seven";\n', "id_ed25519": "secret"})
    main = service / "src" / "main.rs"
    main.write_text(main.read_text().replace("mod settings;", "mod id_gen;\nmod settings;"))
    write_answer(service, "crate::id_gen::ID")
    assert answer(docker.build(service, WITHOUT_LTO)) == "seven"


def word(text: str) -> str:
    return f'pub fn word() -> &\'static str {{\n    "{text}"\n}}\n'


def package(name: str) -> str:
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'


def test_a_crate_of_ones_own(service: Path, docker: Docker, answer: Answer) -> None:
    crate = {"crates/words/Cargo.toml": package("words"), "crates/words/src/lib.rs": word("one")}
    write(service, crate)
    extend(service, '[dependencies]\nwords = { path = "crates/words" }\n')
    write_answer(service, "words::word()")
    assert answer(docker.build(service, WITHOUT_LTO)) == "one"
    write(service, {"crates/words/src/lib.rs": word("two")})
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == ["words", NAME]
    assert answer(built) == "two"
    # An edit of the service leaves the crate alone, as long as the mount is there.
    write_answer(service, 'if words::word() == "two" { "both" } else { "one of them" }')
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == [NAME]
    assert answer(built) == "both"
    write(service, {"crates/words/src/lib.rs": word("three")})
    docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == ["words", NAME]
    assert answer(built) == "one of them"


def test_a_workspace_that_the_service_is_a_member_of(
    service: Path, docker: Docker, answer: Answer, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    shutil.copytree(service, root / "orders")
    (root / "orders" / "Cargo.lock").rename(root / "Cargo.lock")
    shutil.copy(service / ".dockerignore", root)
    other = {"other/Cargo.toml": package("other"), "other/src/main.rs": "fn main() {}\n"}
    crate = {"words/Cargo.toml": package("words"), "words/src/lib.rs": word("one")}
    members = '[workspace]\nresolver = "3"\nmembers = ["orders", "other", "words"]\n'
    write(root, {"Cargo.toml": members, **other, **crate})
    manifest = root / "orders" / "Cargo.toml"
    # The words are outside of the service, but not of the build.
    text = manifest.read_text().replace(
        "[dependencies]\n", '[dependencies]\nwords = { path = "../words" }\n'
    )
    manifest.write_text(text)
    lock(root)
    write_answer(root / "orders", "words::word()")
    dockerfile = (root / "orders" / "Dockerfile").read_text()
    of_orders = (WITHOUT_LTO, f"--build-arg=PACKAGE={NAME}")
    built = docker.build(root, *of_orders, dockerfile=dockerfile)
    assert "other" not in built.compiled
    assert answer(built) == "one"
    write(root, {"words/src/lib.rs": word("two")})
    built = docker.build(root, *of_orders, dockerfile=dockerfile)
    assert built.compiled == ["words", NAME]
    assert answer(built) == "two"
    with pytest.raises(
        BuildFailed, match="this path is outside of the build: build from the folder"
    ):
        docker.build(root / "orders", WITHOUT_LTO)


def test_a_crate_that_replaces_another(
    service: Path, docker: Docker, answer: Answer, cargo: Path
) -> None:
    """A third-party crate depends on it, so an empty library in its place would not do."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    (crate,) = sorted((home / "registry" / "src").glob("*/httpdate-1.*"))[-1:]
    shutil.copytree(crate, service / "patched" / "httpdate")
    extend(service, '[patch.crates-io]\nhttpdate = { path = "patched/httpdate" }\n')
    assert answer(docker.build(service, WITHOUT_LTO)) == "OK"
    write_answer(service, '"edited"')
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == [NAME]
    assert answer(built) == "edited"


def test_a_dependency_from_git(
    service: Path, docker: Docker, answer: Answer, tmp_path: Path
) -> None:
    crate = tmp_path / "served" / "words"
    write(crate, {"Cargo.toml": package("words"), "src/lib.rs": word("from git")})
    git(crate, "init", "--quiet")
    commit(crate)
    port = servers.free_port()
    daemon = ["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"]
    with started([*daemon, f"--port={port}", f"--base-path={crate.parent}", crate.parent]):
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        manifest = service / "Cargo.toml"
        found = f'[dependencies]\nwords = {{ git = "git://127.0.0.1:{port}/words" }}\n'
        manifest.write_text(manifest.read_text().replace("[dependencies]\n", found))
        lock(service, CARGO_NET_OFFLINE="false")
        write_answer(service, "words::word()")
        assert answer(docker.build(service, WITHOUT_LTO, ON_THE_HOST)) == "from git"
    write_answer(service, '"edited"')
    built = docker.build(service, WITHOUT_LTO, ON_THE_HOST)
    assert built.compiled == [NAME]


@contextmanager
def mirror() -> Iterator[tuple[str, list[str]]]:
    """Serve crates.io under another name; yield the index, and the crates that were taken."""
    taken: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/index/config.json":
                body = f'{{"dl": "{origin}/crates/{{crate}}/{{crate}}-{{version}}.crate"}}'.encode()
            else:
                _, part, path = self.path.split("/", 2)
                host = {"index": "index.crates.io", "crates": "static.crates.io/crates"}[part]
                with urllib.request.urlopen(f"https://{host}/{path}") as answer:
                    body = answer.read()
                if part == "crates":
                    taken.append(path.partition("/")[0])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with servers.serving(Handler) as port:
        origin = f"http://127.0.0.1:{port}"
        yield f"sparse+{origin}/index/", taken


def test_crates_from_a_mirror(service: Path, docker: Docker, answer: Answer) -> None:
    with mirror() as (index, taken):
        settings = (
            '[source.crates-io]\nreplace-with = "mirror"\n\n'
            f'[source.mirror]\nregistry = "{index}"\n'
        )
        write(service, {".cargo/config.toml": settings})
        built = docker.build(service, WITHOUT_LTO, ON_THE_HOST)
        assert "tiny_http" in taken
        assert answer(built) == "OK"
        write_answer(service, '"edited"')
        built = docker.build(service, WITHOUT_LTO, ON_THE_HOST)
    assert built.compiled == [NAME]
    assert max(Counter(taken).values()) == 1


def test_vendored_crates_without_a_network(service: Path, docker: Docker, answer: Answer) -> None:
    vendored = subprocess.run(
        ["cargo", "vendor", "--locked"],
        cwd=service,
        check=True,
        capture_output=True,
        text=True,
    )
    write(service, {".cargo/config.toml": vendored.stdout})
    docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
    built = docker.build(service, WITHOUT_LTO, "--network=none")
    assert max(others(built, NAME).values()) == 1
    assert built.downloaded == []
    assert answer(built) == "OK"
    write_answer(service, '"edited"')
    built = docker.build(service, WITHOUT_LTO, "--network=none")
    assert built.compiled == [NAME]
    assert answer(built) == "edited"
