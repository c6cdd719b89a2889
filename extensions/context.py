"""What the template adds to every render: the check of the answers, filters and derived values."""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from copier import Phase
from copier.errors import UserMessageError
from copier_template_extensions import ContextHook
from jinja2 import Environment

from . import announcement, failures, images, interrupts, preflight, sources, text
from .pins import ROOT, alpine_for, manifest, versions
from .rules import refusal, refusals, token_variable


class ServiceTemplate(ContextHook):
    """Checks the answers before the first question or file, and derives what the files need."""

    def __init__(self, environment: Environment) -> None:
        """Add the filters and functions that the template uses to its environment."""
        super().__init__(environment)
        environment.filters.update(
            answers_yaml=text.answers_yaml,
            dockerfile=text.dockerfile,
            markdown=text.markdown,
            pulled_from=images.pulled_from,
            refusal=refusal,
            shell=text.shell,
            toml=text.toml,
        )
        environment.globals.update(
            ca_bundle=images.CA_BUNDLE,
            dependencies=sources.dependencies,
            lock=sources.lock,
            manifest=manifest,
            rust=sources.rust,
            versions=versions(),
        )
        self._answers_are_legal = False
        self._recorded_are_legal = False
        self._announced = False
        self._can_smoke = False
        self._destination_was = ""

    def hook(self, context: dict[str, Any]) -> None:
        """Extend a render context in place.

        Raises:
            UserMessageError: An answer that was given, rather than asked for, is refused; or a
                smoke build that was asked for by name cannot run. Nothing has been written yet.
        """
        conf = context["_copier_conf"]
        # A migration is rendered before the answers are known, or after all of them were checked.
        if not self._answers_are_legal and Phase.current() is Phase.PROMPT:
            preflight.refuse_credentials(str(context["_copier_answers"].get("_src_path", "")))
            _refuse_bad_answers(context)
            self._answers_are_legal = True
            self._destination_was = preflight.state(conf["dst_path"])
        # The place of the answers file is itself rendered, and is not known before.
        if (
            not self._recorded_are_legal
            and Phase.current() is Phase.PROMPT
            and conf["answers_file"]
        ):
            _refuse_recorded(conf)
            self._recorded_are_legal = True
        failures.tell_in_a_line()
        interrupts.follow(Phase.current(), context.get("_copier_operation"))

        context["destination_was"] = self._destination_was
        context["smoke_by_name"] = _smoke_by_name(context)
        if "runtime" in context:
            context["libc"] = "glibc" if context["runtime"] == "debian" else "musl"
        if isinstance(context.get("rust_version"), str):
            context["alpine"] = alpine_for(context["rust_version"])
        if "cargo_registry" in context:
            context["token"] = token_variable(context["cargo_registry"])

        updating = context.get("_copier_operation") == "update"
        if updating and Phase.current() is Phase.RENDER and not self._announced:
            self._announced = True
            for line in announcement.changes(context, _questions()):
                print(f"  {line}", file=sys.stderr)

        # Copier renders `_exclude` with the operation once all is answered and nothing is written.
        if not self._can_smoke and context.get("_copier_operation") == "copy":
            self._can_smoke = True
            if context["smoke_by_name"] and not conf["skip_tasks"] and not conf["pretend"]:
                preflight.require_smoke(context["smoke"], context["framework"], context["token"])


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


def _refuse_recorded(conf: Mapping[str, Any]) -> None:
    """Refuse a recorded answer that is no longer legal, which Copier takes the default for."""
    questions = _questions()
    recorded = announcement.recorded(Path(conf["dst_path"]) / conf["answers_file"]) or {}
    kept = {name: recorded[name] for name in questions if name in recorded.keys() - conf["data"]}
    lines = [f"{line}; -d decides it" for line in refusals(kept, questions)]
    if lines:
        raise UserMessageError("\n".join(lines))


def _refuse_bad_answers(context: dict[str, Any]) -> None:
    conf = context["_copier_conf"]
    questions = _questions()
    lines = refusals(conf["data"], questions)
    if not lines and conf["defaults"]:
        lines = [
            f"{name}: needs an answer, such as -d {name}={question['placeholder']}"
            for name, question in questions.items()
            if "default" not in question
            and (name != "cargo_registry_index" or conf["data"].get("cargo_registry"))
            and name not in context
            and name not in conf["settings"].defaults
        ]
    if lines:
        raise UserMessageError("\n".join(lines))
