"""Random answers that tests of properties share, and how many of them are tried."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from extensions.rules import CHOICES, RULES, SEVERAL, refusals, yes_or_no
from tests import answers as known

Answers = dict[str, object]

HOSTILE = st.text(
    st.sampled_from("a0-_./:@ \t\r\n\0\"'`\\$#{}%[]<>&|*é\u202e\u2028🦀"), max_size=12
)
VALUES = st.one_of(
    HOSTILE, st.text(max_size=12), st.integers(), st.booleans(), st.none(), st.lists(HOSTILE)
)


def tried(question: str) -> st.SearchStrategy[object]:
    """Return what is tried as the answer to a question, legal or not."""
    bad = [*known.BAD.get(question, []), *known.BAD_YAML.get(question, [])]
    short = [value for value in bad if len(str(value)) < 1000]
    return st.one_of(VALUES, st.sampled_from(short), legal(question))


def legal(question: str) -> st.SearchStrategy[object]:
    strategies: dict[str, st.SearchStrategy[object]] = {
        "service_name": st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){1,3}", fullmatch=True),
        "description": st.one_of(st.sampled_from(known.GOOD_DESCRIPTIONS), st.text(max_size=40)),
        "owner": st.sampled_from(known.GOOD_OWNERS),
        "port": st.integers(1024, 65535),
        "rust_version": st.sampled_from(["1.89.0", "1.95.0", "1.98.0"]),
        **{name: st.booleans() for name, rule in RULES.items() if rule is yes_or_no},
        **{
            name: st.lists(st.sampled_from(choices), unique=True)
            for name, choices in SEVERAL.items()
        },
        "image_registry": st.sampled_from(known.GOOD_IMAGE_REGISTRIES),
        "cargo_registry": st.sampled_from(known.GOOD_CARGO_REGISTRIES),
        "cargo_registry_index": st.sampled_from(known.GOOD_INDEXES),
        **{name: st.sampled_from(choices) for name, choices in CHOICES.items()},
    }
    return strategies[question].filter(lambda value: not refusals({question: value}, [question]))


def _all(
    answer: Callable[[str], st.SearchStrategy[object]],
) -> st.SearchStrategy[Answers]:
    """Return answers to some of the questions, always with a name and, for a registry, an index."""
    given = {name: answer(name) for name in RULES if name != "smoke"}
    needed = {name: given.pop(name) for name in ("service_name", "cargo_registry_index")}
    return st.fixed_dictionaries(needed, optional=given)


LEGAL = _all(legal)


@st.composite
def hostile(draw: st.DrawFn) -> Answers:
    """Draw legal answers of which one or two are anything."""
    answers = draw(LEGAL)
    for question in draw(st.lists(st.sampled_from(list(RULES)), min_size=1, max_size=2)):
        answers[question] = draw(tried(question))
    return answers


def tries(
    config: pytest.Config, ordinary: int
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    cases = config.getoption("cases")
    return settings(
        max_examples=cases or ordinary,
        derandomize=cases is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
