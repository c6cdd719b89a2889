"""The smoke build of services that owners have changed, and what their code may see and do."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from extensions.interrupts import children_by_ps
from extensions.pins import ROOT
from hooks import image, workspace
from hooks.processes import run_logged
from hooks.smoke import Failed, _program
from lab.containers import Docker
from lab.rendering import COPIER
from lab.repository import commit, git
from lab.versions import add_crate
from tests.conftest import Copy, Make
from tests.test_smoke import processes, wait_until_gone
from tests.test_update import update

WORKSPACE = '[workspace]\nmembers = ["service*"]\nresolver = "3"\n'


def smoke(folder: Path, level: str = "check") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "hooks" / "smoke.py", level],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_crate_without_rust_version(render_tiny: Copy, cargo: Path) -> None:
    folder = render_tiny()
    manifest = folder / "Cargo.toml"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if "rust-version" not in line))
    ended = smoke(folder)
    assert ended.returncode == 0, ended.stderr


def test_a_crate_that_inherits_from_its_workspace(
    render_tiny: Copy, cargo: Path, tmp_path: Path
) -> None:
    folder = render_tiny()
    lock = (folder / "Cargo.lock").rename(tmp_path / "Cargo.lock")
    (tmp_path / "Cargo.toml").write_text(
        f'{WORKSPACE}[workspace.package]\nrust-version = "1.89"\nedition = "2024"\n'
    )
    manifest = folder / "Cargo.toml"
    lines = manifest.read_text().splitlines(keepends=True)
    inherited = {"rust-version": "rust-version.workspace = true\n"}
    manifest.write_text("".join(inherited.get(line.split(" ")[0], line) for line in lines))
    assert not workspace.stands_alone(folder)
    ended = smoke(folder)
    assert ended.returncode == 0, ended.stderr
    assert lock.exists()


@pytest.mark.slow
def test_the_service_is_started_and_not_what_else_is_built(
    render_tiny: Copy, cargo: Path, tmp_path: Path
) -> None:
    folder = render_tiny(profile="speed")
    mark = tmp_path / "it-was-run"
    (folder / "src" / "bin").mkdir()
    for name in ("aaa", "migrate", "zzz"):
        (folder / "src" / "bin" / f"{name}.rs").write_text(
            f'fn main() {{ std::fs::write("{mark}", "").unwrap(); }}\n'
        )
    ended = smoke(folder, "build")
    assert ended.returncode == 0, ended.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    ("package", "built", "chosen"),
    [
        ({"name": "a"}, ["a", "b"], "a"),
        ({"name": "a", "default-run": "b"}, ["a", "b"], "b"),
        ({"name": "a"}, ["b"], "b"),
    ],
)
def test_which_program_is_the_service(
    package: dict[str, Any], built: list[str], chosen: str
) -> None:
    assert _program(package, built) == chosen


@pytest.mark.parametrize(
    ("built", "reason"),
    [
        (["b", "c"], "cargo build made b, c; `default-run` in Cargo.toml says which runs"),
        ([], "cargo build made no program"),
    ],
)
def test_no_program_is_the_service(built: list[str], reason: str) -> None:
    with pytest.raises(Failed, match=re.escape(reason)):
        _program({"name": "a"}, built)


def test_a_copy_into_a_workspace_that_does_not_list_it(
    toys: Path, cargo: Path, tmp_path: Path
) -> None:
    (tmp_path / "Cargo.toml").write_text('[workspace]\nmembers = []\nresolver = "3"\n')
    folder = tmp_path / "service"
    data = ["--data=service_name=order-api", "--data=framework=tiny", "--data=smoke=check"]
    command = [COPIER, "copy", "--trust", "--defaults", *data, str(toys), str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert (
        f"smoke: the Cargo workspace {tmp_path}/Cargo.toml does not list service; add it there to "
        "`members` or to `exclude`" in ended.stderr
    )
    assert "download" not in ended.stderr


@pytest.mark.slow
def test_an_update_in_a_workspace_brings_its_own_lock_in_step(
    make: Make, two_versions: Path, cargo: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(two_versions, tmp_path / "template", symlinks=True)
    add_crate(source / "frameworks" / "actix" / "Cargo.toml")
    commit(source)
    git(source, "tag", "3.0.0")
    shop = tmp_path / "shop"
    folder = make(shop / "service", "2.0.0")
    shutil.rmtree(folder / ".git")
    answers = folder / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace(str(two_versions), str(source)))
    (shop / "Cargo.toml").write_text(WORKSPACE)
    shutil.copy(folder / "Cargo.lock", shop / "Cargo.lock")
    git(shop, "init", "--quiet")
    (shop / ".gitignore").write_text("target\n")
    commit(shop)
    ended = update(folder, "--data=smoke=check")
    assert ended.returncode == 0, ended.stderr
    assert 'name = "fastrand"' in (folder / "Cargo.lock").read_text()
    assert git(shop, "status", "--short", "Cargo.lock") == ""
    assert f"{shop}/Cargo.lock: is the workspace's and is left alone" in ended.stderr
    alone = shutil.copytree(folder, tmp_path / "alone")
    locked = ["cargo", "metadata", "--locked", "--quiet", "--format-version=1"]
    subprocess.run(locked, cwd=alone, check=True, capture_output=True)


def test_a_build_script_sees_no_token(
    render_tiny: Copy, cargo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = render_tiny()
    (folder / "build.rs").write_text(
        'fn main() {\n    println!("cargo::rerun-if-env-changed=ANYTHING");\n'
        '    let seen = std::env::vars().filter(|(_, value)| value == "secret").count();\n'
        '    assert_eq!(seen, 0, "it sees a secret");\n'
        "}\n"
    )
    for name in ("GH_TOKEN", "CARGO_REGISTRIES_ACME_TOKEN", "AWS_SESSION_TOKEN", "ANYTHING"):
        monkeypatch.setenv(name, "secret")
    ended = smoke(folder)
    assert ended.returncode == 0, ended.stderr
    monkeypatch.setenv("SMOKE_ENV", "ANYTHING")
    assert "it sees a secret" in smoke(folder).stderr


@pytest.mark.parametrize("session", ["", "setsid "])
def test_what_a_program_leaves_behind_delays_nothing(session: str, tmp_path: Path) -> None:
    mark = tmp_path / "of-the-grandchild"
    script = f"echo before; {session}sh -c 'sleep 30; : {mark}' & echo after"
    begin = time.monotonic()
    with (tmp_path / "log").open("w+b") as log:
        assert run_logged(["sh", "-c", script], log) == 0
        log.seek(0)
        assert log.read() == b"before\nafter\n"
    assert time.monotonic() - begin < 20  # the grandchild takes 30 s
    if not session:
        wait_until_gone(mark)
    for line in processes(mark):
        subprocess.run(["pkill", "-f", line.strip()[-40:]], check=False)


def test_children_are_found_without_proc() -> None:
    with subprocess.Popen(["sleep", "30"]) as child:
        found = children_by_ps()
        child.kill()
    assert child.pid in found
    ps = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True)
    assert {int(pid) for pid in ps.stdout.split()}.isdisjoint(set(found) - {child.pid})


def test_rendering_in_one_process_gives_signals_back(template: Path, tmp_path: Path) -> None:
    code = (
        "import signal, sys, copier\n"
        "def mine(*_): pass\n"
        "signal.signal(signal.SIGINT, mine); signal.signal(signal.SIGTERM, mine)\n"
        "hook = sys.excepthook = lambda *_: None\n"
        f"copier.run_copy({str(template)!r}, {str(tmp_path / 'x')!r}, unsafe=True, quiet=True,\n"
        "    data={'service_name': 'x', 'smoke': 'none'}, defaults=True)\n"
        "assert signal.getsignal(signal.SIGINT) is signal.getsignal(signal.SIGTERM) is mine\n"
        "assert sys.excepthook is hook\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert signal.getsignal(signal.SIGINT) is not None


def test_an_image_that_exposes_more_and_has_no_healthcheck(
    docker: Docker, render_tiny: Copy
) -> None:
    folder = render_tiny(service_name="tiny-probe", port=3000)
    dockerfile = folder / "Dockerfile"
    kept = [line for line in dockerfile.read_text().splitlines() if "HEALTHCHECK" not in line]
    dockerfile.write_text("\n".join([*kept, "EXPOSE 1024", ""]))
    ended = smoke(folder, "image")
    assert ended.returncode == 0, ended.stderr
    assert "has no HEALTHCHECK" in ended.stdout
    assert "200 OK 'OK'" in ended.stdout


def test_an_image_is_lent_one_secret(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ACME", "OTHER"):
        monkeypatch.setenv(f"CARGO_REGISTRIES_{name}_TOKEN", "secret")
    mounts = " ".join(
        f"--mount=type=secret,id=CARGO_REGISTRIES_{name}_TOKEN" for name in ("ACME", "OTHER")
    )
    base = json.loads(docker("image", "inspect", "alpine:3.24"))[0]["RepoTags"][0]
    (tmp_path / "Dockerfile").write_text(
        f"FROM {base}\nRUN {mounts} ls /run/secrets > /seen && ! test -e "
        "/run/secrets/CARGO_REGISTRIES_OTHER_TOKEN && grep -q ACME /seen\n"
    )
    name = image.unique_name("secrets")
    with (tmp_path / "log").open("w+b") as log:
        built = image.build(docker.provided.engine, name, "CARGO_REGISTRIES_ACME_TOKEN", log)
    image.remove(docker.provided.engine, built.name)
