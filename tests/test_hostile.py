"""A repository that somebody sends: nothing of it is run or read that nobody has trusted."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from extensions.pins import ROOT
from hooks.environment import for_cargo
from lab.rendering import COPIER
from lab.repository import commit, git

Ended = subprocess.CompletedProcess[str]
Plant = Callable[[Path, str], None]


def look(service: Path, *more: str) -> tuple[Ended, Ended]:
    """Look at a service with the doctor, and try to update it without trust, in its folder."""
    doctor = [sys.executable, str(ROOT / "hooks" / "doctor.py"), "--smoke=none", "--service=."]
    update = [str(ROOT / "bin" / "copier"), "update", "--defaults"]
    first, second = (
        subprocess.run(
            command, cwd=service, capture_output=True, text=True, timeout=60, check=False
        )
        for command in (doctor, update)
    )
    return first, second


def _answer(name: str, value: str) -> Plant:
    def plant(service: Path, command: str) -> None:
        file = service / ".copier-answers.yml"
        answers = yaml.safe_load(file.read_text())
        file.write_text(yaml.safe_dump({**answers, name: value.format(command=command)}))

    return plant


def _module(name: str) -> Plant:
    def plant(service: Path, command: str) -> None:
        (service / name).parent.mkdir(exist_ok=True)
        (service / name).write_text(f"import os\nos.system({command!r})\nraise SystemExit(9)\n")

    return plant


def _setting(name: str, more: str = "") -> Plant:
    def plant(service: Path, command: str) -> None:
        git(service, "config", name, f"{command}; false")
        if more:
            (service / ".gitattributes").write_text(more)
        os.utime(service / "README.md", (0, 0))

    return plant


def _from_ssh(name: str, source: str = "git@localhost:x/y") -> Plant:
    def plant(service: Path, command: str) -> None:
        _answer("_src_path", source)(service, command)
        git(service, "config", name, f"!{command}; false" if "helper" in name else f"{command};")

    return plant


@pytest.mark.parametrize(
    "plant",
    [
        _answer("_src_path", "--upload-pack={command}"),
        _answer("_src_path", "git+--upload-pack={command};"),
        _answer("_src_path", "--upload-pack={command};@y:"),
        _answer("_src_path", "ext::sh -c {command}% "),
        _answer("_commit", "--upload-pack={command}"),
        _module("yaml.py"),
        _module("copier.py"),
        _module("copier/__init__.py"),
        _module("packaging/__init__.py"),
        _module("argparse.py"),
        _setting("core.fsmonitor"),
        _setting("filter.x.clean", "* filter=x\n"),
        _setting("filter.x.process", "* filter=x\n"),
        _setting("diff.external"),
        _setting("core.sshCommand"),
        _from_ssh("core.sshCommand"),
        _from_ssh("credential.helper", "https://git.example.com/x"),
    ],
)
def test_nothing_of_it_is_run(plant: Plant, service: Path, bin_copier: Path) -> None:
    plant(service, "touch it-was-run")
    ended = look(service)
    assert not (service / "it-was-run").exists(), [each.stderr for each in ended]
    assert all("Traceback" not in each.stderr for each in ended)


@pytest.mark.parametrize("name", [".copier-answers.yml", "README.md"])
@pytest.mark.parametrize("how", ["endless", "huge", "pipe"])
def test_no_endless_file_is_read(how: str, name: str, service: Path, bin_copier: Path) -> None:
    (service / name).unlink()
    if how == "endless":
        (service / name).symlink_to("/dev/zero")
    elif how == "huge":
        (service / name).touch()
        os.truncate(service / name, 10_000_000_000)
    else:
        os.mkfifo(service / name)
    ended = look(service)
    if name == ".copier-answers.yml":
        assert all("must be a file of less than a megabyte" in str(each) for each in ended)
    if how != "endless" or name != "README.md":
        return  # git cannot hold it
    commit(service)
    trusted = subprocess.run(
        [COPIER, "update", "--trust", "--defaults"],
        cwd=service,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert trusted.returncode == 0, trusted.stderr
    assert (service / "README.md").is_symlink()


def test_another_template_is_named_before_it_runs(service: Path, bin_copier: Path) -> None:
    doctor, update = look(service)
    assert "ok     service: can be updated" in doctor.stdout
    first, *_ = update.stderr.splitlines()
    assert first.startswith("This runs the template of the service, ")
    assert first.endswith(f"/template, and not {ROOT}")
    assert "potentially unsafe" in update.stderr


def test_trust_without_the_option(
    service: Path, tagged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copier's own list of what a person trusts works with this template."""
    settings = tmp_path / "settings.yml"
    settings.write_text(yaml.safe_dump({"trust": [str(tagged)]}))
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(settings))
    ended = subprocess.run(
        [COPIER, "update", "--defaults"], cwd=service, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_a_build_script_sees_what_it_needs() -> None:
    given = {
        "GH_TOKEN": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "CARGO_REGISTRIES_ACME_TOKEN": "secret",
        "CARGO_REGISTRY_TOKEN": "secret",
        "DATABASE_URL": "secret",
        "GIT_CONFIG_VALUE_0": "secret",
        "KUBECONFIG": "secret",
        "PATH": "/bin",
        "HOME": "/root",
        "CARGO_HOME": "/cargo",
        "CC_aarch64_unknown_linux_musl": "zig",
        "https_proxy": "proxy",
        "RUSTFLAGS": "-Copt-level=1",
    }
    seen = for_cargo(given)
    assert "secret" not in seen.values()
    assert given.items() - {item for item in given.items() if item[1] == "secret"} <= seen.items()
    assert for_cargo({**given, "SMOKE_ENV": "KUBECONFIG, DATABASE_URL"})["DATABASE_URL"] == "secret"
