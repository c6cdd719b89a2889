"""Copier as the template takes it to be, beyond what it promises; see extensions/relied_on.py."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from extensions.relied_on import RELIED_ON
from lab.rendering import COPIER
from lab.repository import commit, git

SETTINGS = """\
_subdirectory: files
_exclude: ["{{ 'nothing' }}"]
_answers_file: .copier-answers.yml
_jinja_extensions:
  - copier_template_extensions.TemplateExtensionLoader
  - hook.py:Recorder
_tasks:
  - command: ["sh", "-c", "echo task $GIT_AUTHOR_DATE >> $EVENTS.tasks"]
_migrations:
  - command: ["sh", "-c", "echo before $STAGE $VERSION_FROM $VERSION_TO; git status -s"]
    when: "{{ _stage == 'before' }}"
  - command: ["sh", "-c", "git ls-files -u; cat file; git config core.hooksPath"]
    when: "{{ _stage == 'after' }}"
  - command: ["sh", "-c", "echo last {{ _version_from }} {{ _version_to }}"]
    when: "{{ _stage == 'after' }}"
first:
  type: str
  when: "{{ true }}"
  default: a
  validator: "{{ checked }}"
second:
  type: str
  default: "{{ first }}"
"""
HOOK = """\
import json, os, sys
from pathlib import Path
from copier import Phase
from copier._main import _operation
from copier.errors import UserMessageError
from copier_template_extensions import ContextHook
from plumbum import local

VERSION = "%s"

class Recorder(ContextHook):
    update = True
    def hook(self, context):
        conf = context["_copier_conf"]
        folder = Path(conf["dst_path"])
        local.env.update(GIT_CONFIG_COUNT="2", GIT_CONFIG_KEY_0="core.hooksPath",
            GIT_CONFIG_VALUE_0="/from-plumbum", GIT_CONFIG_KEY_1="status.showUntrackedFiles",
            GIT_CONFIG_VALUE_1="no")
        context["checked"] = ""
        if "DEFAULT" in os.environ:
            conf["settings"].defaults = {"second": os.environ["DEFAULT"]}
        with open(os.environ["EVENTS"], "a") as events:
            print(json.dumps({
                "version": VERSION, "module": __name__,
                "phase": Phase.current().value, "operation": context.get("_copier_operation"),
                "answers_file": str(conf["answers_file"]), "known": "first" in context,
                "answered": "second" in context,
                "files": sorted(p.name for p in folder.glob("*")) if folder.exists() else [],
                "has_answers": (folder / ".copier-answers.yml").exists(),
                "text": (folder / "file").read_text() if (folder / "file").exists() else None,
                "quiet": conf["quiet"], "pid": os.getpid(), "now": _operation.get(None),
                "second": context.get("second"),
            }), file=events)
        if os.environ.get("RAISE") == "always" and conf["answers_file"] not in ("", "."):
            raise UserMessageError("first: is refused")
