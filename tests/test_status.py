"""Where services stand, as `catalog status` sees it, against what was done to them."""

import dataclasses
import datetime
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import copier
import pygit2
import pytest
import yaml
from hypothesis import given

from catalog.fleet import compare, look
from catalog.fleet.crew import FEW, Job, rows
from catalog.fleet.expected import APART, Expected
from extensions.pins import ROOT
from extensions.policy_file import VARIABLE
from hooks.check_recorded import same_source
from lab.fleet import make_fleet
from lab.rendering import render_service
from lab.repository import commit, git
from lab.versions import VERSIONS, replace, with_a_past
from tests.answers import COMBINATIONS
from tests.strategies import LEGAL, Answers, tries
from tests.test_policy import write

pytestmark = pytest.mark.slow

ANSWERS = ".copier-answers.yml"


@pytest.fixture(scope="module")
def template_with_a_past(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_a_past(template, tmp_path_factory.mktemp("past") / "template")


@pytest.fixture(scope="module")
def fleet(template_with_a_past: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of services of which each had something else done to it."""
    folder = tmp_path_factory.mktemp("fleet")
    for name, version in {
        "current": "3.0.0",
        "edited": "3.0.0",
        "missing": "3.0.0",
        "mode": "3.0.0",
        "behind": "1.0.0",
        "detached": "3.0.0",
        "skipped": "2.0.0",
        "undone": "3.0.0",
        "marked": "3.0.0",
        "marked-answers": "3.0.0",
        "gone": "3.0.0",
        "foreign": "3.0.0",
        "no-answers": "3.0.0",
        "strange-answers": "3.0.0",
        "uncommitted": "3.0.0",
        "in-many/services/one": "3.0.0",
    }.items():
        make(template_with_a_past, folder / name, version)
    earlier = folder.parent / "earlier"
    make(template_with_a_past, earlier, "2.0.0", name="undone")

    add_line(folder / "edited" / "src" / "routes.rs")
    (folder / "missing" / ".dockerignore").unlink()
    (folder / "mode" / "Cargo.toml").chmod(0o755)
    # The update to 3.0.0 was done by hand for one file, and taken back for another one.
    shutil.copy(folder / "current" / "src" / "routes.rs", folder / "skipped" / "src" / "routes.rs")
    shutil.copy(earlier / "src" / "routes.rs", folder / "undone" / "src" / "routes.rs")
    replace(folder / "marked" / "Dockerfile", "WORKDIR /app", "<<<<<<< before\nWORKDIR /app")
    with (folder / "marked-answers" / ANSWERS).open("a") as file:
        file.write("<<<<<<< before\nport: 1\n=======\n")
    replace(folder / "gone" / ANSWERS, "_commit: 3.0.0", "_commit: 9.9.9")
    replace(folder / "foreign" / ANSWERS, f"_src_path: {template_with_a_past}", "_src_path: gh:x/y")
    (folder / "no-answers" / ANSWERS).unlink()
    (folder / "strange-answers" / ANSWERS).write_text("_src_path: x\n_commit: [1]\n")
    for place in folder.iterdir():
        commit(place)
    add_line(folder / "uncommitted" / "src" / "routes.rs")
    git(folder / "detached", "checkout", "--quiet", "--detach")
    git(folder / "in-many", "branch", "--move", "trunk")
    origin = "https://jane:secret@git.example/current.git"
    git(folder / "current", "remote", "add", "origin", origin)
    git(folder, "init", "--quiet", str(folder / "empty"))
    (folder / "not-ours").mkdir()
    _forbid(folder / "not-ours")
    (folder / "no-repository").mkdir()
    return folder


def _forbid(folder: Path) -> None:
    """Make a repository that git does not read: nobody may, or its owner is somebody else."""
    git(folder, "init", "--quiet")
    if os.geteuid():
        (folder / ".git").chmod(0o000)
    else:
        os.chown(folder / ".git", 65534, 65534)
        os.chown(folder, 65534, 65534)


def add_line(file: Path) -> None:
    with file.open("a") as opened:
        opened.write("// Ours.\n")


def make(template: Path, folder: Path, version: str, name: str = "") -> None:
    answers = {"service_name": f"{name or folder.name}-api", "smoke": "none"}
    answers |= {"team" if version < "3" else "owner": "shop"}
    copier.run_copy(
        str(template), folder, data=answers, vcs_ref=version,
        defaults=True, unsafe=True, quiet=True, skip_tasks=True,
    )  # fmt: skip
    top = folder.parents[1] if "services" in folder.parts else folder
    git(top, "init", "--quiet")


STATES = {
    "current": "current",
    "edited": "edited",
    "missing": "edited",
    "mode": "edited",
    "behind": "behind",
    "detached": "current",
    "skipped": "stale",
    "undone": "stale",
    "marked": "conflict",
    "marked-answers": "conflict",
    "gone": "broken",
    "foreign": "foreign",
    "no-answers": "broken",
    "strange-answers": "broken",
    "uncommitted": "current",
    "in-many": "current",
    "empty": "broken",
    "no-repository": "broken",
    "not-ours": "broken",
}
DETAILS: dict[str, dict[str, object]] = {
    "edited": {"edited": ["src/routes.rs"], "behind": 0},
    "missing": {"missing": [".dockerignore"], "edited": []},
    "mode": {"modes": ["Cargo.toml"]},
    "behind": {"behind": 2, "version": "1.0.0", "edited": [], "missing": [], "stale": {}},
    "skipped": {"stale": {"src/routes.rs": "3.0.0"}, "behind": 1},
    "undone": {"stale": {"src/routes.rs": "2.0.0"}, "behind": 0},
    "marked": {"conflicts": ["Dockerfile"]},
    "marked-answers": {"conflicts": [ANSWERS]},
    "foreign": {"reason": "is made from gh:x/y"},
    "detached": {"branch": ""},
    "in-many": {"name": "one-api", "folder": "services/one", "branch": "trunk"},
    "current": {"remote": "https://jane:…@git.example/current.git", "folder": ""},
    "not-ours": {"name": "", "commit": ""},
}
REASONS = {
    "gone": "the template has no 9.9.9: ",
    "no-answers": f"has no {ANSWERS} committed",
    "strange-answers": "_commit: ",
    "empty": "has no commit",
    "no-repository": "is no folder of a git repository",
    "not-ours": "cannot be read by git: ",
}


def status(
    template: Path, *arguments: str | Path, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "bin" / "catalog", "status", "--template", template, *arguments]
    environment = {**os.environ, "COLUMNS": "60", **variables}
    return subprocess.run(
        [str(word) for word in command],
        env=environment, input=given, capture_output=True, check=False, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def seen(fleet: Path, template_with_a_past: Path) -> Iterator[list[dict[str, Any]]]:
    subprocess.run([ROOT / "bin" / "catalog", "--help"], check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as cache:
        places = sorted(fleet.iterdir())
        ended = status(
            template_with_a_past, *places, "--format=json", "--verify=3", XDG_CACHE_HOME=cache
        )
        assert ended.stderr == ""
        assert ended.returncode == 1
        yield json.loads(ended.stdout)


def test_every_service_is_in_the_state_that_it_was_brought_into(
    seen: list[dict[str, Any]], fleet: Path
) -> None:
    found = {Path(row["place"]).relative_to(fleet).parts[0]: row for row in seen}
    assert {name: row["state"] for name, row in found.items()} == STATES
    for name, details in DETAILS.items():
        assert {key: found[name][key] for key in details} == details, name
    for name, reason in REASONS.items():
        assert found[name]["reason"].startswith(reason), name
    # What needs a person most comes first.
    order = [look.STATES.index(row["state"]) for row in seen]
    assert order == sorted(order)


def test_people_and_programs_see_what_they_ask_for(
    fleet: Path, template_with_a_past: Path, tmp_path: Path
) -> None:
    few = [fleet / name for name in ("current", "edited", "behind")]
    listed = "".join(f"{place}\n" for place in few)
    ended = status(template_with_a_past, "-", "--no-cache", given=listed)
    assert ended.returncode == 1
    # A line for each, however narrow the window is, for programs such as grep.
    lines = ended.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["service", "state"],
        *([str(fleet / name), state] for name, state in (
            ("behind", "behind"), ("edited", "edited"), ("current", "current")
        )),
        ["3", "services:"],
    ]  # fmt: skip
    assert lines[2].endswith("edited: src/routes.rs")
    assert lines[-1] == "3 services: 1 behind, 1 edited, 1 current"
    ended = status(
        template_with_a_past, fleet / "[ce]*", "--format=jsonl", "--owner=sh*", "--framework=actix",
        "--state=edited", "--state=current", "--no-cache",
    )  # fmt: skip
    assert ended.returncode == 0
    names = {json.loads(line)["name"] for line in ended.stdout.splitlines()}
    assert names == {"current-api", "edited-api"}
    assert "no services" in status(template_with_a_past, few[0], "--runtime=debian").stdout
    (listed_in := tmp_path / "services.txt").write_text(
        f"# Ours\n\n{few[0]}\n{few[1]}\n\0\udcff\n", "utf-8", "surrogateescape"
    )
    output = tmp_path / "rows.json"
    ended = status(template_with_a_past, listed_in, "--format=json", "--no-cache", "-o", output)
    assert (ended.stdout, ended.stderr) == ("", "")
    states = [row["state"] for row in json.loads(output.read_text("utf-8"))]
    assert states == ["broken", "edited", "current"]
    ended = status(Path("/nowhere"), few[0])
    assert ended.returncode == 1
    assert ended.stderr.startswith("catalog: the template cannot be read: ")


def test_the_policy_is_judged_when_it_is_read(
    fleet: Path, template_with_a_past: Path, tmp_path: Path
) -> None:
    policy = {
        "name": "Acme",
        "allowed": {"runtime": ["alpine"]},
        "end_of_life": {"rust:*": datetime.date(2026, 1, 1)},
    }
    for part, state in (("allowed", "violation"), ("end_of_life", "ended")):
        file = write(tmp_path / "policy.yaml", {"name": "Acme", part: policy[part]})
        cache = {"XDG_CACHE_HOME": str(tmp_path), VARIABLE: str(file)}
        ended = status(template_with_a_past, fleet / "current", "--format=json", **cache)
        (row,) = json.loads(ended.stdout)
        assert (ended.returncode, row["state"]) == (1, state)
        assert "the policy Acme says so" in (row["violations"] + row["ended"])[0]


def test_an_end_of_life_is_known_without_a_policy(
    fleet: Path, template_with_a_past: Path, tmp_path: Path
) -> None:
    service = shutil.copytree(fleet / "edited", tmp_path / "ended")
    with (service / "Dockerfile").open("a") as file:
        file.write("FROM registry.acme.example/mirror/library/alpine:3.20.1 AS debug\n")
    commit(service)

    def seen(**variables: str) -> tuple[str, list[str]]:
        ended = status(template_with_a_past, service, "--format=json", "--no-cache", **variables)
        (row,) = json.loads(ended.stdout)
        return row["state"], row["ended"]

    image = "image: registry.acme.example/mirror/library/alpine:3.20.1 came to its end on"
    assert seen() == ("ended", [f"{image} 2026-04-01; Alpine says so"])
    # A policy has the last word on the images that it speaks of.
    policy = {"name": "Acme", "end_of_life": {"alpine:3.20*": datetime.date(2999, 1, 1)}}
    named = write(tmp_path / "policy.yaml", policy)
    assert seen(**{VARIABLE: str(named)}) == ("edited", [])
    policy = {"name": "Acme", "end_of_life": {"alpine:3.20*": datetime.date(2026, 2, 1)}}
    state, (line,) = seen(**{VARIABLE: str(write(tmp_path / "policy.yaml", policy))})
    assert (state, line.partition(";")[0]) == ("ended", f"{image} 2026-02-01")


@pytest.fixture
def job(template_with_a_past: Path, tmp_path: Path) -> Job:
    sources = frozenset([same_source(str(template_with_a_past))])
    today = datetime.date(2026, 11, 26)
    (scratch := tmp_path / "scratch").mkdir()
    return Job(str(template_with_a_past), scratch, sources, None, today, cached=True)


def test_a_tree_is_looked_at_once(
    fleet: Path, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    places = [fleet / "edited", fleet / "behind", fleet / "marked-answers"]
    first = list(rows(places, job, 1))
    with monkeypatch.context() as patch:
        patch.delattr(compare.Comparison, "seeing")
        assert list(rows(places, job, 1)) == first
    # What is kept is no promise: a broken file of it costs time alone.
    (kept,) = (tmp_path / "cache" / "catalog").iterdir()
    kept.write_bytes(b"no database")
    assert list(rows(places, job, 1)) == first


def test_what_is_seen_of_a_fleet_is_what_was_done_to_it(
    template_with_a_past: Path, job: Job, tmp_path: Path
) -> None:
    services = make_fleet(
        tmp_path / "fleet", template_with_a_past, 200, 7, tags=VERSIONS, variety=20
    )
    truth: dict[str, tuple[object, ...]] = {
        str(each.path): (
            each.name, each.version, each.commit, [*each.edited], [*each.removed],
            VERSIONS[::-1].index(each.version), each.answers["runtime"], {}, [], [], "",
        )
        for each in services
    }  # fmt: skip
    # There is something to see.
    assert {each.version for each in services} == {*VERSIONS}
    assert any(each.edited for each in services)
    assert any(each.removed for each in services)
    found = {
        row.place: (
            row.name, row.version, row.commit, row.seen.edited, row.seen.missing,
            row.behind, row.runtime, row.seen.stale, row.seen.modes, row.seen.conflicts, row.reason,
        )
        for row in rows((each.path for each in services), dataclasses.replace(job, cached=False), 1)
    }  # fmt: skip
    assert found == truth


def test_many_are_looked_at_by_several_processes(fleet: Path, job: Job, tmp_path: Path) -> None:
    places = [fleet / name for name in ("current", "edited", "empty")] * (FEW // 3 + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        several = list(rows(places, job, 2))
    assert several == list(rows(places, job, 1))


def test_what_only_a_copy_can_know_is_told_by_verify(
    template_with_a_past: Path, tmp_path: Path
) -> None:
    template = shutil.copytree(template_with_a_past, tmp_path / "template", symlinks=True)
    replace(template / "template" / "README.md.jinja", "## Run it", "## Run {{ _folder_name }}")
    commit(template)
    git(template, "tag", "4.0.0")
    make(template, tmp_path / "one", "4.0.0")
    commit(tmp_path / "one")
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    ended = status(template, tmp_path / "one", "--verify=1", **cache)
    assert ended.returncode == 1
    line = f"catalog: {tmp_path / 'one'}: a real copy differs in README.md\n"
    assert ended.stderr == line


def test_a_copy_that_is_refused_is_told_by_verify(
    template_with_a_past: Path, tmp_path: Path
) -> None:
    make(template_with_a_past, tmp_path / "one", "3.0.0")
    replace(tmp_path / "one" / ANSWERS, "owner: shop", "owner: a b")
    commit(tmp_path / "one")
    ended = status(template_with_a_past, tmp_path / "one", "--verify=1", "--no-cache")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"catalog: {tmp_path / 'one'}: no real copy is made: owner: ")
    assert ended.stderr.count("\n") == 1


def test_a_hostile_repository_is_a_row(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = pygit2.init_repository(str(tmp_path / "wide"))
    empty = wide.TreeBuilder()
    empty.insert("file", wide.create_blob(b""), 0o100644)
    tree = empty.write()
    for _ in range(8):  # 10^8 folders in a few objects
        builder = wide.TreeBuilder()
        for number in range(10):
            builder.insert(str(number), tree, 0o040000)
        tree = builder.write()
    deep = _commit(wide, tree)
    assert deep
    for name, text in {
        "large": "x" * 1_000_001,
        "bomb": "a: &a [1]\n" + "".join(f"{n}: &{n} [*a, *a]\n" for n in "bcdefgh"),
        "outside": "_src_path: /x\n_commit: '--help'\n",
        "no-date": "_src_path: /x\n_commit: 2026-99-99\n",
        "deep": "[" * 100_000,
        "less-deep": "[" * 4_000,
    }.items():
        repository = pygit2.init_repository(str(tmp_path / name))
        builder = repository.TreeBuilder()
        builder.insert(ANSWERS, repository.create_blob(text.encode()), 0o100644)
        _commit(repository, builder.write())
    for name, path in (("no-blob", ANSWERS), ("no-tree", "")):
        repository = pygit2.init_repository(str(tmp_path / name))
        builder = repository.TreeBuilder()
        builder.insert(ANSWERS, repository.create_blob(b"_src_path: x"), 0o100644)
        whole = repository[_commit(repository, builder.write())].peel(pygit2.Tree)
        torn = str(whole[path].id if path else whole.id)
        file = tmp_path / name / ".git" / "objects" / torn[:2] / torn[2:]
        file.chmod(0o644)
        file.write_bytes(b"torn")
    (tmp_path / "torn" / ".git").mkdir(parents=True)
    (tmp_path / "torn" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    places = [path for path in sorted(tmp_path.iterdir()) if path.name not in {"scratch", "cache"}]
    assert len(places) == 10
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = list(rows(places, job, 1))
    assert [row.state for row in found] == ["broken"] * len(places)
    assert all(row.reason and "\n" not in row.reason for row in found)


def _commit(repository: pygit2.Repository, tree: pygit2.Oid) -> pygit2.Oid:
    someone = pygit2.Signature("Jane", "jane@example.com", 1, 0)
    return repository.create_commit("HEAD", someone, someone, "x", tree, [])


@pytest.fixture(scope="module")
def expected(template: Path) -> Expected:
    return Expected(template)


def _assert_made_alike(template: Path, expected: Expected, answers: Answers) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "service"
        render_service(template, made, **answers)
        recorded = yaml.safe_load((made / ANSWERS).read_text("utf-8"))
        found = {
            path.relative_to(made).as_posix(): str(pygit2.hashfile(str(path)))
            for path in made.rglob("*")
            if path.is_file()
        }
    files = expected.files(recorded)
    wanted = {path: blob for path, blob in found.items() if path not in APART}
    assert {path: file.sha1 for path, file in files.items()} == wanted


def test_a_version_is_known_as_a_copy_makes_it(
    template: Path, expected: Expected, pytestconfig: pytest.Config
) -> None:
    for number, answers in enumerate(COMBINATIONS):
        named = {"service_name": f"service-{number}", **answers}
        _assert_made_alike(template, expected, named)

    @tries(pytestconfig, 25)
    @given(LEGAL)
    def holds(answers: Answers) -> None:
        _assert_made_alike(template, expected, answers)

    holds()
