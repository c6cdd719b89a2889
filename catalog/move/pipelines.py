"""Pipelines that carry out a plan on many machines: a workflow of GitHub, a pipeline of GitLab.

Each wave is a matrix of jobs, which share its services. Their journals are joined, and a gate lets
the next wave begin if few enough services failed.

Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax and
https://docs.gitlab.com/ci/yaml/; for the most jobs of a matrix, /actions/reference/limits there and
`parallel` here.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from catalog.move.causes import flat
from catalog.move.journal import FILE, folder_of
from catalog.move.plan import Plan
from extensions.pins import action, versions
from extensions.text import yaml_text
from hooks.check_recorded import ADDRESS, expanded

MOST_ON_GITHUB, MOST_ON_GITLAB = 256, 200
# No pattern of a glob, no expression, no option and no hidden file, which artifacts lack.
IN_REPOSITORY = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*")


class NoPipeline(Exception):
    """A plan cannot be carried out by a pipeline; the message is one line that says why."""


class TooMany(NoPipeline):
    """A wave wants more jobs than a matrix may have; the message is one line."""


@dataclass(frozen=True)
class Jobs:
    """The jobs of a wave.

    Attributes:
        number: Which wave it is, from 1 on.
        name: Its name in the plan.
        title: Its name as forges take it for one of a job, a stage or an environment.
        jobs: How many jobs share its services.
    """

    number: int
    name: str
    title: str
    jobs: int


def github(plan: Plan, plan_file: str) -> str:
    """Return the workflow of GitHub that carries out a plan.

    Args:
        plan: The plan.
        plan_file: Where it is in the repository that has the workflow.

    Raises:
        NoPipeline: It cannot be.
    """
    return _made("github.yml.jinja", plan, plan_file, MOST_ON_GITHUB, "GitHub")


def gitlab(plan: Plan, plan_file: str) -> str:
    """Return the pipeline of GitLab that carries out a plan.

    Args:
        plan: The plan.
        plan_file: Where it is in the repository that has the pipeline.

    Raises:
        NoPipeline: It cannot be.
    """
    return _made("gitlab.yml.jinja", plan, plan_file, MOST_ON_GITLAB, "GitLab")


def _made(template: str, plan: Plan, plan_file: str, most: int, forge: str) -> str:
    if not IN_REPOSITORY.fullmatch(plan_file):
        raise NoPipeline(
            f"{flat(plan_file)}: must be a path in the repository of the pipeline, of letters, "
            "digits, _, . and -, such as moves/move.yaml"
        )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "files"),
        undefined=StrictUndefined,
        # Expressions of GitHub are in braces.
        variable_start_string="<<",
        variable_end_string=">>",
        keep_trailing_newline=True,
        lstrip_blocks=True,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 # it makes YAML, by the filters below
    )
    environment.filters |= {"literal": _literal, "yaml": yaml_text}
    facts: dict[str, Any] = {
        "action": action,
        "image": _image(),
        "journal": FILE,
        "plan": plan,
        "plan_file": plan_file,
        "run": folder_of(Path(plan_file)).as_posix(),
        "template": _address(plan.template),
        "waves": _waves(plan, most, forge),
    }
    return environment.get_template(template).render(facts)


def _address(template: str) -> str:
    """Return the URL of a template as git takes it where there is a token, and no key for SSH.

    Raises:
        NoPipeline: It is none that another machine reaches, or has a password.
    """
    url = expanded(template)
    if not ADDRESS.match(template) or url.startswith("file:"):
        raise NoPipeline(
            f"template: {flat(template)} is on this machine; a pipeline needs its URL, which "
            "`catalog plan --template` takes"
        )
    if re.match(r"[a-z]+://[^/@]*:[^/@]*@", url):
        raise NoPipeline("template: its URL must have no password, since a pipeline shows it")
    by_ssh = re.fullmatch(r"(?:ssh://[^/@]+@([^/@:]+)(?::[0-9]+)?/|[^/@:]+@([^/@:]+):)(.+)", url)
    return f"https://{by_ssh[1] or by_ssh[2]}/{by_ssh[3]}" if by_ssh else url


def _waves(plan: Plan, most: int, forge: str) -> list[Jobs]:
    """Return the waves that have services, with as many jobs as there is work for.

    Raises:
        NoPipeline: There is none, or one wants too many jobs.
    """
    made: list[Jobs] = []
    for wave in plan.waves:
        jobs = min(plan.shards, len(wave.services))
        if jobs > most:
            raise TooMany(
                f"shards: {jobs} jobs for the wave {flat(wave.name)} are more than the {most} that "
                f"{forge} starts at once; `catalog plan --shards {most}` makes fewer"
            )
        if jobs:
            title = " ".join(re.sub(r"[^\w%.+-]", " ", wave.name).split())[:60]
            number = len(made) + 1
            made.append(Jobs(number, wave.name, title or f"wave {number}", jobs))
    if not made:
        raise NoPipeline("waves: there is no service in them, so there is nothing to carry out")
    return made


def _image() -> str:
    """Return the image of a job, in which an update finds Cargo."""
    pins = versions()
    image = str(pins["builders"]["glibc"])
    for variable, value in (("RUST_VERSION", pins["rust"]), ("DEBIAN_SUITE", pins["debian"])):
        image = image.replace(f"${{{variable}}}", value)
    return image


def _literal(text: str) -> str:
    """Return a text as one that GitHub does not take for an expression.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#literals
    """
    return text.replace("${{", "${{ '${{' }}")
