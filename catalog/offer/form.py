"""The questions as the form of a portal: steps of JSON Schema draft-07, as Backstage shows them.

Sources: https://json-schema.org/draft-07, https://backstage.io/docs/features/software-templates/input-examples
and https://rjsf-team.github.io/react-jsonschema-form/docs/json-schema/dependencies, which Backstage
draws its forms with.
"""

import re
from functools import cache
from itertools import groupby
from typing import Any

from catalog.offer.schema import of_question
from extensions.pins import ROOT
from extensions.policy import OWN, PORTS, Policy, refusal
from extensions.questions import condition, default_in_words, is_required, labels, questions
from extensions.rules import CHOICES, SEVERAL, Answer, Schema, said

ABBREVIATIONS = {"ca": "CA"}


def steps(policy: Policy | None = None) -> list[Schema]:
    """Return the steps of the form, one a section of `copier.yml`.

    Every step judges all answers, so none forbids what another one asks.

    Args:
        policy: What an organisation narrows the questions to; what it leaves no choice about is
            not asked.
    """
    shown = {
        title: [name for name in names if _is_shown(name, policy)]
        for title, names in _sections().items()
    }
    return [_step(title, names, policy) for title, names in shown.items() if names]


def settled(policy: Policy | None) -> dict[str, Answer]:
    """Return the answers that a policy leaves no choice about; Copier takes them as defaults."""
    if policy is None:
        return {}
    only: dict[str, Answer] = {
        name: [str(allowed[0])] if name in SEVERAL else allowed[0]
        for name, allowed in policy.allowed.items()
        if name not in OWN and len(allowed) == 1 and not _leaves_open(name, allowed[0])
    }
    return {**only, **policy.locked}


def _leaves_open(name: str, allowed: Answer) -> bool:
    """Tell whether what a policy allows is a pattern or a range, or one may also choose nothing."""
    if name in SEVERAL:
        return not refusal(None, [], name)
    return isinstance(allowed, str) and bool(
        re.search(r"[*?]", allowed) or PORTS.fullmatch(allowed)
    )


@cache
def _sections() -> dict[str, list[str]]:
    """Return the questions by the titles of their sections.

    A form can say a condition within a step alone, so a question that another decides about stands
    in the section of that one.
    """
    found: dict[str, list[str]] = {}
    place: dict[str, str] = {}
    title = ""
    for line in (ROOT / "copier.yml").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"# -{3,} (.+)", line):
            title = heading[1]
        elif (key := re.match(r"(\w+):", line)) and (name := key[1]) in questions():
            when = condition(name)
            place[name] = place[when.question] if when else title
            found.setdefault(place[name], []).append(name)
    return found


def _is_shown(name: str, policy: Policy | None) -> bool:
    fixed, when = settled(policy), condition(name)
    if name in fixed or when is None:
        return name not in fixed
    if when.question in fixed:
        return when.holds(fixed)
    return not when.answers or bool({*when.answers} & {*_choices(when.question, policy)})


def _is_conditional(name: str, policy: Policy | None) -> bool:
    """Tell whether another answer decides whether a question is shown."""
    when = condition(name)
    return when is not None and when.question not in settled(policy)


def _choices(name: str, policy: Policy | None) -> list[str]:
    """Return what can be answered to a question with choices."""
    enum = of_question(name, policy)["enum"]
    assert isinstance(enum, list)
    return enum


def _needs_answer(name: str, policy: Policy | None) -> bool:
    """Tell whether somebody must answer a question that is shown: no default is allowed."""
    default = of_question(name, policy).get("default")
    return is_required(name) or (default is not None and bool(refusal(policy, default, name)))


def _step(title: str, names: list[str], policy: Policy | None) -> Schema:
    fields = {name: _field(name, policy) for name in names}
    always = [name for name in names if not _is_conditional(name, policy)]
    step: Schema = {"title": title.capitalize()}
    if required := [name for name in always if _needs_answer(name, policy)]:
        step["required"] = required
    step["properties"] = {name: fields[name] for name in always}
    deciders: dict[str, dict[str, Schema]] = {}
    for name in names:
        if name not in always and (when := condition(name)):
            deciders.setdefault(when.question, {})[name] = fields[name]
    if deciders:
        step["dependencies"] = {
            decider: {"oneOf": _branches(decider, asked, policy)}
            for decider, asked in deciders.items()
        }
        # Without it, the questions that appear would stand last.
        step["ui:order"] = names
    return step


def _branches(decider: str, asked: dict[str, Schema], policy: Policy | None) -> list[Schema]:
    """Return what a form asks by the answer to a question; one branch holds for each answer.

    What is said of a question that is not asked stands in no branch: a form may still hold what
    somebody answered before.
    """
    if decider not in CHOICES:
        nothing = _branch({"enum": [""]}, {}, decider, policy)
        return [nothing, _branch({"minLength": 1}, asked, decider, policy)]

    def led_to(answer: str) -> list[str]:
        return [name for name in asked if (when := condition(name)) and answer in when.answers]

    ordered = sorted(_choices(decider, policy), key=led_to)
    return [
        _branch({"enum": list(answers)}, {name: asked[name] for name in names}, decider, policy)
        for names, answers in groupby(ordered, led_to)
    ]


def _branch(
    decides: Schema, asked: dict[str, Schema], decider: str, policy: Policy | None
) -> Schema:
    branch: Schema = {"properties": {decider: decides, **asked}}
    if required := [name for name in asked if _needs_answer(name, policy)]:
        branch["required"] = required
    return branch


def _field(name: str, policy: Policy | None) -> Schema:
    """Return the schema of one question, with what a form shows of it."""
    field: dict[str, Any] = {"title": _title(name), "type": "string", **of_question(name, policy)}
    hint = (field.pop("examples", None) or [default_in_words(name)])[0]
    if _needs_answer(name, policy) or field.get("default") == "":
        field.pop("default", None)
    if "default" not in field and field["type"] in {"string", "integer"}:
        field["ui:placeholder"] = hint
    if alternatives := field.pop("anyOf", None):
        _narrow(field, alternatives, policy, name)
    if name in SEVERAL:
        field["uniqueItems"] = True
        field["items"]["enumNames"] = [labels(name)[each] for each in field["items"]["enum"]]
        field["items"]["type"] = "string"
        field["ui:widget"] = "checkboxes"
    elif name in CHOICES:
        field["enumNames"] = [labels(name)[each] for each in field["enum"]]
        field["ui:widget"] = "radio"
    elif name == "owner" and not alternatives:
        # It answers with entity references, such as group:default/platform.
        field["ui:field"] = "OwnerPicker"
        field["ui:options"] = {
            "allowArbitraryValues": True,
            "catalogFilter": {"kind": ["Group", "User"]},
        }
    return field


def _title(name: str) -> str:
    words = " ".join(ABBREVIATIONS.get(word, word) for word in name.split("_"))
    return words[0].upper() + words[1:]


def _narrow(field: Schema, alternatives: object, policy: Policy | None, name: str) -> None:
    """Say what a policy allows, for people and as a rule.

    The rule is a double negation, since a form draws a choice between schemas for `anyOf`.
    """
    assert policy is not None
    allowed = ", ".join(map(said, policy.allowed[name]))
    field["description"] = f"{field['description']} Allowed: {allowed}."
    refused: list[object] = [{"not": {"anyOf": alternatives}}]
    if "not" in field:
        refused.insert(0, field["not"])
    field["not"] = {"anyOf": refused}
