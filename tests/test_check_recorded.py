"""If an answers file stops an update, `bin/copier update` says why in one line."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from extensions.pins import ROOT
from hooks.command_line import parse
from lab.repository import commit, git


def set_answer(name: str, value: object) -> Callable[[str], str]:
    def edit(text: str) -> str:
        return yaml.safe_dump({**yaml.safe_load(text), name: value})

    return edit


def without(name: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        return yaml.safe_dump(
            {key: kept for key, kept in yaml.safe_load(text).items() if key != name}
        )

    return edit


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (lambda _: "", "is empty"),
        (lambda text: f"<<<<<<< before updating\n{text}=======\n>>>>>>> x\n", "conflict markers"),
        (lambda text: f"{text}port: [\n", "is no YAML at line"),
        (lambda _: "- a\n- b\n", "must be a mapping"),
        (lambda _: "service_name: x\n", "_src_path: .copier-answers.yml must say where"),
        (without("_commit"), "_commit: .copier-answers.yml does not say which version the service"),
        (set_answer("_commit", "--all"), "_commit: .copier-answers.yml must say its version"),
        (set_answer("_commit", 1.0), "_commit: .copier-answers.yml must say its version"),
        (set_answer("_commit", "0.9.0"), "has no version 0.9.0; record the one that the service"),
        (set_answer("_commit", "0.9.0"), "such as 1.1.0, 1.0.0"),
        (set_answer("_src_path", "../template"), "_src_path: ../template is relative"),
        (set_answer("_src_path", "/nowhere/template"), "/nowhere/template does not exist"),
        (set_answer("_src_path", "/"), "_src_path: / cannot be read by git"),
        (set_answer("_src_path", "https://127.0.0.1:9/x.git"), "cannot be read by git: fatal"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    edit: Callable[[str], str], line: str, service: Path, bin_copier: Path
) -> None:
    file = service / ".copier-answers.yml"
    text = edit(file.read_text())
    file.write_text(text)
    commit(service)
    ended = subprocess.run(
        [bin_copier, "update", "--trust", "--defaults", service],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert line in ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert git(service, "status", "--short") == ""
    doctor = subprocess.run(
        ["python3", ROOT / "hooks" / "doctor.py", "--smoke=none", f"--service={service}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert doctor.returncode == 1
    assert f"LACKS  service: {ended.stderr}" in doctor.stdout


def test_without_an_answers_file(tmp_path: Path, bin_copier: Path) -> None:
    ended = subprocess.run([bin_copier, "update"], cwd=tmp_path, capture_output=True, check=False)
    assert ended.returncode == 1
    assert b"run this in the folder of a service" in ended.stderr


def test_a_service_that_can_be_updated(service: Path) -> None:
    doctor = subprocess.run(
        ["python3", ROOT / "hooks" / "doctor.py", "--smoke=none", f"--service={service}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ok     service: can be updated\n" in doctor.stdout


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        ([], []),
        (["--trust", "x"], ["x"]),
        (["x", "--data", "port=1"], ["x"]),
        (["-d", "port=1", "-r", "HEAD", "--data-file=y", "-s", "a", "x", "-A"], ["x"]),
        (["-x", "a", "--ask", "p*", "-o", "rej", "-c", "1", "--conflict=rej"], []),
    ],
)
def test_which_service_is_meant(arguments: list[str], places: list[str]) -> None:
    assert parse(arguments).places == places
    assert parse(arguments).answers_file == ".copier-answers.yml"
    assert parse([*arguments, "-a", "other.yml"]).answers_file == "other.yml"


def test_every_option_with_a_value_is_known(bin_copier: Path) -> None:
    shown = subprocess.run(
        [bin_copier, "update", "--help"], capture_output=True, check=True, text=True
    ).stdout
    switches = shown[shown.index("\nSwitches:") :]
    found = re.findall(r"^    (?:(-\w), )?(--[\w-]+) \w+[:=]", switches, re.MULTILINE)
    assert len(found) > 5
    for option in (name for names in found for name in names if name):
        assert parse([option, "value"]).places == [], option
