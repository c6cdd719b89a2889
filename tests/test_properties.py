"""Properties that hold for any answers, any edits of an owner and any two versions.

Every run tries the same few cases; `--cases=5000` tries 5000 others.
"""

import dataclasses
import subprocess
import tempfile
import tomllib
from pathlib import Path

import copier
import pytest
import yaml
from copier.errors import TaskError, UserMessageError
from hypothesis import given
from hypothesis import strategies as st

from extensions.rules import RULES, refusals
from hooks.merge import merge, stored
from lab.rendering import render_service
from lab.repository import commit, git
from lab.versions import VERSIONS, with_a_past
from tests import answers as known
from tests.strategies import LEGAL, Answers, hostile, tries
from tests.test_text import assert_arrives

RENDERS, UPDATES = 60, 5  # a minute on two cores; docs/contributing.md says when to try more

# ------------------------------------------------------------------------------------ edits


@dataclasses.dataclass(frozen=True)
class Edit:
    """What an owner does to one of the emitted files."""

    kind: str
    file: int
    line: int
    text: str


WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\x85\u2028\u2029"),
    max_size=20,
)
KINDS = ("insert", "change", "delete", "remove", "rename", "indent", "windows", "unend", "add")
EDITS = st.lists(
    st.builds(Edit, st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 999), WORDS),
    min_size=1,
    max_size=6,
)


def _apply(folder: Path, edits: list[Edit]) -> None:
    for number, edit in enumerate(edits):
        files = _files(folder) - {".copier-answers.yml"}
        if not files:
            return
        name = sorted(files)[edit.file % len(files)]
        path = folder / name
        lines = path.read_bytes().split(b"\n")
        place = edit.line % len(lines)
        mine = f"mine {number} {edit.text}".encode()
        match edit.kind:
            case "insert":
                lines.insert(place, mine)
            case "change":
                lines[place] = mine
            case "delete":
                del lines[place]
            case "remove":
                path.unlink()
                continue
            case "rename":
                path.rename(path.with_name(f"{number}-{path.name}"))
                continue
            case "indent":
                lines = [b"  " + line if line else line for line in lines]
            case "windows":
                lines = [line + b"\r" for line in lines[:-1]] + lines[-1:]
            case "unend":
                while lines and not lines[-1]:
                    lines.pop()
            case "add":
                (folder / f"{number}.bin").write_bytes(mine + b"\xff\xfe\n")
        path.write_bytes(b"\n".join(lines))


def _files(folder: Path) -> set[str]:
    names = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return {name for name in names if name and (folder / name).is_file()}


def _lines(folder: Path) -> set[bytes]:
    """Return the lines of all files, those of the lock file without the white space around them.

    Cargo writes the lock file anew, in its own layout, when it brings it in step.
    """
    found: set[bytes] = set()
    for name in _files(folder):
        lines = (folder / name).read_bytes().split(b"\n")
        found.update(map(bytes.strip, lines) if name == "Cargo.lock" else lines)
    return found


# ------------------------------------------------------------------------------- properties


@pytest.fixture(scope="module")
def past(template: Path, cargo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_a_past(template, tmp_path_factory.mktemp("past") / "template")


def test_answers_are_refused_in_a_line_or_arrive(
    template: Path, pytestconfig: pytest.Config
) -> None:
    @tries(pytestconfig, RENDERS)
    @given(hostile())
    def holds(answers: Answers) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "made" / "service"
            try:
                render_service(template, folder, **{"smoke": "none", **answers})
            except UserMessageError as refusal:
                lines = str(refusal).split("\n")
                assert all(line.partition(":")[0] in answers for line in lines), lines
                assert len(lines) == len(refusals(answers, RULES)), lines
                assert not folder.parent.exists()
                return
            assert not refusals(answers, RULES)
            _assert_parses(folder, answers)

    holds()


def _assert_parses(folder: Path, answers: Answers) -> None:
    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text("utf-8"))
    for question, value in answers.items():
        asked = question != "cargo_registry_index" or answers.get("cargo_registry")
        asked = asked and (question != "ca_certificates" or recorded["runtime"] == "scratch")
        if asked:
            assert recorded[question] == RULES[question](value), question
    assert_arrives(folder, recorded["description"])
    for name in ("Cargo.toml", "Cargo.lock", ".cargo/config.toml"):
        if (folder / name).exists():
            tomllib.loads((folder / name).read_text("utf-8"))
    sources = folder.rglob("*.rs")
    subprocess.run(["rustfmt", "--check", "--edition=2024", *sources], check=True)


