"""What the template adds to every render: the check of the answers, filters and derived values."""

import datetime
import os
import shlex
import sys
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from copier import Phase
from copier._main import _operation
from copier.errors import UserMessageError
from copier_template_extensions import ContextHook
from jinja2 import Environment
from plumbum import local

from . import (
    announce,
    check_start,
    failures,
    images,
    interrupts,
    portal,
    registry,
    sources,
    surroundings,
    text,
)
from .overwritten import check_overwritten
from .pins import action, alpine_for, versions
from .policy_file import policy_file
from .questions import condition, default_of, is_required, questions
from .renames import renames_since
from .rules import refusal, refusals, token_variable
from .way_back import way_back

if TYPE_CHECKING:
    from .policy import Policy

Why = Callable[[object, str], str]

NO_HISTORY = (
    "The template has no git history here, so the service cannot be updated later; copy it from "
    "the template's repository"
)


class ServiceTemplate(ContextHook):
    """Calls the two entry points below at their events, and derives what the files need."""

    def __init__(self, environment: Environment) -> None:
        """Add the filters and functions that the template uses to its environment."""
        super().__init__(environment)
        environment.filters.update(
            answers_yaml=text.answers_yaml,
            choices=registry.choices,
            code_owner=text.code_owner,
            dockerfile=text.dockerfile,
            markdown=text.markdown,
            pulled_from=images.pulled_from,
            refusal=self._refusal,
            shell=text.shell,
            toml=text.toml,
            yaml=text.yaml_text,
        )
        environment.globals.update(
            action=action,
            before_update=before_update,
            ca_bundle=images.CA_BUNDLE,
            emitted=sources.emitted,
            frameworks=registry.frameworks(),
            lock=sources.lock,
            template_name=portal.TEMPLATE_NAME,
            runtimes=registry.runtimes(),
            versions=versions(),
        )
        self._settled: set[Phase] = set()
        self._is_checked = False
        self._destination_was = ""
        self._policy: Policy | None = None

    def _refusal(self, value: object, question: str) -> str:
        return _why(self._policy)(value, question)

    def hook(self, context: dict[str, Any]) -> None:
        """Extend a render context in place.

        Copier makes a context for every text that it renders, so this is called many times.

        Raises:
            UserMessageError: What the entry points raise.
        """
        phase, conf = Phase.current(), context["_copier_conf"]
        # Copier also renders migrations, before the answers are known or after they were checked,
        # and the path of the answers file, which is empty meanwhile.
        if phase is Phase.PROMPT and not self._is_checked and conf["answers_file"]:
            self._policy = _policy_for(conf)
            before_first_question(context, self._policy)
            # Only now: Copier takes what is raised in a validator for a bad answer and goes on, and
            # the next render must raise it again.
            self._is_checked = True
        if phase not in self._settled:
            self._settled.add(phase)
            surroundings.settle(
                cast("MutableMapping[str, str]", local.env),
                Path(conf["dst_path"]) if phase is Phase.MIGRATE else None,
            )
        if interrupts.is_command():
            failures.tell_in_a_line()
            interrupts.follow(phase, context.get("_copier_operation"), conf["dst_path"])
        context["destination_was"] = self._destination_was
        context |= derived(context)
        is_operating = "_copier_operation" in context
        if phase is Phase.RENDER and is_operating and not self._destination_was:
            self._destination_was = check_start.destination_state(conf["dst_path"])
            before_first_file(self.environment, context, self._policy)


def before_update(service: str | Path) -> str:
    """Return what an update tells first of all: how to take it back.

    The event is `_message_before_update`; with --quiet there is none.

    Args:
        service: Where the service is, as Copier was told.

    Raises:
        UserMessageError: Copier would end halfway. Nothing has been rendered yet.
    """
    check_start.check_place(Path(service))
    return f"Whatever happens, {way_back(service)} takes this update back."


