"""Reads the CI of a service on either forge: which jobs an event starts, and their commands.

It knows what emitted files use of both languages, and fails on the rest. Sources:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax and
https://docs.gitlab.com/ci/yaml/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from string import Template
from typing import Any

import yaml

BRANCH = "main"
WORKFLOWS, GITLAB = ".github/workflows", ".gitlab-ci.yml"
# The keys of a GitLab file that are no jobs: https://docs.gitlab.com/ci/yaml/#global-keywords
GLOBAL = {"default", "stages", "workflow"}
KNOWN = {
    "on": {"push", "pull_request", "schedule", "workflow_dispatch"},
    "filter": {"branches", "tags", "paths"},
    "step": {"name", "id", "if", "uses", "with", "run", "env"},
    "rule": {"if", "changes", "when"},
}
# How a runner starts the shell of a step or a job that names none.
BASH, SH = ("bash", "-e", "-c"), ("sh", "-e", "-c")


@dataclass(frozen=True)
class Event:
    """What starts a pipeline.

    Attributes:
        kind: `push`, `pull` for a pull or merge request, or `schedule`.
        tag: The tag that is pushed; without one, it is the branch `main`.
        changed: The files that differ.
    """

    kind: str
    tag: str = ""
    changed: tuple[str, ...] = ("src/main.rs",)


PUSH = Event("push")


@dataclass(frozen=True)
class Step:
    """A script, or the use of an action; expressions in it are not evaluated yet."""

    name: str
    shell: tuple[str, ...]
    script: str
    action: str
    given: Mapping[str, str]
    environment: Mapping[str, str]
    condition: str
    id: str


@dataclass(frozen=True)
class Job:
    """What runs on one machine, in order; `whole` is what the file says of it."""

    name: str
    steps: tuple[Step, ...]
    whole: Mapping[str, Any]


def started(service: Path, event: Event) -> dict[str, Job]:
    """Return the jobs that an event starts, by their names, of whichever forge the service has.

    Args:
        service: The folder of the service.
        event: What has happened.
    """
    if (service / GITLAB).exists():
        return dict(_on_gitlab(service / GITLAB, event))
    found: dict[str, Job] = {}
    for file in sorted((service / WORKFLOWS).iterdir()):
        workflow = yaml.safe_load(file.read_text("utf-8"))
        # The key `on` is a boolean in YAML 1.1.
        if _starts(workflow[True], event):
            found |= {name: _on_github(name, job) for name, job in workflow["jobs"].items()}
    return found


def scripts(service: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, shell and text of each script of a service, whatever starts it."""
    jobs: dict[str, Job] = {}
    for kind in ("push", "pull", "schedule"):
        jobs |= started(service, Event(kind, changed=("Cargo.lock",)))
    for job in jobs.values():
        for step in job.steps:
            if step.script:
                yield f"{job.name}: {step.name}", step.shell[0], step.script


def evaluated(expression: str, known: Mapping[str, str]) -> str:
    """Return what an expression of either forge gives.

    Args:
        expression: A name, a text in quotes, or a comparison of two, without what surrounds it.
        known: The values of all names.

    Returns:
        The value, or `true` or `false` for a comparison.

    Raises:
        KeyError: A name is not known.
    """
    found = re.fullmatch(r"(\S+)(?: (==|!=|=~) (\S.*))?", expression)
    assert found, expression
    left = _term(found[1], known)
    if found[2] is None:
        return left
    if found[2] == "=~":
        return str(
            re.search(found[3].removeprefix("/").removesuffix("/"), left) is not None
        ).lower()
    return str((left == _term(found[3], known)) == (found[2] == "==")).lower()


def filled(text: str, known: Mapping[str, str]) -> str:
    """Return a text with all `${{ expressions }}` of GitHub evaluated."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: evaluated(found[1], known), text)


def _term(text: str, known: Mapping[str, str]) -> str:
    return text[1:-1] if text[0] in "'\"" else known[text.removeprefix("$")]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return what an action or a shell gets of values: texts."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }


def _checked(what: str, keys: Mapping[str, Any]) -> None:
    assert keys.keys() <= KNOWN[what], f"{what}: {keys.keys() - KNOWN[what]} is not known here"


def _starts(triggers: Mapping[str, Any], event: Event) -> bool:
    _checked("on", triggers)
    kind = {"pull": "pull_request"}.get(event.kind, event.kind)
    if kind not in triggers:
        return False
    wanted = triggers[kind] if isinstance(triggers[kind], dict) else {}
    _checked("filter", wanted)
    if event.tag:
        return any(fnmatch(event.tag, pattern) for pattern in wanted.get("tags", ()))
    is_branch = "branches" not in wanted or BRANCH in wanted["branches"]
    return is_branch and not {*event.changed}.isdisjoint(wanted.get("paths", event.changed))


def _on_github(name: str, job: Mapping[str, Any]) -> Job:
    steps = []
    for step in job["steps"]:
        _checked("step", step)
        action = step.get("uses", "").partition("@")[0]
        assert bool(action) != ("run" in step), step
        steps.append(
            Step(
                step["name"], BASH, step.get("run", ""), action, _texts(step.get("with", {})),
                _texts(step.get("env", {})), step.get("if", ""), step.get("id", ""),
            )
        )  # fmt: skip
    return Job(name, tuple(steps), job)


def _on_gitlab(file: Path, event: Event) -> Iterator[tuple[str, Job]]:
    pipeline = yaml.safe_load(file.read_text("utf-8"))
    known = {
        "CI_PIPELINE_SOURCE": {"pull": "merge_request_event"}.get(event.kind, event.kind),
        "CI_DEFAULT_BRANCH": BRANCH,
        "CI_COMMIT_BRANCH": "" if event.tag or event.kind == "pull" else BRANCH,
        "CI_COMMIT_TAG": event.tag,
    }
    jobs = {name: job for name, job in pipeline.items() if name not in GLOBAL}
    if not _allowed(pipeline["workflow"]["rules"], event, known):
        return
    for name in sorted(jobs, key=lambda name: pipeline["stages"].index(jobs[name]["stage"])):
        job = jobs[name]
        if _allowed(job["rules"], event, known):
            # A runner gives both to one shell.
            script = "\n".join([*job.get("before_script", ()), *job["script"]])
            step = Step(name, SH, script, "", {}, job.get("variables", {}), "", "")
            yield name, Job(name, (step,), job)


def _allowed(rules: list[dict[str, Any]], event: Event, known: Mapping[str, str]) -> bool:
    """Tell what the first rule that fits says; where none does, there is no job."""
    for rule in rules:
        _checked("rule", rule)
        fits = evaluated(rule["if"], known) not in ("", "false") if "if" in rule else True
        # Nothing is compared in the pipeline of a tag or a schedule: all files count as changed.
        if "changes" in rule and event.kind != "schedule" and not event.tag:
            fits = fits and not {*event.changed}.isdisjoint(rule["changes"])
        if fits:
            return rule.get("when") != "never"
    return False


def expanded(variables: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return variables of GitLab with those that they name filled in."""
    return {name: Template(str(value)).substitute(known) for name, value in variables.items()}