@pytest.mark.slow
def test_an_update_loses_no_line_of_the_owner(past: Path, pytestconfig: pytest.Config) -> None:
    journey = st.sampled_from([VERSIONS[:2], VERSIONS[1:], VERSIONS[::2], VERSIONS])

    @tries(pytestconfig, UPDATES)
    @given(LEGAL, LEGAL, EDITS, journey)
    def holds(
        answers: Answers,
        others: Answers,
        edits: list[Edit],
        versions: tuple[str, ...],
    ) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "service"
            changed = {
                question: value
                for question, value in others.items()
                if question in {"runtime", "port", "description", "framework"}
            }
            first = {"team" if name == "owner" else name: value for name, value in answers.items()}
            first["smoke"] = "none"
            copier.run_copy(
                str(past), folder, data=first, vcs_ref=versions[0],
                defaults=True, unsafe=True, quiet=True, skip_tasks=True,
            )  # fmt: skip
            git(folder, "init", "--quiet")
            git(folder, "config", "core.autocrlf", "false")
            commit(folder)
            emitted = _lines(folder)
            before = _files(folder)
            _apply(folder, edits)
            commit(folder)
            deleted = before - _files(folder)
            mine = _lines(folder) - emitted
            for version in versions[1:]:
                _update(folder, version, changed)
                assert mine <= _lines(folder)
                assert not deleted & _files(folder)
                assert not list(folder.rglob("*.rej"))
                commit(folder)
            _update(folder, versions[-1], {})
            assert git(folder, "status", "--short") == ""

    holds()


# The first line of each place where owners are invited to add lines; the next line ends it.
PLACES = {
    "Cargo.toml": "[dependencies]",
    "src/lib.rs": "// More modules go here.",
    "src/routes.rs": "// More routes go here.",
}


@pytest.mark.parametrize("framework", known.FRAMEWORKS)
def test_what_is_added_where_owners_are_invited_never_conflicts(
    framework: str, template: Path, tmp_path: Path, pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    service = tmp_path / "service"
    render_service(template, service, service_name="order-api", framework=framework)
    git(service, "init", "--quiet")
    monkeypatch.chdir(service)
    change = st.tuples(st.sampled_from(("insert", "change", "delete")), st.integers(0, 99), WORDS)

    @tries(pytestconfig, 25)
    @given(
        st.sampled_from(list(PLACES)),
        st.lists(WORDS, min_size=1, max_size=4),
        st.lists(change, min_size=1, max_size=6),
    )
    def holds(name: str, added: list[str], changes: list[tuple[str, int, str]]) -> None:
        emitted = (service / name).read_text("utf-8").splitlines()
        (at,) = [number for number, line in enumerate(emitted) if PLACES[name] in line]
        mine = [f"mine {number} {text}" for number, text in enumerate(added)]
        later: list[str | None] = [*emitted]
        for kind, number, text in changes:
            line = number % len(emitted)
            if line in (at, at + 1):
                continue
            new = f"theirs {text}"
            later[line] = {"insert": f"{new}\n{emitted[line]}", "change": new}.get(kind)
        sides = {
            "before": emitted,
            "service": [*emitted[: at + 1], *mine, *emitted[at + 1 :]],
            "after": [line for line in later if line is not None],
        }
        found = {}
        for side, lines in sides.items():
            file = tmp_path / "sides" / side / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join([*lines, ""]), "utf-8")
            found[side] = stored(tmp_path / "sides" / side, [name])
        merged = merge(**found, moves={}, untouchable=lambda _: False)
        assert not merged.conflicts
        text = git(service, "cat-file", "blob", merged.files[name].blob)
        assert "\n".join(mine) in text
        assert all(line in text for line in "\n".join(sides["after"]).split("\n"))

    holds()


def _update(folder: Path, version: str, answers: Answers) -> None:
    """Update a service, which may end with conflicts or with a manifest that Cargo cannot read."""
    try:
        copier.run_update(
            folder, data=answers, vcs_ref=version,
            defaults=True, overwrite=True, unsafe=True, quiet=True,
        )  # fmt: skip
    except TaskError as failed:
        if not any("finish_update.py" in str(word) for word in failed.cmd):
            raise