def before_first_question(context: dict[str, Any], decided: "Policy | None") -> None:
    """Check all answers that exist already: the given ones and the recorded ones.

    The event is the first render in `Phase.PROMPT`: the condition of the first question.

    Args:
        context: What Copier renders with.
        decided: The policy of the organisation; it decides defaults too.

    Raises:
        UserMessageError: An answer or the template's URL is refused. Nothing has been asked yet.
    """
    conf, commit = context["_copier_conf"], context["_copier_answers"].get("_commit")
    check_start.check_source(str(context["_copier_answers"].get("_src_path", "")))
    check_start.check_version(commit)
    why = _why(decided)
    if decided and (too_old := policy().outdated(decided, commit)):
        raise UserMessageError(too_old)
    lines = [*_refused_level(), *refusals(conf["data"], questions(), why)]
    if not lines and conf["defaults"]:
        lines = [*_unanswered(context, decided), *_refused_by_settings(conf, why)]
    if not lines:
        lines = [f"{line}; -d decides it" for line in _refused_on_record(conf, why)]
    lines += _renamed_on_record(conf)
    if lines:
        raise UserMessageError("\n".join(lines))
    if decided:
        # Copier asks for what has no default: …/configuring/#questions, `UNSET`.
        unset = dict.fromkeys(policy().left_open(decided), "{{ UNSET }}")
        own = conf["settings"].defaults
        conf["settings"].defaults = {**unset, **own, **policy().preferred(decided)}


def before_first_file(
    environment: Environment, context: dict[str, Any], decided: "Policy | None"
) -> None:
    """Say what an update will change; make sure that a proof somebody asked for can run here.

    The event is the first render in `Phase.RENDER` that knows the operation: it renders
    `_exclude`, once all is answered.

    Raises:
        UserMessageError: What was answered is against the policy, the proof cannot run on this
            machine, or a file is in the way. Nothing has been written yet.
    """
    conf = context["_copier_conf"]
    if context["_copier_operation"] == "update":
        told = announce.changes(context, questions())
        if not told:  # one of the folders that Copier compares
            return
        _check_policy(context, decided)
        for line in told:
            print(f"  {line}", file=sys.stderr)
    else:
        _check_policy(context, decided)
        check_overwritten(environment, context)
        if "_commit" not in context["_copier_answers"] and not conf["quiet"]:
            print(NO_HISTORY, file=sys.stderr)
    if context["smoke_by_name"] and not conf["pretend"]:
        with sources.without_code(context) as crate:
            check_start.check_smoke(context["smoke_level"], crate, context["token"])


def policy() -> ModuleType:
    """Return the module that knows policies, which few copies need to load."""
    return import_module(".policy", __package__)


def _why(decided: "Policy | None") -> Why:
    """Return what says why an answer is refused."""
    return partial(policy().refusal, decided) if decided else refusal


def _policy_for(conf: Mapping[str, Any]) -> "Policy | None":
    """Return the policy that counts for what Copier is about to do.

    None counts for the copies that an update compares: they stand for what is there already.

    Raises:
        UserMessageError: The policy cannot be followed.
    """
    has_answers = (Path(conf["dst_path"]) / conf["answers_file"]).exists()
    if policy_file() is None or (_operation.get() == "update" and not has_answers):
        return None
    try:
        return cast("Policy | None", policy().current())
    except policy().BadPolicy as reason:
        raise UserMessageError(str(reason)) from None


def _check_policy(context: Mapping[str, Any], decided: "Policy | None") -> None:
    """Make sure that all answers together are not against a policy.

    Raises:
        UserMessageError: They are.
    """
    if decided is None:
        return
    answers = context["_copier_answers"]
    images = registry.images_of(context["runtime"], context["rust_version"])
    today = datetime.datetime.now(datetime.UTC).date()
    if lines := policy().violations(decided, answers, answers.get("_commit"), images, today):
        raise UserMessageError("\n".join(lines))


