"""Pipelines that carry out a plan: what linters say of them, and what their own commands do."""

import os
import re
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.move import pipelines
from catalog.move.plan import Plan, Service, Wave, written
from extensions.pins import ROOT, versions
from lab.git_server import TOKEN, GitServer, serving
from lab.repository import commit, git
from tests.conftest import Make, need

FILE = "moves/move.yaml"
# Text that means something to each reader on the way: YAML, GitHub, GitLab and the shell.
HOSTILE = "50% ${{ secrets.SERVICES_TOKEN }} $HOME $(touch pwned) `touch pwned` \"'; touch pwned #"


def service(number: int) -> Service:
    return Service(f"s{number}", f"https://github.com/acme/s{number}")


def planned(*sizes: int, **more: Any) -> Plan:
    """Return a plan with waves of these sizes; the last one has a hostile name."""
    numbers = iter(range(sum(sizes)))
    waves = [
        Wave(f"wave {wave}", [service(next(numbers)) for _ in range(size)])
        for wave, size in enumerate(sizes, 1)
    ]
    waves[-1] = replace(waves[-1], name=HOSTILE)
    plan = Plan(
        title="Move", template="https://github.com/acme/rust-service.git", to="2.0.0",
        commit="c" * 40, branch="template/2.0.0", author="Jane <jane@example.com>",
        waves=waves, shards=3,
    )  # fmt: skip
    return replace(plan, **more)


def on_github(plan: Plan) -> Any:
    return yaml.safe_load(pipelines.github(plan, FILE))


def on_gitlab(plan: Plan) -> Any:
    return yaml.safe_load(pipelines.gitlab(plan, FILE))


# --------------------------------------------------------------------------------- what is made


def test_no_job_is_without_a_service() -> None:
    plan = planned(1, 0, 2, 9)
    github, gitlab = on_github(plan)["jobs"], on_gitlab(plan)
    shards = [github[f"wave_{each}"]["strategy"]["matrix"]["shard"] for each in (1, 2, 3)]
    assert shards == [[1], [1, 2], [1, 2, 3]]
    assert [gitlab[f"wave-{each}"].get("parallel") for each in (1, 2, 3)] == [None, 2, 3]
    assert "wave_4" not in github
    assert "wave-4" not in gitlab


def test_a_wave_waits_for_the_gate_of_the_one_before() -> None:
    plan = planned(1, 2)
    github, gitlab = on_github(plan)["jobs"], on_gitlab(plan)
    order = ["hold_1", "wave_1", "gate_1", "hold_2", "wave_2", "gate_2"]
    assert [github[name].get("needs") for name in order] == [None, *order[:-1]]
    # A job that was skipped has no say: without a condition, GitHub looks at all before it.
    for after, before in (("hold_2", "gate_1"), ("wave_2", "hold_2"), ("wave_1", "hold_1")):
        assert f"needs.{before}.result == 'success'" in github[after]["if"]
    assert github["report"]["needs"] == ["gate_1", "gate_2"]
    assert github["report"]["if"] == "${{ always() }}"
    assert github["hold_1"]["environment"] == "wave 1"

    order = ["wave-1", "gate-1", "hold-2", "wave-2", "gate-2"]
    assert [gitlab[name]["needs"] for name in order] == [[], *([name] for name in order[:-1])]
    assert (gitlab["hold-2"]["when"], gitlab["hold-2"]["allow_failure"]) == ("manual", False)
    assert gitlab["report"]["when"] == "always"
    assert {gitlab[name]["stage"] for name in [*order, "report"]} == {*gitlab["stages"]}


def test_a_template_that_is_reached_by_ssh_is_installed_by_https() -> None:
    for url in (
        "git@git.acme.example:platform/rust.git",
        "ssh://git@git.acme.example:2222/platform/rust.git",
        "git+https://git.acme.example/platform/rust.git",
    ):
        made = on_github(planned(1, template=url))
        assert made["env"]["TEMPLATE"] == "https://git.acme.example/platform/rust.git"
    assert on_github(planned(1, template="gh:a/b"))["env"]["TEMPLATE"] == "https://github.com/a/b"


