"""The plan of a move, as a person reads and edits it, and the journal of one."""

import json
from pathlib import Path

import pytest

from catalog.fleet.look import Row, Seen
from catalog.move import journal
from catalog.move.outcome import Outcome
from catalog.move.plan import BadPlan, Plan, Service, Wave, read, written
from catalog.move.planning import BadWaves, sorted_out, waves

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PLAN = Plan(
    title="Update the template to 2.0.0",
    template="https://github.com/acme/rust-service-template",
    to="2.0.0",
    commit=COMMIT,
    branch="template/2.0.0",
    author="Jane Doe <jane@example.com>",
    waves=[
        Wave("canary", [Service("one", "https://git/one.git", since="1.0.0")]),
        Wave("rest", [Service("two", "https://git/many.git", "services/two", "1.0.0", 3)]),
    ],
    shards=4,
    current=7,
    left_out=[Service("Zoë: old", "https://git/old", reason="is made from gh:x/y")],
)


def test_a_plan_is_what_its_file_says(tmp_path: Path) -> None:
    file = tmp_path / "move.yaml"
    file.write_text(written(PLAN))
    assert read(file) == PLAN
    line = "  - {name: one, from: 1.0.0, remote: 'https://git/one.git'}"
    assert line in file.read_text().splitlines()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("branch:", "brunch:", "brunch: must be one of author, branch, "),
        ("to: 2.0.0", "to: 2.0", "to: must be a line of text"),
        ("- {name: one,", "- {nme: one,", "waves[0].services[0].nme: must be one of "),
        ("'https://git/one.git'", "--upload-pack=x", "waves[0].services[0].remote: must not begin"),
        ("'https://git/one.git'", '"a\\nb"', "waves[0].services[0].remote: must be a line of"),
        ("'https://git/many.git', folder: services/two", "https://git/one.git", "waves: https://"),
        ("waves:\n", "waves: none\nleft:\n", "left: must be one of"),
        ("shards: 4", "shards: 0", "shards: must be a number from 1"),
        ("title:", "\ttitle:", "line 3"),
    ],
)
def test_a_mistake_in_a_plan_is_one_line(old: str, new: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "move.yaml"
    text = written(PLAN)
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(BadPlan) as refused:
        read(file)
    said = str(refused.value)
    assert said.startswith(f"{file}: ")
    assert reason in said
    assert "\n" not in said


def row(name: str, **more: object) -> Row:
    url = f"https://git/{name}"
    given = {"name": name, "version": "1.0.0", "url": url, "remote": url, **more}
    return Row(f"/home/jane/{name}", **given)  # type: ignore[arg-type]


def test_who_is_moved_and_who_is_not() -> None:
    rows = [
        row("plain"),
        row("edited", seen=Seen(edited=["a", "b"], missing=["c"])),
        row("has-it", version="2.0.0"),
        row("later", version="2.1.0"),
        row("between", version="1.0.0-3-g0123456"),
        row("foreign", state="foreign", reason="is made from gh:x/y"),
        row("broken", state="broken", reason="has no commit"),
        row("marked", seen=Seen(edited=["a"], conflicts=["a"])),
        row("local", url="", remote=""),
        row("secret", url="https://me:pw@git/secret", remote="https://me:…@git/secret"),
        row("token", url="https://ghp_pw@git/token", remote="https://…@git/token"),
        row("no-version", version="0123456"),
        row("plain"),
    ]
    moved, left_out, current = sorted_out(rows, "2.0.0")
    assert {service.name: service.edited for service, _ in moved} == {
        "plain": 0,
        "edited": 3,
        "between": 0,
    }
    assert current == 2
    assert {service.name: service.reason for service in left_out} == {
        "foreign": "is made from gh:x/y",
        "broken": "has no commit",
        "marked": "has a conflict in a; mend that first",
        "local": "has no remote `origin`",
        "secret": "its URL has a password, which would be in the plan; let git lend it instead",
        "token": "its URL has a password, which would be in the plan; let git lend it instead",
        "no-version": "is made from 0123456, which is no version",
    }
    assert "pw" not in "".join(service.key for service in left_out)


def test_waves_begin_with_a_few_of_every_kind_and_those_that_nobody_edited() -> None:
    rows = [
        row(f"{framework}-{number}", framework=framework, seen=Seen(edited=["a"] * (number % 2)))
        for framework in ("actix", "rocket")
        for number in range(20)
    ]
    moved, _, _ = sorted_out(rows, "2.0.0")
    dealt = waves(moved, "3,25%,50%")
    assert [(wave.name, len(wave.services)) for wave in dealt] == [
        ("canary", 3),
        ("25%", 7),
        ("50%", 10),
        ("rest", 20),
    ]
    assert [each.name for each in dealt[0].services] == ["actix-0", "rocket-0", "actix-2"]
    edited = [service.edited for wave in dealt for service in wave.services]
    assert edited == [0] * 20 + [1] * 20
    assert [wave.name for wave in waves(moved[:2], "3,10%,50%")] == ["canary"]
    for wrong in ("0", "110%", "", "many"):
        with pytest.raises(BadWaves):
            waves(moved, wrong)


def outcome(word: str, commit: str = "") -> Outcome:
    return Outcome("https://git/one.git", "one", word, commit=commit)


def test_a_journal_counts_by_its_lines_whatever_the_clock_said(tmp_path: Path) -> None:
    with journal.kept(tmp_path, PLAN) as (written_now, known):
        assert not known.outcomes
        written_now.add(outcome("failed"), "2099-01-01T00:00:00+00:00")
        written_now.add(outcome("merged", commit="c1"), "1999-01-01T00:00:00+00:00")
        written_now.opened(outcome("merged", commit="c1"), "1998-01-01T00:00:00+00:00")
    with journal.kept(tmp_path, PLAN) as (_, known):
        assert known.outcomes["https://git/one.git"].outcome == "merged"
        assert known.opened == {"c1"}


def test_a_torn_line_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    with journal.kept(tmp_path, PLAN) as (written_now, _):
        written_now.add(outcome("failed"), "")
    file = tmp_path / journal.FILE
    torn = json.dumps(outcome("merged").as_data())[:-9]
    file.write_text(file.read_text() + torn)
    with journal.kept(tmp_path, PLAN) as (written_now, known):
        assert known.outcomes["https://git/one.git"].outcome == "failed"
        written_now.add(outcome("conflict"), "")
    assert journal.read(file, PLAN).outcomes["https://git/one.git"].outcome == "conflict"


def test_a_journal_of_another_plan_is_left_alone(tmp_path: Path) -> None:
    with journal.kept(tmp_path, PLAN):
        pass
    other = Plan(**{**vars(PLAN), "to": "3.0.0"})
    with pytest.raises(journal.OtherPlan, match=r"is of a move to 2\.0\.0"):
        journal.read(tmp_path / journal.FILE, other)
