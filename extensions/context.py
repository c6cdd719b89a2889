"""What the template adds to every render: the check of the answers, filters and derived values."""

from functools import cache
from typing import Any

import yaml
from copier import Phase
from copier.errors import UserMessageError
from copier_template_extensions import ContextHook
from jinja2 import Environment

from . import interrupts, preflight, sources, text
from .pins import ROOT, alpine_for, manifest, versions
from .rules import refusal, refusals


class ServiceTemplate(ContextHook):
    """Checks the answers before the first question or file, and derives what the files need."""

    def __init__(self, environment: Environment) -> None:
        """Add the filters and functions that the template uses to its environment."""
        super().__init__(environment)
        environment.filters.update(
            answers_yaml=text.answers_yaml,
            dockerfile=text.dockerfile,
            markdown=text.markdown,
            refusal=refusal,
            shell=text.shell,
            toml=text.toml,
        )
        environment.globals.update(
            dependencies=sources.dependencies,
            lock=sources.lock,
            manifest=manifest,
            rust=sources.rust,
            versions=versions(),
        )
        self._answers_are_legal = False
        self._can_smoke = False
        self._destination_was = ""

    def hook(self, context: dict[str, Any]) -> None:
        """Extend a render context in place.

        Raises:
            UserMessageError: An answer that was given, rather than asked for, is refused; or a
                smoke build that was asked for by name cannot run. Nothing has been written yet.
        """
        conf = context["_copier_conf"]
        if not self._answers_are_legal:
            _refuse_bad_answers(context)
            self._answers_are_legal = True
            self._destination_was = preflight.state(conf["dst_path"])
        interrupts.follow(Phase.current())

        context["destination_was"] = self._destination_was
        context["smoke_by_name"] = _smoke_by_name(context)
        if "runtime" in context:
            context["libc"] = "glibc" if context["runtime"] == "debian" else "musl"
        if isinstance(context.get("rust_version"), str):
            context["alpine"] = alpine_for(context["rust_version"])

        # Copier renders `_exclude` with the operation once all is answered and nothing is written.
        if not self._can_smoke and context.get("_copier_operation") == "copy":
            self._can_smoke = True
            if context["smoke_by_name"] and not conf["skip_tasks"] and not conf["pretend"]:
                preflight.require_smoke(context["smoke"], context["framework"])


@cache
def _questions() -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    return {name: question for name, question in config.items() if not name.startswith("_")}


def _smoke_by_name(context: dict[str, Any]) -> bool:
    """Tell a level of the smoke build that somebody chose from one that was left at its default."""
    level = context.get("smoke")
    if level is None or level == "none":
        return False
    return "smoke" in context["_copier_conf"]["data"] or level != _questions()["smoke"]["default"]


def _refuse_bad_answers(context: dict[str, Any]) -> None:
    conf = context["_copier_conf"]
    questions = _questions()
    lines = refusals(conf["data"], questions)
    if not lines and conf["defaults"]:
        lines = [
            f"{name}: needs an answer, such as -d {name}={question['placeholder']}"
            for name, question in questions.items()
            if "default" not in question
            and name not in context
            and name not in conf["settings"].defaults
        ]
    if lines:
        raise UserMessageError("\n".join(lines))