@pytest.mark.parametrize(
    ("plan", "file", "line"),
    [
        (planned(1, template="/srv/rust"), FILE, "template: /srv/rust is on this machine; a"),
        (planned(1, template="file:///srv/rust"), FILE, "template: file:///srv/rust is on this"),
        (planned(1, template="https://a:b@c/d"), FILE, "template: its URL must have no password"),
        (planned(0), FILE, "waves: there is no service in them"),
        (planned(1), "/home/jane/move.yaml", "/home/jane/move.yaml: must be a path in the"),
        (planned(1), "../move.yaml", "../move.yaml: must be a path in the repository"),
        (planned(1), "moves/*.yaml", "moves/*.yaml: must be a path in the repository"),
        (planned(1), ".moves/a.yaml", ".moves/a.yaml: must be a path in the repository"),
        (planned(1), "a\nb", "a b: must be a path in the repository"),
    ],
    ids=range(9),
)
def test_what_no_pipeline_can_carry_out(plan: Plan, file: str, line: str) -> None:
    for make in (pipelines.github, pipelines.gitlab):
        with pytest.raises(pipelines.NoPipeline) as refused:
            make(plan, file)
        assert str(refused.value).startswith(line)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "most", "forge"),
    [(pipelines.github, 256, "GitHub"), (pipelines.gitlab, 200, "GitLab")],
    ids=["github", "gitlab"],
)
def test_no_more_jobs_than_a_forge_starts(
    make: Callable[[Plan, str], str], most: int, forge: str
) -> None:
    make(planned(most + 1, shards=most), FILE)
    make(planned(most, shards=most + 1), FILE)
    with pytest.raises(pipelines.TooMany, match=f"{most + 1} jobs .* the {most} that {forge}"):
        make(planned(most + 1, shards=most + 1), FILE)


