"""`copier update` on services that people have edited, between tagged versions of the template."""

import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from extensions.pins import versions as pinned
from hooks.crate_sources import neutral_folder
from lab.rendering import COPIER, render_service
from lab.repository import commit, git
from lab.versions import add_crate, replace
from tests.answers import FRAMEWORKS, RUNTIMES
from tests.conftest import path_without

# An owner's edit, and answers before and after that an owner changes one day.
MINE = "\n// mine\n"
CHANGES: list[tuple[dict[str, str], dict[str, str]]] = [
    *(
        ({name: was}, {name: now})
        for name, offered in (("runtime", RUNTIMES), ("framework", FRAMEWORKS))
        for was, now in zip(offered, [*offered[1:], offered[0]], strict=True)
    ),
    ({}, {"port": "9000", "profile": "speed"}),
]

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def versions(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of the template with the versions 1.0.0 and 2.0.0."""
    folder = tmp_path_factory.mktemp("versions") / "template"
    shutil.copytree(template, folder, symlinks=True)
    git(folder, "init", "--quiet")
    commit(folder)
    git(folder, "tag", "1.0.0")
    crate = folder / "frameworks" / "actix"
    replace(crate / "src" / "routes.rs", "/// Registers every route.", "/// Registers the routes.")
    add_crate(crate / "Cargo.toml")
    replace(folder / "versions.toml", 'debian = "trixie"', 'debian = "forky"')
    commit(folder)
    git(folder, "tag", "2.0.0")
    return folder


@pytest.fixture
def make(versions: Path, tmp_path: Path) -> Make:
    """Return a function that makes a service of version 1.0.0, in a repository of its own."""

    def copy(**answers: object) -> Path:
        folder = tmp_path / "service"
        given = {"service_name": "order-api", "smoke": "none", **answers}
        data = [f"--data={name}={value}" for name, value in given.items()]
        source = ["--vcs-ref=1.0.0", str(versions), str(folder)]
        subprocess.run(
            [COPIER, "copy", "--quiet", "--trust", "--defaults", *data, *source], check=True
        )
        git(folder, "init", "--quiet")
        commit(folder)
        return folder

    return copy


def update(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COPIER, "update", "--trust", "--defaults", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_later_pattern_reaches_an_edited_service(make: Make, cargo: Path) -> None:
    folder = make()
    routes = folder / "src" / "routes.rs"
    replace(routes, '    "OK"\n', '    "Fine"\n')
    subprocess.run(["cargo", "add", "--quiet", "itoa@=1.0.17"], cwd=folder, check=True)
    subprocess.run(["cargo", "fetch", "--quiet"], cwd=folder, check=True)
    commit(folder)
    locked = (folder / "Cargo.lock").read_text()

    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("hooks/finish_update.py") == 1
    assert "/// Registers the routes." in routes.read_text()
    assert '    "Fine"\n' in routes.read_text()
    assert "itoa" in (folder / "Cargo.toml").read_text()
    assert "[dependencies.fastrand]" in (folder / "Cargo.toml").read_text()
    # The lock learns of the new crate and forgets nothing.
    after = (folder / "Cargo.lock").read_text()
    assert 'name = "fastrand"' in after
    gone = set(locked.splitlines()) - set(after.splitlines())
    assert gone == set()

    commit(folder)
    again = update(folder)
    assert again.returncode == 0, again.stderr
    assert git(folder, "status", "--short") == ""


def test_what_changes_is_told(make: Make, cargo: Path) -> None:
    folder = make(rust_version="1.97.0", runtime="debian")
    answers = folder / ".copier-answers.yml"
    for line in ("image_registry: ''\n", "observability: []\n"):
        replace(answers, line, "")  # as of a version that did not ask for it
    commit(folder)
    ended = update(folder, "--data=profile=speed", "--data=owner=shop")
    assert ended.returncode == 0, ended.stderr
    parts = ended.stderr.split("hooks/finish_update.py")
    told = [[line.strip() for line in part.splitlines() if line[:2] == "  "] for part in parts]
    assert [told[0], told[1][:3]] == [
        [
            "template: 1.0.0 to 2.0.0",
            "owner: platform to shop",
            "profile: size to speed",
            "observability: is new and takes nothing",
            "image_registry: is new and takes nothing",
            f"rust_version: stays 1.97.0; -d rust_version={pinned()['rust']} moves it",
        ],
        [
            "image toolchain: rust:1.97.0-slim-trixie to rust:1.97.0-slim-forky",
            "image base: debian:trixie-slim to debian:forky-slim",
            "crate fastrand: is new, 2",
        ],
    ]


def test_a_conflict_is_named_and_nothing_is_built(make: Make, cargo: Path) -> None:
    folder = make(smoke="check")
    routes = folder / "src" / "routes.rs"
    replace(routes, "/// Registers every route.", "/// Registers my routes.")
    commit(folder)
    ended = update(folder)
    assert ended.returncode != 0
    assert re.search(
        r"update: conflict, 1.0.0 to 2.0.0, \d files changed: src/routes.rs; nothing was built.",
        ended.stderr,
    )
    assert "`git restore -SW . && git clean -fd .` goes back" in ended.stderr
    assert "cargo" not in ended.stderr
    assert "Traceback" not in ended.stderr
    text = routes.read_text()
    assert "/// Registers my routes." in text
    assert "/// Registers the routes." in text


@pytest.mark.slow
def test_a_failing_smoke_keeps_the_merged_tree(make: Make, cargo: Path) -> None:
    folder = make(smoke="check")
    with (folder / "src" / "settings.rs").open("a") as settings:
        settings.write("fn broken( {}\n")
    commit(folder)
    ended = update(folder)
    assert ended.returncode != 0
    assert "smoke: cargo check --locked ended with 101" in ended.stderr
    assert "update: the merged files and every edit are in place" in ended.stderr
    assert "goes back" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "fn broken( {}" in (folder / "src" / "settings.rs").read_text()
    assert "/// Registers the routes." in (folder / "src" / "routes.rs").read_text()

    replace(folder / "src" / "settings.rs", "fn broken( {}\n", "")
    commit(folder)
    again = update(folder)
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_without_cargo_the_tree_is_merged_all_the_same(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make()
    replace(folder / "src" / "routes.rs", '    "OK"\n', '    "Fine"\n')
    commit(folder)
    monkeypatch.setenv("PATH", path_without("cargo", tmp_path / "bin"))
    ended = update(folder)
    assert ended.returncode != 0
    assert "cargo is not installed to bring Cargo.lock in step" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert '    "Fine"\n' in (folder / "src" / "routes.rs").read_text()
    assert "[dependencies.fastrand]" in (folder / "Cargo.toml").read_text()


@pytest.mark.slow
def test_without_a_network_the_tree_is_merged_all_the_same(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make()
    replace(folder / "src" / "routes.rs", '    "OK"\n', '    "Fine"\n')
    commit(folder)
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "empty"))
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    ended = update(folder)
    assert ended.returncode != 0
    assert "`cargo update --workspace` could not bring Cargo.lock in step" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert '    "Fine"\n' in (folder / "src" / "routes.rs").read_text()
    assert "[dependencies.fastrand]" in (folder / "Cargo.toml").read_text()


def test_a_deleted_file_stays_deleted(make: Make, cargo: Path) -> None:
    folder = make()
    (folder / "Dockerfile").unlink()
    commit(folder)
    ended = update(folder, "--data=port=9000")
    assert ended.returncode == 0, ended.stderr
    assert not (folder / "Dockerfile").exists()


def assert_as_fresh(folder: Path, versions: Path, fresh: Path, **answers: object) -> None:
    """Compare a service with a new one of the same answers, but for what its owner has added."""
    render_service(versions, fresh, service_name="order-api", smoke="none", **answers)
    names = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    tracked = git(folder, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    assert {Path(name) for name in tracked if (folder / name).exists()} == names
    for name in names - {Path(".copier-answers.yml"), Path("Cargo.lock")}:
        text = (folder / name).read_text()
        assert text.replace(MINE, "") == (fresh / name).read_text(), name
    assert MINE in (folder / "src" / "settings.rs").read_text()
    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    expected = yaml.safe_load((fresh / ".copier-answers.yml").read_text())
    for key in ("_commit", "_src_path"):
        recorded.pop(key, None)
        expected.pop(key, None)
    assert recorded == expected
    locked = ["cargo", "metadata", "--locked", "--quiet", "--format-version=1"]
    subprocess.run(locked, cwd=folder, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "answers"), CHANGES, ids=lambda answers: "-".join(answers.values())
)
def test_another_answer_gives_what_a_fresh_copy_would(
    given: dict[str, str],
    answers: dict[str, str],
    make: Make,
    versions: Path,
    cargo: Path,
    tmp_path: Path,
) -> None:
    # The port is given, so that it does not become the default of another framework.
    folder = make(port=8080, **given)
    with (folder / "src" / "settings.rs").open("a") as settings:
        settings.write(MINE)
    commit(folder)
    ended = update(folder, *(f"--data={name}={value}" for name, value in answers.items()))
    assert ended.returncode == 0, ended.stderr
    expected = {"port": 8080, **given, **answers}
    assert_as_fresh(folder, versions, tmp_path / "fresh", **expected)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        (".cargo/config.toml", 'build.rustc = "{program}"'),
        (".cargo/config.toml", 'build.rustc-wrapper = "{program}"'),
        ("rust-toolchain.toml", 'toolchain.path = "{folder}"'),
    ],
)
def test_without_a_proof_no_program_of_the_service_is_run(
    name: str, setting: str, make: Make, cargo: Path, tmp_path: Path
) -> None:
    folder = make()
    for program in ("cargo", "rustc"):
        file = tmp_path / "planted" / "bin" / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'#!/bin/sh\ntouch {tmp_path}/it-was-run\nexec {program} "$@"\n')
        file.chmod(0o755)
    (folder / name).parent.mkdir(exist_ok=True)
    given = setting.format(program=file, folder=tmp_path / "planted")
    with (folder / name).open("a") as settings:
        settings.write(f"\n{given}\n")
    commit(folder)
    ended = update(folder, "--data=smoke=none")
    assert ended.returncode == 0, ended.stderr
    assert 'name = "fastrand"' in (folder / "Cargo.lock").read_text()
    assert not (tmp_path / "it-was-run").exists()


def test_where_crates_come_from_is_read(tmp_path: Path) -> None:
    service = tmp_path / "shop" / "service"
    for folder, text in {
        service: """[registries."a.b"]
index = "sparse+https://a/"
credential-provider = "steal"
[build]
rustc = "steal"
""",
        service.parent: """registries."a.b".index = "far"
source.crates-io.replace-with = "here"
source.here.directory = "vendor"
""",
    }.items():
        (folder / ".cargo").mkdir(parents=True)
        (folder / ".cargo" / "config.toml").write_text(text)
    with neutral_folder(service) as place:
        found = tomllib.loads((place / ".cargo" / "config.toml").read_text())
    assert found == {
        "registries": {"a.b": {"index": "sparse+https://a/"}},
        "source": {
            "crates-io": {"replace-with": "here"},
            "here": {"directory": f"{service.parent}/vendor"},
        },
    }


@pytest.mark.slow
@pytest.mark.parametrize("runtime", [RUNTIMES[0], RUNTIMES[-1]])
def test_a_private_registry_comes_and_goes(
    runtime: str, make: Make, versions: Path, cargo: Path, tmp_path: Path
) -> None:
    folder = make(runtime=runtime)
    with (folder / "src" / "settings.rs").open("a") as settings:
        settings.write(MINE)
    commit(folder)
    index = "sparse+https://cargo.example.com/index/"
    added = {"cargo_registry": "acme", "cargo_registry_index": index}
    ended = update(folder, *(f"--data={name}={value}" for name, value in added.items()))
    assert ended.returncode == 0, ended.stderr
    assert_as_fresh(folder, versions, tmp_path / "with", runtime=runtime, **added)
    commit(folder)
    ended = update(folder, "--data=cargo_registry=")
    assert ended.returncode == 0, ended.stderr
    assert_as_fresh(folder, versions, tmp_path / "without", runtime=runtime)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["render", "smoke"])
def test_a_stopped_update_loses_nothing(
    stage: str,
    number: int,
    make: Make,
    versions: Path,
    cargo: Path,
    logs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make(smoke="check")
    with (folder / "src" / "settings.rs").open("a") as settings:
        settings.write(MINE)
    commit(folder)
    begin, reference = "cargo check", "2.0.0"
    if stage == "render":
        # A prerelease, which no other update takes.
        begin, reference = "Updating to template version", "3.0.0rc1"
        if reference not in git(versions, "tag"):
            slow = versions / "template" / "zzz.jinja"
            minutes = "{% for _ in range(9999) %}" * 3 + "{% endfor %}" * 3
            slow.write_text(f"{minutes}\n")
            commit(versions)
            git(versions, "tag", reference)
    else:
        monkeypatch.setenv("CARGO_TARGET_DIR", str(tmp_path / "cold"))
    with subprocess.Popen(
        [COPIER, "update", "--trust", "--defaults", f"--vcs-ref={reference}"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as copier:
        assert copier.stderr
        lines = iter(copier.stderr)
        assert any(begin in line for line in lines)
        time.sleep(3)
        copier.send_signal(number)
        rest = "".join(lines)
        assert copier.wait() not in {0, -number}
    assert "Traceback" not in rest
    assert "topped by SIG" in rest
    assert "`git restore -SW . && git clean -fd .` goes back" in rest
    assert list(logs.iterdir()) == []

    git(folder, "reset", "--quiet", "--hard")
    git(folder, "clean", "--quiet", "-fd")
    assert MINE in (folder / "src" / "settings.rs").read_text()
    monkeypatch.setenv("CARGO_TARGET_DIR", str(cargo))
    assert update(folder, "--vcs-ref=2.0.0").returncode == 0
