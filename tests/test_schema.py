"""The schema of the questions judges answers as `copier copy` does."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import regress
from copier.errors import UserMessageError
from hypothesis import given
from hypothesis import strategies as st

from catalog.offer.schema import of_answers, of_policy
from extensions.questions import condition, questions
from extensions.rules import RULES, SEVERAL
from lab.rendering import render_service
from tests.answers import BAD, BAD_YAML, COMBINATIONS
from tests.strategies import LEGAL, Answers, hostile, legal, tries
from tests.test_rules import GOOD

RENDERS = 60
# What `copier copy` and the schema judge differently: why, the answers, and who takes them.
DIFFERENCES: list[tuple[str, Answers, str]] = [
    ("the command line gives text", {"port": "8080"}, "copier"),
    ("the command line gives words", {"ca_certificates": "yes", "catalog": "Off"}, "copier"),
    ("the command line gives YAML", {"platforms": "[linux/amd64]"}, "copier"),
    ("8080.0 is an integer of JSON, as 8080 is", {"port": 8080.0}, "schema"),
]


def _matches(
    validator: Any, pattern: str, instance: object, schema: object
) -> Iterator[jsonschema.ValidationError]:
    """Judge a pattern as ECMA-262 has it, with the flag u, as the specification wants."""
    if isinstance(instance, str) and regress.Regex(pattern, "u").find(instance) is None:
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _matches}
)
SCHEMA = of_answers()


def takes(schema: Any, value: object) -> bool:
    return bool(Validator(schema).is_valid(value))


def copier_takes(template: Path, answers: Answers) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            render_service(template, Path(folder) / "service", **answers)
        except UserMessageError:
            return False
    return True


def _is_a_difference(answers: Answers) -> bool:
    """Tell whether some answer is of a kind that `DIFFERENCES` lists."""
    return (
        isinstance(answers.get("port"), str | float)
        or any(isinstance(answers.get(name), str) for name in SEVERAL)
        or any(
            isinstance(answer, str) and RULES[name].schema().get("type") == "boolean"
            for name, answer in answers.items()
        )
    )


@pytest.mark.parametrize(("reason", "answers", "who"), DIFFERENCES, ids=str)
def test_the_differences_are_differences(
    reason: str, answers: Answers, who: str, template: Path
) -> None:
    named: Answers = {"service_name": "order-api", **answers}
    assert takes(SCHEMA, named) == (who == "schema")
    assert copier_takes(template, named) == (who == "copier")
    assert _is_a_difference(named)


def _is_text_of_json(answers: Answers) -> bool:
    """Tell whether JSON can hold it: https://www.rfc-editor.org/rfc/rfc8259#section-8.1."""
    return not any(0xD800 <= ord(each) <= 0xDFFF for each in str(answers))


@st.composite
def partial(draw: st.DrawFn) -> Answers:
    """Draw answers of which some that are needed may be missing, or have no question."""
    answers = draw(st.one_of(LEGAL, hostile()))
    for name in draw(st.sets(st.sampled_from(["service_name", "cargo_registry_index"]))):
        answers.pop(name, None)
    return {**answers, **draw(st.dictionaries(st.sampled_from(["port2", "_own"]), st.just(1)))}


def test_both_judge_alike(template: Path, pytestconfig: pytest.Config) -> None:
    @tries(pytestconfig, RENDERS)
    @given(partial().filter(_is_text_of_json))
    def holds(answers: Answers) -> None:
        if not _is_a_difference(answers):
            assert takes(SCHEMA, answers) == copier_takes(template, answers)

    holds()


@pytest.mark.parametrize("question", RULES)
def test_each_question_judges_as_its_rule(question: str, pytestconfig: pytest.Config) -> None:
    schema = RULES[question].schema()
    for bad in [*BAD[question], *BAD_YAML.get(question, [])]:
        assert not takes(schema, bad) or bad == 8080.0, bad

    for _, good, answer in (each for each in GOOD if each[0] == question):
        assert takes(schema, good) or good != answer, good

    @tries(pytestconfig, 100)
    @given(legal(question))
    def holds(answer: object) -> None:
        assert takes(schema, answer)

    holds()


def test_every_combination_is_taken() -> None:
    for answers in COMBINATIONS:
        assert takes(SCHEMA, {"service_name": "order-api", **answers})


def test_a_form_can_tell_what_is_asked() -> None:
    conditional = [name for name in questions() if condition(name)]
    assert [next(iter(each["then"].values())) for each in SCHEMA["allOf"]] == [
        {"ca_certificates": True},
        ["cargo_registry_index"],
    ]
    assert conditional == ["ca_certificates", "cargo_registry_index"]


def test_the_schemas_are_schemas() -> None:
    for schema in (of_answers(), of_policy()):
        jsonschema.Draft202012Validator.check_schema(schema)