# -------------------------------------------------------------------------------------- linters


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", "github.yml"],
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "gitlab.yml"],
        ["zizmor", "--offline", "--no-config", "--persona", "auditor", "github.yml"],
    ],
    ids=["github", "gitlab", "zizmor"],
)
def test_linters_find_nothing(command: list[str], tmp_path: Path) -> None:
    plan = planned(1, 5, to="2.0.0+${{x}}", template="https://git.example/${{ github.token }}/t")
    (tmp_path / "github.yml").write_text(pipelines.github(plan, FILE))
    (tmp_path / "gitlab.yml").write_text(pipelines.gitlab(plan, FILE))
    program = Path(sys.executable).with_name(command[0])
    ended = subprocess.run(
        [program, *command[1:]], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_no_text_of_a_plan_is_part_of_a_command() -> None:
    need("shellcheck", "apt-get install shellcheck")
    plan = planned(1, 5)
    github, gitlab = on_github(plan), on_gitlab(plan)
    steps = [step for job in github["jobs"].values() for step in job["steps"] if "run" in step]
    scripts = {("bash", f"set -eo pipefail\n{step['run']}") for step in steps}
    for name, job in gitlab.items():
        if "-" in name or name == "report":
            # The runner puts both into one shell.
            before = gitlab[job["extends"]]["before_script"] if "extends" in job else []
            scripts.add(("sh", "\n".join([*before, *job["script"]])))
            scripts.add(("sh", "\n".join(job.get("after_script", []))))
    assert len(scripts) > 8
    for shell, script in scripts:
        assert "${{" not in script
        assert "pwned" not in script
        command = ["shellcheck", f"--shell={shell}", "-"]
        ended = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stdout


def test_the_token_is_where_it_is_needed() -> None:
    github, gitlab = on_github(planned(1, 5)), on_gitlab(planned(1, 5))
    lent = [
        (job, step["name"])
        for job, content in github["jobs"].items()
        for step in content["steps"]
        if "secrets" in str(step)
    ]
    assert lent == [("wave_1", "Move the services"), ("wave_2", "Move the services")]
    assert "secrets" not in str(github["env"])
    assert github["permissions"] == {}
    in_services = [
        name
        for name, job in gitlab.items()
        if isinstance(job, dict) and job.get("environment", {}).get("name") == "services"
    ]
    assert in_services == ["wave-1", "wave-2"]


def test_actions_are_pinned() -> None:
    pinned = {f"{name}@{each['digest']}" for name, each in versions()["actions"].items()}
    used = {
        step["uses"]
        for job in on_github(planned(1))["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    }
    assert used <= pinned
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each) for each in used)


# ---------------------------------------------------------------------------- the program's install


@pytest.mark.slow
@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_the_program_is_that_of_the_plan(forge: str, tmp_path: Path) -> None:
    user = {"github": "x-access-token", "gitlab": "gitlab-ci-token"}[forge]
    with serving(tmp_path, user) as server:
        remote = server.create("acme/rust.git")
        template = tmp_path / "template"
        (template / "bin").mkdir(parents=True)
        program = template / "bin" / "catalog"
        program.write_text('#!/bin/sh\necho "$0 of 2.0.0" >>"$SAID"\n')
        program.chmod(0o755)
        git(template, "init", "--quiet", "--initial-branch=main")
        commit(template)
        git(template, "tag", "--annotate", "--message=x", "2.0.0")
        tagged = git(template, "rev-parse", "HEAD").strip()
        git(template, "push", "--quiet", str(remote), "main", "2.0.0")

        plan = planned(1, template=f"{server.url}/acme/rust.git", commit=tagged)
        for each, code in ((plan, 0), (replace(plan, commit="d" * 40), 1)):
            folder = tmp_path / f"ended-{code}"
            folder.mkdir()
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "SAID": str(folder / "said"),
                "GIT_SSL_CAINFO": str(server.authority),
                **{name: getattr(each, name.lower()) for name in ("TEMPLATE", "COMMIT")},
                "VERSION": each.to,
                "GITHUB_SERVER_URL": server.url,
                "GITHUB_PATH": str(folder / "path"),
                "RUNNER_TEMP": str(folder),
                "TMPDIR": str(folder),
                "CI_SERVER_URL": server.url,
                "CI_JOB_TOKEN": TOKEN,
                "TOKEN": TOKEN,
            }
            if forge == "github":
                steps = on_github(each)["jobs"]["gate_1"]["steps"]
                script = next(step["run"] for step in steps if "Install" in step["name"])
                shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
            else:
                token, _, install = on_gitlab(each)[".catalog"]["before_script"]
                script, shell = f"{token}\n{install}", ["sh", "-ec"]
            ended = subprocess.run(
                [*shell, script], env=environment, capture_output=True, check=False, text=True
            )
            assert ended.returncode == code, ended.stderr
            assert (folder / "said").exists() == (code == 0)
            moved = f"the tag 2.0.0 is not {each.commit} any more; plan anew"
            assert (moved in ended.stdout + ended.stderr) == (code == 1)
        assert (tmp_path / "ended-0" / "path").exists() == (forge == "github")


# ------------------------------------------------------------------------- a move in a pipeline