def derived(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what follows from the answers that are known so far, which may be illegal ones."""
    conf, answers = context["_copier_conf"], context["_copier_answers"]
    source = conf["user_defaults"].get("_src_path") or answers.get("_src_path", "")
    values: dict[str, Any] = {
        "recorded_folder": text.recorded_folder(source),
        "template_page": portal.web_page(str(source)),
        "smoke_by_name": _smoke_by_name(context),
        "smoke_level": _smoke_level(context),
    }
    values |= sources.surroundings(context.get("ci"), context.get("deploy"))
    # An earlier version may have recorded what is no longer offered.
    if framework := registry.frameworks().get(str(context.get("framework"))):
        values["crate"] = sources.emitted_files(framework.files, context.get("observability"))
    if runtime := registry.runtimes().get(str(context.get("runtime"))):
        values["libc"] = runtime.libc
        values["base"] = runtime.image
        values["builder"] = versions()["builders"][runtime.libc]
    if not refusal(context.get("port"), "port"):
        values["metrics_port"] = sources.metrics_port(context["port"])
    if isinstance(context.get("rust_version"), str):
        values["alpine"] = alpine_for(context["rust_version"])
    if isinstance(context.get("cargo_registry"), str):
        values["token"] = token_variable(context["cargo_registry"])
    return values


def _smoke_level(context: Mapping[str, Any]) -> str:
    """Return how far this run proves the service: `SMOKE` of the environment, or the answer."""
    if context["_copier_conf"]["skip_tasks"]:
        return "none"
    answer = context.get("smoke") or context["_copier_answers"].get("smoke") or "none"
    return os.environ.get("SMOKE") or str(answer)


def _smoke_by_name(context: Mapping[str, Any]) -> bool:
    """Tell whether somebody chose the level of the smoke build, or left it at its default."""
    level = _smoke_level(context)
    if level == "none":
        return False
    given = os.environ.get("SMOKE") or "smoke" in context["_copier_conf"]["data"]
    return bool(given) or level != questions()["smoke"]["default"]


def _refused_level() -> list[str]:
    level = os.environ.get("SMOKE")
    lines = refusals({"smoke": level}, questions()) if level else []
    return [f"{line}; SMOKE of the environment says so" for line in lines]


def _refused_by_settings(conf: Mapping[str, Any], why: Why) -> list[str]:
    """Say which defaults of a person are not legal, as far as they are used.

    Source: https://copier.readthedocs.io/en/stable/settings/#user-defaults
    """
    answered = conf["data"].keys() | _recorded(conf).keys()
    own = {
        name: value
        for name, value in conf["settings"].defaults.items()
        if name in questions() and name not in answered
    }
    return [f"{line}; Copier's settings say so" for line in refusals(own, questions(), why)]


def _recorded(conf: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the answers file at the destination records; nothing where there is none."""
    return announce.recorded(Path(conf["dst_path"]) / conf["answers_file"]) or {}


def _refused_on_record(conf: Mapping[str, Any], why: Why) -> list[str]:
    """Say which recorded answers are no longer legal; Copier would use the defaults instead."""
    recorded = _recorded(conf)
    kept = recorded.keys() & questions().keys() - conf["data"].keys()
    given = {name: recorded[name] for name in questions() if name in kept}
    return refusals(given, questions(), why)


def _renamed_on_record(conf: Mapping[str, Any]) -> list[str]:
    """Say which recorded answers have another name now; `copier recopy` would forget them."""
    known = _recorded(conf)
    lines = []
    for change in renames_since("questions", str(known.get("_commit"))):
        if change.was in known and change.now not in known:
            known[change.now] = known[change.was]
            if change.now in questions() and change.now not in conf["data"]:
                answer = f"-d {shlex.quote(f'{change.now}={known[change.was]}')}"
                lines.append(f"{change.was}: is called {change.now} now; {answer} keeps it")
    return lines


def _unanswered(context: Mapping[str, Any], decided: "Policy | None") -> list[str]:
    """Say which questions need an answer that nobody gave."""
    conf = context["_copier_conf"]
    known = conf["data"].keys() | _recorded(conf).keys() | conf["settings"].defaults.keys()
    lines = [
        f"{name}: needs an answer, such as -d {name}={question['placeholder']}"
        for name, question in questions().items()
        if is_required(name)
        and name not in context
        and name not in known
        and ((when := condition(name)) is None or when.holds(conf["data"]))
    ]
    return lines + [
        f"{name}: needs an answer; {_why(decided)(default_of(name), name)}"
        for name in (policy().left_open(decided) if decided else ())
        if name not in known
    ]
