import pytest

from extensions.images import pulled_from
from extensions.pins import alpine_for, versions
from extensions.registry import minimum_rust
from extensions.rules import RULES, Refusal, refusal, refusals
from tests.answers import (
    BAD,
    BAD_YAML,
    GOOD_CARGO_REGISTRIES,
    GOOD_DESCRIPTIONS,
    GOOD_IMAGE_REGISTRIES,
    GOOD_INDEXES,
    GOOD_NAMES,
    GOOD_OWNERS,
)

GOOD: list[tuple[str, object, object]] = [
    *(("service_name", name, name) for name in GOOD_NAMES),
    *(("description", text, text) for text in GOOD_DESCRIPTIONS),
    *(("owner", owner, owner) for owner in GOOD_OWNERS),
    *(("image_registry", registry, registry) for registry in GOOD_IMAGE_REGISTRIES),
    *(("cargo_registry", registry, registry) for registry in GOOD_CARGO_REGISTRIES),
    *(("cargo_registry_index", index, index) for index in GOOD_INDEXES),
    ("platforms", "[linux/arm64]", ["linux/arm64"]),
    ("platforms", "[linux/arm64, linux/amd64, linux/arm64]", ["linux/amd64", "linux/arm64"]),
    ("platforms", ["linux/arm64", "linux/amd64"], ["linux/amd64", "linux/arm64"]),
    ("observability", "[]", []),
    ("observability", [], []),
    ("observability", "[traces, logs, traces]", ["logs", "traces"]),
    ("deploy", "[kubernetes, compose]", ["compose", "kubernetes"]),
    ("ci", "gitlab", "gitlab"),
    ("port", "1024", 1024),
    ("port", 65535, 65535),
    ("rust_version", "1.89.0", "1.89.0"),
    ("rust_version", "1.100.1", "1.100.1"),
    ("ca_certificates", "Yes", True),
    ("ca_certificates", "off", False),
    ("ca_certificates", True, True),
    ("framework", "rocket", "rocket"),
]


def _pairs(table: dict[str, list[object]]) -> list[tuple[str, object]]:
    return [(question, value) for question, values in table.items() for value in values]


@pytest.mark.parametrize(("question", "value"), _pairs(BAD) + _pairs(BAD_YAML))
def test_a_bad_answer_is_refused_in_one_short_line(question: str, value: object) -> None:
    with pytest.raises(Refusal) as refused:
        RULES[question](value)
    message = str(refused.value)
    assert "must" in message or "is a" in message or "is older" in message
    assert "\n" not in message
    assert message.isprintable()
    assert len(message) < 200


@pytest.mark.parametrize(("question", "value", "answer"), GOOD)
def test_a_good_answer_arrives_in_the_type_of_its_question(
    question: str, value: object, answer: object
) -> None:
    result = RULES[question](value)
    assert result == answer
    assert type(result) is type(answer)
    assert refusal(value, question) == ""


def test_every_question_has_bad_answers_that_are_tried() -> None:
    assert set(BAD) == set(RULES)


def test_an_unknown_name_is_told_the_nearest_one() -> None:
    assert refusals({"prot": "1"}, RULES) == ["prot: no question has this name; did you mean port?"]
    assert "they are service_name, " in refusals({"zzz": "1"}, ["service_name", "port"])[0]


def test_names_of_copier_itself_pass() -> None:
    assert refusals({"_src_path": "x", "_commit": "y"}, RULES) == []


@pytest.mark.parametrize(
    ("rust", "alpine"),
    [
        ("1.89.0", "3.22"),
        ("1.91.0", "3.22"),
        ("1.91.1", "3.23"),
        ("1.95.5", "3.23"),
        ("1.96.0", "3.24"),
        ("1.120.0", "3.24"),
    ],
)
def test_an_old_rust_builds_on_an_alpine_that_it_was_published_on(rust: str, alpine: str) -> None:
    assert alpine_for(rust) == alpine


def test_the_pinned_rust_is_a_legal_answer() -> None:
    assert refusal(versions()["rust"], "rust_version") == ""
    assert refusal(minimum_rust(), "rust_version") == ""


@pytest.mark.parametrize(
    ("image", "registry", "name"),
    [
        ("alpine:3.24", "", "alpine:3.24"),
        ("alpine:3.24", "localhost:5000", "localhost:5000/library/alpine:3.24"),
        ("rust:${X}-slim", "r.example.com/a/b", "r.example.com/a/b/library/rust:${X}-slim"),
        ("gcr.io/distroless/x:y", "r.example.com/m", "r.example.com/m/distroless/x:y"),
        ("gcr.io/distroless/x:y", "", "gcr.io/distroless/x:y"),
    ],
)
def test_an_image_has_its_own_name_below_a_mirror(image: str, registry: str, name: str) -> None:
    assert pulled_from(image, registry) == name