"""


class Recorded:
    """What one run of Copier did."""

    def __init__(self, folder: Path, events: Path, *command: str, **more: str):
        events.unlink(missing_ok=True)
        self.ended = subprocess.run(
            [COPIER, *command],
            cwd=folder,
            env={**os.environ, "EVENTS": str(events), **more},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = events.read_text().splitlines() if events.exists() else []
        self.renders: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def in_phase(self, phase: str) -> list[dict[str, Any]]:
        return [render for render in self.renders if render["phase"] == phase]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    folder = tmp_path_factory.mktemp("copier")
    template, events = folder / "template", folder / "events"
    (template / "files").mkdir(parents=True)
    (template / "copier.yml").write_text(SETTINGS)
    (template / "files" / "{{ _copier_conf.answers_file }}.jinja").write_text(
        "{{ _copier_answers | to_nice_yaml }}"
    )
    git(folder, "init", "--quiet", str(template))
    for version in ("1.0.0", "2.0.0"):
        (template / "hook.py").write_text(HOOK % version)
        (template / "files" / "file").write_text(f"one\n{version}\nthree\n")
        commit(template)
        git(template, "tag", version)
    given = ("--trust", "--defaults")
    made = ("copy", *given, "--vcs-ref=1.0.0", str(template), "service")
    found = {
        "copy": Recorded(folder, events, *made),
        "refused": Recorded(
            folder, events, "copy", *given, str(template), "refused", RAISE="always"
        ),
        "settings": Recorded(
            folder, events, "copy", *given, str(template), "another", DEFAULT="of the policy"
        ),
    }
    service = folder / "service"
    git(service, "init", "--quiet")
    (service / "file").write_text("one\nmine\nthree\n")
    commit(service)
    found["update"] = Recorded(service, events, "update", *given, "--skip-tasks")
    return found


def the_first_render_is_a_condition(runs: dict[str, Recorded]) -> None:
    prompts = [each for each in runs["copy"].in_phase("prompt") if each["answers_file"]]
    assert not prompts[0]["known"]
    assert not prompts[0]["files"]


def the_place_of_the_answers_file_is_empty_meanwhile(runs: dict[str, Recorded]) -> None:
    places = {each["answers_file"] for each in runs["copy"].renders}
    assert places == {"", ".copier-answers.yml"}


def an_error_in_a_condition_is_a_line(runs: dict[str, Recorded]) -> None:
    assert runs["refused"].ended.returncode == 1
    assert runs["refused"].ended.stderr == "first: is refused\n"


def an_error_in_a_validator_is_swallowed(runs: dict[str, Recorded]) -> None:
    from copier import _main  # noqa: PLC0415

    source = Path(_main.__file__).read_text()
    swallowed = "question.validate_answer(answer)\n                except Exception:"
    assert swallowed in source


def exclude_is_rendered_before_the_first_file(runs: dict[str, Recorded]) -> None:
    first = next(each for each in runs["copy"].in_phase("render") if each["operation"])
    assert first["operation"] == "copy"
    assert first["answered"]
    assert first["files"] == []


def migrations_before_come_before_the_first_file(runs: dict[str, Recorded]) -> None:
    migrations = [each for each in runs["update"].in_phase("migrate") if each["has_answers"]]
    assert migrations[0]["text"] == "one\nmine\nthree\n"
    assert "before before 1.0.0 2.0.0\n" in runs["update"].ended.stdout


def migrations_after_come_last(runs: dict[str, Recorded]) -> None:
    *_, file, hooks, last = runs["update"].ended.stdout.splitlines()
    assert last.startswith("last ")
    assert hooks == "/from-plumbum"
    assert file == "three"
    assert runs["update"].renders[-1]["phase"] == "migrate"


def migrations_know_the_versions(runs: dict[str, Recorded]) -> None:
    assert runs["update"].ended.stdout.splitlines()[-1] == "last 1.0.0 2.0.0"


def copier_runs_git_in_the_environment_of_plumbum(runs: dict[str, Recorded]) -> None:
    assert "/from-plumbum\n" in runs["update"].ended.stdout
    # Copier saw no untracked .rej of the conflict, so its git had the setting as well.
    assert "<<<<<<<" not in runs["update"].ended.stdout


def the_command_has_a_module(runs: dict[str, Recorded]) -> None:
    code = "import copier, sys; sys.exit('copier._cli' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import copier.__main__, sys; sys.exit('copier._cli' not in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def both_versions_are_rendered_by_one_process(runs: dict[str, Recorded]) -> None:
    modules: dict[str, set[str]] = {"1.0.0": set(), "2.0.0": set()}
    for each in runs["update"].renders:
        modules[each["version"]].add(each["module"])
    assert modules["1.0.0"] == modules["2.0.0"] != set()
    assert len({each["pid"] for each in runs["update"].renders}) == 1


def hidden_conflicts_are_not_marked(runs: dict[str, Recorded]) -> None:
    assert runs["update"].ended.returncode == 0, runs["update"].ended.stderr
    assert not any(line.startswith("100644 ") for line in runs["update"].ended.stdout.splitlines())


def the_operation_is_known_to_every_render(runs: dict[str, Recorded]) -> None:
    for operation in ("copy", "update"):
        renders = runs[operation].in_phase("prompt") + runs[operation].in_phase("render")
        assert {each["now"] for each in renders} == {operation}


def settings_are_read_at_each_question(runs: dict[str, Recorded]) -> None:
    assert runs["settings"].renders[-1]["second"] == "of the policy"


def an_update_passes_quiet_copies(runs: dict[str, Recorded]) -> None:
    compared = [each for each in runs["update"].in_phase("prompt") if not each["has_answers"]]
    assert {each["version"] for each in compared} == {"1.0.0", "2.0.0"}
    assert all(each["quiet"] for each in compared)


@pytest.mark.parametrize("name", RELIED_ON)
def test_copier_still(name: str, runs: dict[str, Recorded]) -> None:
    globals()[name](runs)
