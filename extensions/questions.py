"""The questions of `copier.yml`, and which answer decides whether one of them is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, meta

from .pins import ROOT, versions
from .registry import Framework, Runtime, frameworks, runtimes
from .rules import CHOICES

# The same as `yaml.safe_load`, ten times as fast where PyYAML has its library; every copy waits.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Condition:
    """What must be answered to one question so that another is asked.

    Attributes:
        question: The question that decides.
        answers: The answers to it that lead to the other; empty where any text does.
    """

    question: str
    answers: tuple[str, ...]

    def holds(self, answers: Mapping[str, object]) -> bool:
        """Tell whether the question is asked, where others have these answers or their defaults."""
        answer = answers.get(self.question, questions()[self.question].get("default", ""))
        return answer in self.answers if self.answers else answer != ""


@cache
def questions() -> dict[str, Any]:
    """Return the questions of `copier.yml` by their names."""
    config = yaml.load((ROOT / "copier.yml").read_text("utf-8"), LOADER)  # noqa: S506 (a safe loader)
    return {name: question for name, question in config.items() if not name.startswith("_")}


@cache
def condition(name: str) -> Condition | None:
    """Return when a question is asked; None for always.

    Raises:
        ValueError: Its `when` looks at something else than one question, which has choices or takes
            text. Then a form cannot say it either.
    """
    when = str(questions()[name].get("when", True))
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    known = {"frameworks": frameworks(), "runtimes": runtimes()}
    looked_at = meta.find_undeclared_variables(environment.parse(when)) - known.keys()
    if not looked_at:
        return None
    (question, *others) = sorted(looked_at)
    template = environment.from_string(when)

    def is_asked(answer: str) -> bool:
        return template.render({**known, question: answer}) == "True"

    if not others and question in CHOICES:
        return Condition(question, tuple(filter(is_asked, CHOICES[question])))
    if not others and questions()[question]["type"] == "str" and is_asked("x") and not is_asked(""):
        return Condition(question, ())
    raise ValueError(f"copier.yml: the condition of {name} must depend on one choice or one text")


def is_required(name: str) -> bool:
    """Tell whether somebody must answer a question if it is asked."""
    return "default" not in questions()[name]


def default_of(name: str) -> Any:
    """Return the default of a question; None if there is none, or if other answers decide it."""
    default = questions()[name].get("default")
    if name == "rust_version":
        return versions()["rust"]
    return None if isinstance(default, str) and "{{" in default else default


def default_in_words(name: str) -> str:
    """Return the default of a question for people."""
    if is_required(name):
        return "asked" if condition(name) is None else "asked with a name"
    match default_of(name):
        case bool() as default:
            return "yes" if default else "no"
        case None if name == "port":
            return ", ".join(f"{each.port} for {each.label}" for each in frameworks().values())
        case None:
            return "a sentence with the name"
        case default:
            return (", ".join(default) if isinstance(default, list) else default) or "none"


def labels(name: str) -> dict[str, str]:
    """Return the label of each choice of a question; nothing for a question without choices."""
    choices = questions()[name].get("choices", {})
    if isinstance(choices, dict):
        return {
            each["value"] if isinstance(each, dict) else each: label
            for label, each in choices.items()
        }
    offered: list[Framework | Runtime] = [*frameworks().values(), *runtimes().values()]
    return {
        each.name: f"{each.label}, {each.help}" for each in offered if each.name in CHOICES[name]
    }