@dataclass
class Forge(ABC):
    """What runs the jobs of a pipeline, with what is documented of it and no more.

    Attributes:
        plan: The plan.
        server: Where the services are.
        folder: Where all of it is.
        output: What all jobs have printed.
    """

    plan: Plan
    server: GitServer
    folder: Path
    output: str = ""

    @abstractmethod
    def wave(self, number: int, shard: int) -> bool:
        """Run a job of a wave, and tell whether it ended well."""

    @abstractmethod
    def gate(self, number: int, most: str) -> bool:
        """Run the gate of a wave."""

    @abstractmethod
    def report(self) -> Path:
        """Run the report, and return the folder of its artifact; it has the Markdown too."""

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Provide a checkout of the repository that has the plan."""
        place = self.folder / "workspace"
        (place / FILE).parent.mkdir(parents=True)
        (place / FILE).write_text(written(self.plan), "utf-8")
        yield place
        shutil.rmtree(place)

    def shell(self, command: list[str], script: str, place: Path, more: dict[str, str]) -> bool:
        """Run a script; the program of this checkout stands in for the one that is installed."""
        home, programs = self.folder / "home", self.folder / "bin"
        for each in (home, programs):
            each.mkdir(exist_ok=True)
        if not (programs / "catalog").exists():
            (programs / "catalog").symlink_to(ROOT / "bin" / "catalog")
        own = ("CARGO_", "RUSTUP_")
        environment = {
            **{name: value for name, value in os.environ.items() if name.startswith(own)},
            "CARGO_HOME": os.environ.get("CARGO_HOME", str(Path.home() / ".cargo")),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "TMPDIR": str(home),
            "CATALOG_POLICY": "",
            "GIT_SSL_CAINFO": str(self.server.authority),
            "GIT_TRACE": str(home / "trace"),
            **more,
        }
        ended = subprocess.run(
            [*command, script], cwd=place, env=environment, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.output += ended.stdout
        return ended.returncode == 0


class GitHub(Forge):
    """Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax."""

    user = "x-access-token"

    def wave(self, number: int, shard: int) -> bool:
        return self._run(f"wave_{number}", {"matrix.shard": str(shard)})

    def gate(self, number: int, most: str) -> bool:
        return self._run(f"gate_{number}", {"inputs.max_failed": most})

    def report(self) -> Path:
        summary = self.folder / "summary.md"
        assert self._run("report", {})
        shutil.copy(summary, self.artifacts / "report" / "report.md")
        return self.artifacts / "report"

    def _run(self, name: str, values: dict[str, str]) -> bool:
        workflow = on_github(self.plan)
        job = workflow["jobs"][name]
        known = {
            "secrets.SERVICES_TOKEN": TOKEN,
            "github.token": "ghs_of_this_repository",
            "inputs.max_failed": "10%",
            "'${{'": "${{",
            **values,
        }

        def evaluated(text: str) -> str:
            return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: known[found[1]], text)

        well = True
        with self.workspace() as place:
            for step in job["steps"]:
                uses, given = step.get("uses", "@").partition("@")[0], step.get("with", {})
                if step["name"] == "Install the catalog" or uses == "actions/checkout":
                    continue
                if not well and "always()" not in step.get("if", ""):
                    continue
                if uses == "actions/upload-artifact":
                    self._upload(place, evaluated(given["name"]), given["path"])
                elif uses == "actions/download-artifact":
                    self._download(place / given["path"], given["pattern"])
                else:
                    own = {
                        key: evaluated(str(value))
                        for part in (workflow, job, step)
                        for key, value in part.get("env", {}).items()
                    }
                    own |= {
                        "GITHUB_SERVER_URL": self.server.url,
                        "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
                    }
                    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
                    well = self.shell(command, step["run"], place, own)
        return well

    def _upload(self, place: Path, name: str, paths: str) -> None:
        first, *others = paths.split()
        left_out = [place / each.removeprefix("!") for each in others]
        assert all(each.startswith("!") for each in others)

        def without(folder: str, names: list[str]) -> list[str]:
            return [each for each in names if Path(folder, each) in left_out]

        shutil.rmtree(self.artifacts / name, ignore_errors=True)
        shutil.copytree(place / first, self.artifacts / name, ignore=without)

    def _download(self, place: Path, pattern: str) -> None:
        """Put artifacts into folders of their names, but one that is alone into none.

        Source: https://github.com/actions/download-artifact/blob/v8.0.1/src/download-artifact.ts
        """
        found = [each for each in self.artifacts.glob("*") if fnmatch(each.name, pattern)]
        for each in found:
            shutil.copytree(each, place if len(found) == 1 else place / each.name)


class GitLab(Forge):
    """Source: https://docs.gitlab.com/ci/yaml/."""

    user = "oauth2"

    def wave(self, number: int, shard: int) -> bool:
        of = on_gitlab(self.plan)[f"wave-{number}"].get("parallel")
        nodes = {"CI_NODE_INDEX": str(shard)} if of else {}
        return self._run(f"wave-{number}", SERVICES_TOKEN=TOKEN, **nodes)

    def gate(self, number: int, most: str) -> bool:
        return self._run(f"gate-{number}", MAX_FAILED=most)

    def report(self) -> Path:
        assert self._run("report")
        return self.artifacts / "report" / "report"

    def _run(self, name: str, **more: str) -> bool:
        pipeline = on_gitlab(self.plan)
        job = {**pipeline[pipeline[name]["extends"]], **pipeline[name]}
        variables = pipeline["variables"] | job.get("variables", {})
        own = {
            **{key: str(each["value"]) for key, each in variables.items()},
            "CI_SERVER_URL": self.server.url,
            "CI_SERVER_HOST": self.server.url.removeprefix("https://"),
            "CI_JOB_TOKEN": "token-of-this-job",
            **more,
        }
        # The second prepares the image, the third installs the program.
        script = "\n".join([job["before_script"][0], *job["script"]])
        before = pipeline["stages"][: pipeline["stages"].index(job["stage"])]
        needed = job.get("needs") or [
            each for each, content in pipeline.items()
            if isinstance(content, dict) and content.get("stage") in before
        ]  # fmt: skip
        with self.workspace() as place:
            for each in needed:
                for artifact in self.artifacts.glob(f"{each}*"):
                    shutil.copytree(artifact, place, dirs_exist_ok=True)
            well = self.shell(["sh", "-ec"], script, place, own)
            if "after_script" in job:
                self.shell(["sh", "-ec"], "\n".join(job["after_script"]), place, own)
            for path in job.get("artifacts", {}).get("paths", []):
                kept = self.artifacts / f"{name}{more.get('CI_NODE_INDEX', '')}" / path
                shutil.copytree(place / path, kept, dirs_exist_ok=True)
        return well


