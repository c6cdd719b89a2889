"""The workflows of this repository: what linters say of them, and what their commands do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.pins import ROOT, versions
from extensions.registry import images
from lab.rendering import copy_template
from lab.stand_ins import FRONTEND
from tests.conftest import need, path_without

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTERS = (
    ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
    ("zizmor", "--offline", "--no-config", "--persona", "auditor"),
)


def jobs(name: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / name).read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def command(job: dict[str, Any], name: str) -> str:
    """Return what a step of a job runs."""
    (found,) = [str(step["run"]) for step in job["steps"] if step["name"] == name]
    return found


def ran(script: str, folder: Path, **variables: str) -> str:
    """Run a step as GitHub's runner does, and return all that it printed.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
    """
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_linters_find_nothing(workflow: Path) -> None:
    need("shellcheck", "apt-get install shellcheck")
    for name, *options in LINTERS:
        program = Path(sys.executable).with_name(name)
        ended = subprocess.run(
            [program, *options, workflow], capture_output=True, check=False, text=True
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    text = workflow.read_text("utf-8")
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            # An expression would become part of a command.
            script = f"set -eo pipefail\n{step.get('run', '')}"
            assert "${{" not in script
            shellcheck = ["shellcheck", "--shell=bash", "-"]
            ended = subprocess.run(
                shellcheck, input=script, capture_output=True, check=False, text=True
            )
            assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_is_bounded_and_pinned(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    pinned = {
        f"{name}@{each['digest']} # {each['version']}"
        for name, each in versions()["actions"].items()
    }
    assert {*re.findall(r"uses: (.*)", text)} <= pinned
    for job in yaml.safe_load(text)["jobs"].values():
        # `ubuntu-latest` becomes another system on a day that GitHub chooses.
        assert re.fullmatch(r"ubuntu-\d\d\.04", job["runs-on"])
        assert job["timeout-minutes"] <= 60
        assert job["permissions"] == {"contents": "read"}


def test_they_test_as_people_do() -> None:
    (test,) = jobs("test.yml").values()
    newest = jobs("newest.yml")
    assert command(test, "Test") == "bin/test"
    assert command(newest["copier"], "Test") == "bin/test --fast"
    program, *files = command(newest["rust"], "Test").split()
    assert program == "bin/test"
    assert all((ROOT / file).is_file() for file in files)


def test_what_the_runner_lacks_is_what_the_suite_needs(tmp_path: Path) -> None:
    scripts = {
        command(job, "Install what the runner lacks")
        for job in (*jobs("test.yml").values(), *jobs("newest.yml").values())
    }
    (script,) = scripts
    # Said instead of done: nobody's machine is changed.
    said = ran(
        script.replace("sudo ", "echo as root: "),
        ROOT,
        PATH=path_without("shellcheck", tmp_path / "path"),
    )
    assert re.findall(r"as root: (.*)", said) == [
        "apt-get -qq update",
        "apt-get -qq install --yes --no-install-recommends shellcheck",
    ]


def test_the_newest_rust_is_pinned_where_services_take_it_from(tmp_path: Path) -> None:
    need("rustc", "https://rustup.rs")
    rust = jobs("newest.yml")["rust"]
    shutil.copy(ROOT / "versions.toml", tmp_path)
    before = (tmp_path / "versions.toml").read_text("utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    ran(command(rust, "Pin it"), tmp_path)
    said = subprocess.run(["rustc", "--version"], capture_output=True, check=True, text=True)
    pinned = f'rust = "{versions()["rust"]}"\n'
    newest = f'rust = "{said.stdout.split()[1]}"\n'
    assert before.count(pinned) == 1
    assert (tmp_path / "versions.toml").read_text("utf-8") == before.replace(pinned, newest)


def test_every_image_is_pulled_where_none_may_be_a_stand_in() -> None:
    script = command(jobs("newest.yml")["rust"], "Take its images")
    said = ran(script.replace("docker pull", "echo"), ROOT)
    assert said.splitlines() == [FRONTEND, *images().values()]


@pytest.mark.slow
def test_the_newest_copier_is_what_bin_copier_runs(tmp_path: Path) -> None:
    folder = copy_template(tmp_path)
    subprocess.run(["python3", "-m", "venv", "--without-pip", ".venv"], cwd=folder, check=True)
    uv = folder / ".venv" / "bin" / "uv"  # bin/test has installed it by now
    uv.symlink_to(Path(sys.executable).with_name("uv"))
    ran(command(jobs("newest.yml")["copier"], "Take the newest Copier"), folder)
    upgrade = "bin/copier --version && .venv/bin/uv pip install --dry-run --upgrade copier"
    assert "Would make no changes" in ran(upgrade, folder)
