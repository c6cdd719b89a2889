"""The docs name tests that exist."""

import re

import pytest

from extensions.pins import ROOT

# The rows of every table that says what something is shown by.
ROWS = [
    row
    for page in sorted((ROOT / "docs").glob("*.md"))
    for table in re.findall(r"\| shown by \|\n\|[-|]+\n((?:\|.*\n)+)", page.read_text("utf-8"))
    for row in table.splitlines()
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_a_row_names_the_tests_that_show_it(row: str) -> None:
    *_, tests, _ = (cell.strip() for cell in row.split("|"))
    names = re.findall(r"`([^`]+)`", tests)
    assert names
    assert all("::test_" in name for name in names)


def test_what_is_promised_is_in_such_rows() -> None:
    for name in ("patterns", "registries", "security"):
        text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
        assert sum(row in text for row in ROWS) > 8


def test_every_test_that_the_docs_name_is_there() -> None:
    text = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    named = set(re.findall(r"\b(test_\w+\.py)(?:::(test_\w+))?", text))
    assert len(named) > 20
    for file, function in named:
        assert not function or f"\ndef {function}(" in (ROOT / "tests" / file).read_text("utf-8")


def test_every_pattern_technique_and_pitfall_has_a_row() -> None:
    for section, count in (("Patterns", 3), ("Techniques", 5), ("Pitfalls", 5)):
        text = (ROOT / "docs" / "patterns.md").read_text("utf-8")
        body = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        numbers = re.findall(r"^\| (\d)\.", body, re.MULTILINE)
        assert numbers == [str(number) for number in range(1, count + 1)]
