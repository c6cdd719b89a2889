"""A bad answer on the command line ends in one line, before a file or folder is made."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.pins import ROOT
from lab import servers
from tests.answers import BAD, BAD_YAML


@dataclass
class Ended:
    code: object
    stderr: str


CopyCli = Callable[..., Ended]


@pytest.fixture
def copy_cli(
    template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> CopyCli:
    """Return a function that runs `copier copy` in this process, as its console script does."""
    (script,) = entry_points(group="console_scripts", name="copier")
    run = script.load()

    def copy(*arguments: str, source: str = str(template)) -> Ended:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(
            sys, "argv", ["copier", "copy", "--trust", *arguments, source, "made/service"]
        )
        with pytest.raises(SystemExit) as exited:
            run()
        return Ended(exited.value.code, capfd.readouterr().err)

    return copy


def assert_refused(ended: Ended, question: str, tmp_path: Path) -> None:
    assert ended.code == 1
    lines = ended.stderr.rstrip("\n").split("\n")
    assert len(lines) == 1, ended.stderr
    assert f"{question}: " in lines[0]
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "made").exists()


def _two_of_each(table: dict[str, list[object]]) -> list[tuple[str, object]]:
    """Return the first and the last bad answer to each question; test_rules.py has them all."""
    return [(name, value) for name, bad in table.items() for value in (bad[0], *bad[1:][-1:])]


@pytest.mark.parametrize(("question", "value"), _two_of_each(BAD))
def test_by_data(question: str, value: str, copy_cli: CopyCli, tmp_path: Path) -> None:
    name = [] if question == "service_name" else ["--data=service_name=ok"]
    assert_refused(copy_cli("--defaults", *name, f"--data={question}={value}"), question, tmp_path)


@pytest.mark.parametrize(("question", "value"), [*_two_of_each(BAD_YAML), ("description", "nul\0")])
def test_by_data_file(question: str, value: object, copy_cli: CopyCli, tmp_path: Path) -> None:
    file = tmp_path / "answers.yml"
    file.write_text(yaml.safe_dump({"service_name": "ok", question: value}), "utf-8")
    assert_refused(copy_cli("--defaults", f"--data-file={file}"), question, tmp_path)


def test_yaml_that_looks_like_text(copy_cli: CopyCli, tmp_path: Path) -> None:
    file = tmp_path / "answers.yml"
    for line, question in (
        ("description: yes", "description"),
        ("description: 0123", "description"),
        ("description: null", "description"),
        ("rust_version: 1.95", "rust_version"),
    ):
        file.write_text(f"service_name: ok\n{line}\n")
        ended = copy_cli("--defaults", f"--data-file={file}")
        assert_refused(ended, question, tmp_path)
        assert "quotes" in ended.stderr


def test_refused_without_defaults_too(copy_cli: CopyCli, tmp_path: Path) -> None:
    assert_refused(copy_cli("--data=port=80"), "port", tmp_path)


def test_an_unknown_name(copy_cli: CopyCli, tmp_path: Path) -> None:
    ended = copy_cli("--defaults", "--data=service_name=ok", "--data=frame_work=rocket")
    assert_refused(ended, "frame_work", tmp_path)
    assert "did you mean framework?" in ended.stderr


def test_no_name(copy_cli: CopyCli, tmp_path: Path) -> None:
    ended = copy_cli("--defaults")
    assert_refused(ended, "service_name", tmp_path)
    assert "-d service_name=order-api" in ended.stderr


def test_a_private_registry_without_its_index(copy_cli: CopyCli, tmp_path: Path) -> None:
    ended = copy_cli("--defaults", "--data=service_name=ok", "--data=cargo_registry=acme")
    assert_refused(ended, "cargo_registry_index", tmp_path)
    assert "-d cargo_registry_index=sparse+https://cargo.example.com/index/" in ended.stderr


def test_two_bad_answers_have_a_line_each(copy_cli: CopyCli, tmp_path: Path) -> None:
    ended = copy_cli("--defaults", "--data=service_name=fn", "--data=port=1")
    assert ended.code == 1
    assert len(ended.stderr.splitlines()) == 2
    assert not (tmp_path / "made").exists()


def test_an_existing_folder_keeps_what_it_has(copy_cli: CopyCli, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "service"
    folder.mkdir(parents=True)
    (folder / "notes").write_text("mine")
    assert copy_cli("--defaults", "--data=service_name=fn").code == 1
    assert [path.name for path in folder.iterdir()] == ["notes"]
    assert (folder / "notes").read_text() == "mine"


def test_a_legal_answer_is_taken(copy_cli: CopyCli, tmp_path: Path) -> None:
    ended = copy_cli("--defaults", "--skip-tasks", "--data=service_name=ok", "--data=port=9000")
    assert ended.code == 0
    folder = tmp_path / "made" / "service"
    assert yaml.safe_load((folder / ".copier-answers.yml").read_text())["port"] == 9000
    message = ended.stderr[ended.stderr.index("ok is ready") :]
    assert [line for line in message.splitlines() if line.startswith("  ")][:3] == [
        "  cd made/service",
        "  cargo run",
        "  docker build -t ok .",
    ]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Serve the template's repository by HTTP, and return host, port and path."""
    folder = tmp_path / "served"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, folder / "t.git"], check=True)
    subprocess.run(["git", "-C", folder / "t.git", "update-server-info"], check=True)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    with servers.serving(Handler) as port:
        yield f"127.0.0.1:{port}/t.git"


@pytest.mark.parametrize("credentials", ["jane:secret", "ghp_secret", ":secret"])
def test_a_template_by_a_url_with_credentials(
    credentials: str, served: str, copy_cli: CopyCli, tmp_path: Path
) -> None:
    source = f"http://{credentials}@{served}"
    ended = copy_cli("--defaults", "--vcs-ref=HEAD", "--data=service_name=ok", source=source)
    assert ended.code == 1
    (line,) = [line for line in ended.stderr.splitlines() if "_src_path: " in line]
    assert f"use http://{served} and let a credential helper" in line
    assert "secret" not in line
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("level", ["build", "check"])
def test_a_smoke_build_by_name_that_cannot_run(
    level: str, copy_cli: CopyCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = copy_cli("--quiet", "--defaults", "--data=service_name=ok", f"--data=smoke={level}")
    assert_refused(ended, "smoke", tmp_path)
    assert "cargo is not installed" in ended.stderr
