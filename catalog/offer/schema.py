"""The questions and the policy as JSON Schema, made from the rules that check them.

Source: https://json-schema.org/draft/2020-12/json-schema-core and …/json-schema-validation
"""

from collections.abc import Sequence
from typing import Any

from extensions.patterns import glob, whole
from extensions.policy import OWN, PORTS, Policy, preferred
from extensions.questions import condition, default_of, is_required, questions
from extensions.rules import CHOICES, RULES, SEVERAL, Answer, Schema, yes_or_no

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def of_answers(policy: Policy | None = None) -> dict[str, Any]:
    """Return the schema of answers as `copier copy --data-file` takes them.

    Args:
        policy: What an organisation narrows the questions to.
    """
    return {
        "$schema": DRAFT,
        "title": "Answers of a service",
        "description": "What the template asks, as `copier copy --data-file` takes it.",
        "type": "object",
        "required": [name for name in questions() if is_required(name) and condition(name) is None],
        "properties": {name: of_question(name, policy) for name in questions()},
        # Copier keeps such names for itself.
        "patternProperties": {"^_": True},
        "additionalProperties": False,
        "allOf": [_when_asked(name) for name in questions() if condition(name)],
    }


def of_question(name: str, policy: Policy | None = None) -> Schema:
    """Return the schema of the answer to one question, with what a policy narrows it to."""
    found: Schema = {"description": questions()[name]["help"], **RULES[name].schema()}
    if placeholder := questions()[name].get("placeholder"):
        found["examples"] = [placeholder]
    default = preferred(policy).get(name, default_of(name))
    if default is not None:
        found["default"] = default
    if policy and name in policy.locked:
        found["const"] = policy.locked[name]
    elif policy and name in policy.allowed:
        _narrow(found, name, policy.allowed[name])
    return found


def _when_asked(name: str) -> Schema:
    """Return what holds for a question that another one decides about."""
    when = condition(name)
    assert when is not None
    decides: Schema = {"enum": list(when.answers)} if when.answers else {"not": {"const": ""}}
    asked: Schema = {"properties": {when.question: decides}}
    if not when.holds({}):
        asked["required"] = [when.question]
    # Copier takes no notice of the answer to a question that it does not ask.
    then: Schema = {"required": [name]} if is_required(name) else {"properties": {name: True}}
    return {"if": asked, "then": then}


def _narrow(found: Schema, name: str, allowed: Sequence[Answer]) -> None:
    """Narrow the schema of a question to what a policy allows."""
    if name in SEVERAL:
        found["items"] = {"enum": list(allowed)}
    elif name in CHOICES:
        found["enum"] = [each for each in CHOICES[name] if each in allowed]
    elif RULES[name] is yes_or_no:
        found["enum"] = list(allowed)
    elif name == "port":
        ends = [str(each).partition("-") for each in allowed]
        found["anyOf"] = [
            {"minimum": int(first), "maximum": int(last or first)} for first, _, last in ends
        ]
    else:
        found["anyOf"] = [{"pattern": whole(glob(str(each)))} for each in allowed]


def of_policy() -> dict[str, Any]:
    """Return the schema of an organisation's policy, as `extensions/policy.py` reads it."""
    shared = [name for name in questions() if name not in OWN]
    help_of = {name: questions()[name]["help"] for name in questions()}
    return {
        "$schema": DRAFT,
        "title": "Policy",
        "description": "What an organisation decides for the services made from the template.",
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {"description": "How people know this policy.", "$ref": "#/$defs/line"},
            "contact": {"description": "Whom people ask about it.", "$ref": "#/$defs/line"},
            "template": {
                "description": "URL of the organisation's copy of the template.",
                "$ref": "#/$defs/line",
                "examples": ["https://github.com/acme/rust-service-template"],
            },
            "minimum_version": {
                "description": "Oldest version of the template for services; a text in quotes.",
                "$ref": "#/$defs/line",
                "examples": ["1.2.0"],
            },
            "locked": {
                "description": "Answers that every service has; nobody is asked for them.",
                "$ref": "#/$defs/answers",
            },
            "allowed": {
                "description": "What may be answered; the first value is the new default where the "
                "template's default is not allowed.",
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: {
                        "description": help_of[name],
                        "type": "array",
                        "minItems": 1,
                        "items": _allowed_item(name),
                    }
                    for name in questions()
                },
            },
            "presets": {
                "description": "Answers that go together, by the name to choose them by.",
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/line"},
                "additionalProperties": {
                    "type": "object",
                    "required": ["help", "answers"],
                    "additionalProperties": False,
                    "properties": {
                        "help": {"description": "What they are for.", "$ref": "#/$defs/line"},
                        "answers": {"$ref": "#/$defs/answers"},
                    },
                },
            },
            "end_of_life": {
                "description": "First day on which no service is built on a base any more, by the "
                "name of the base; `*` and `?` are wildcards.",
                "type": "object",
                "additionalProperties": {"type": "string", "format": "date"},
                "examples": [{"alpine:3.22": "2027-05-01"}],
            },
        },
        "$defs": {
            "line": RULES["description"].schema(),
            "answers": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: {"description": help_of[name], **RULES[name].schema()} for name in shared
                },
            },
        },
    }


def _allowed_item(name: str) -> Schema:
    """Return the schema of one thing that a policy allows as the answer to a question."""
    rule = RULES[name].schema()
    if name == "port":
        return {"anyOf": [rule, {"type": "string", "pattern": whole(PORTS.pattern)}]}
    if name in SEVERAL:
        return {"enum": list(SEVERAL[name])}
    if name in CHOICES or RULES[name] is yes_or_no:
        return rule
    return {"type": "string"}