@pytest.mark.slow
def test_a_gate_stops_a_move_whose_jobs_have_died(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        run = GitHub(planned(2, 1), server, tmp_path)
        # They have left no journal.
        assert not run.gate(1, "10%")
        assert "2 were not tried" in run.output
        assert run.gate(1, "100%")


@pytest.mark.slow
@pytest.mark.parametrize("forge", [GitHub, GitLab], ids=["github", "gitlab"])
def test_a_pipeline_carries_out_a_plan(
    forge: type[GitHub | GitLab], make: Make, two_versions: Path, tmp_path: Path
) -> None:
    with serving(tmp_path, forge.user) as server:
        template = f"{server.url}/acme/rust-service.git"
        git(two_versions, "push", "--quiet", "--tags", str(server.create("acme/rust-service.git")))
        made = make()
        answers = made / ".copier-answers.yml"
        answers.write_text(answers.read_text().replace(str(two_versions), template))
        commit(made)
        remotes = [server.create(f"acme/{name}.git") for name in ("order-api", "stock-api")]
        for remote in remotes:
            git(made, "push", "--quiet", str(remote), "HEAD:main")
        waves = [
            # As a laptop has it.
            [
                Service(
                    "order-api",
                    f"ssh://git@{server.url.removeprefix('https://')}/acme/order-api.git",
                )
            ],
            [Service(name, f"{server.url}/acme/{name}.git") for name in ("stock-api", "gone-api")],
        ]
        plan = planned(
            1, 1, template=template, commit=git(two_versions, "rev-parse", "2.0.0^{commit}").strip()
        )
        plan = replace(
            plan,
            waves=[
                replace(wave, services=services)
                for wave, services in zip(plan.waves, waves, strict=True)
            ],
            shards=2,
        )
        run = forge(plan, server, tmp_path / "forge")
        run.folder.mkdir()

        assert run.wave(1, 1), run.output
        assert run.gate(1, "0"), run.output
        assert [run.wave(2, shard) for shard in (1, 2)] == [True, False], run.output
        assert run.gate(2, "50%"), run.output
        assert not run.gate(2, "0"), run.output

        report = run.report()
        text = (report / "report.md").read_text("utf-8")
        assert text.splitlines()[0] == (
            "rust-service 2.0.0: 2 of 3 services have it or a branch with it (0 had it, 2 "
            "branches), 1 needs a person."
        )
        assert "- `gone-api` " in text
        assert (report / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
        journal = (report / "journal.jsonl").read_text("utf-8")
        assert journal.count('"outcome"') == 3
        assert HOSTILE.replace('"', '\\"') in journal

        for remote in remotes:
            assert git(remote, "log", "--format=%an", "-1", "template/2.0.0") == "Jane\n"
        assert not [*tmp_path.rglob("pwned")]
        # The journal, the logs and what git was called with do not have the token.
        assert TOKEN not in run.output
        files = [path for path in run.folder.rglob("*") if path.is_file()]
        assert any(path.suffix == ".log" for path in files)
        assert not [path for path in files if TOKEN.encode() in path.read_bytes()]
