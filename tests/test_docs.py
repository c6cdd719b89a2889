"""Every command of the README and the docs is run by a test; those that are cheap, here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from extensions.pins import ROOT
from extensions.questions import questions
from lab.rendering import COPIER
from lab.repository import commit, git
from maintenance import sessions
from maintenance.terminal import shell
from tests.conftest import Make
from tests.documents import be_jane, run
from tests.test_catalog import FIRST_DAY, FORK, WEEK, lead
from tests.test_readme import PLACEHOLDER
from tests.test_updating import EXAMPLE

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Parts of pages whose blocks are run one after the other, by the test that runs them.
IN_ORDER = {
    EXAMPLE: "test_updating.py::test_the_example_runs_and_prints_what_it_says",
    FIRST_DAY: "test_catalog.py::test_the_first_day_runs_as_written",
    WEEK: "test_catalog.py::test_the_normal_week_runs_as_written",
}
# The other blocks, by how they begin, with the test that runs them or what they say in other words.
BY_ITSELF = {
    "uvx --with copier-template-extensions copier copy": (
        "test_readme.py::test_a_service_without_a_clone"
    ),
    "cd my-service && cargo run": "test_readme.py::test_a_service_without_a_clone",
    "bin/copier copy": "test_readme.py::test_the_first_command_proves_a_service",
    "bin/test\n": "test_readme.py::test_there_are_two_commands",
    "sed -i": "test_readme.py::test_a_service_from_a_clone_says_so_and_gets_a_url",
    "cat > answers.yml": "test_docs.py::test_answers_in_a_file",
    "python3 hooks/doctor.py": "test_doctor.py::test_a_machine_that_makes_a_service",
    "bin/copier update": "test_docs.py::test_an_update_from_a_clone",
    "docker build --file": (
        "test_what_cargo_takes.py::test_a_workspace_that_the_service_is_a_member_of"
    ),
    "docker build --build-arg SOURCE": "test_images.py::test_labels_say_what_it_was_built_from",
    "docker build --secret": "test_registries.py::test_the_image_has_the_private_crate",
    "bin/test tests/test_properties.py": "test_docs.py::test_more_cases_can_be_asked_for",
    "bin/renew\n": "test_docs.py::test_what_is_made_can_be_made_anew",
    "git tag 1.2.3": "test_docs.py::test_a_version_is_tagged",
    "uvx --from git+": "test_package.py::test_uvx_runs_it_from_a_repository",
    "docker compose up --build": "test_compose.py::test_it_is_replaced_and_no_request_fails",
    "kubectl kustomize": "test_kubernetes.py::test_they_belong_together",
    "bin/catalog status": "test_status.py::test_people_and_programs_see_what_they_ask_for",
    "bin/catalog update move.yaml --open": (
        "test_move.py::test_each_service_gets_one_commit_on_a_new_branch"
    ),
    "bin/catalog plan services.txt": "test_pipelines.py::test_a_pipeline_carries_out_a_plan",
    "pipx install": (
        "test_cluster.py::test_a_worker_that_is_killed_loses_nothing_and_pushes_nothing_twice"
    ),
}


def blocks(page: Path) -> list[str]:
    """Return the blocks of commands of a page."""
    return re.findall(r"```(?:sh|console)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def block(page: str, begin: str) -> str:
    """Return the one block of a page that begins so."""
    (found,) = [each for each in blocks(ROOT / page) if each.startswith(begin)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_commands_is_run_by_a_test(page: Path) -> None:
    for each in blocks(page):
        if not any(each in text for text in IN_ORDER):
            known = [begin for begin in BY_ITSELF if each.startswith(begin)]
            assert len(known) == 1, f"which test runs this?\n{each}"


def test_the_tests_that_run_them_are_there() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert all(part in text for part in IN_ORDER)
    every = [each for page in PAGES for each in blocks(page)]
    assert all(any(each.startswith(begin) for each in every) for begin in BY_ITSELF)
    for name in {*IN_ORDER.values(), *BY_ITSELF.values()}:
        file, _, function = name.partition("::")
        assert f"\ndef {function}(" in (ROOT / "tests" / file).read_text("utf-8"), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for inline in MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8")):
        for token in inline.children or ():
            target = str(token.attrs.get("href") or token.attrs.get("src") or "")
            if not target or re.match(r"https?:", target):
                continue
            name, _, anchor = target.partition("#")
            file = page.parent / name if name else page
            assert file.exists(), target
            if anchor:
                headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
                anchors = [re.sub(r"[^\w -]", "", each.lower()) for each in headings]
                assert anchor in [each.replace(" ", "-") for each in anchors], target
            assert token.type != "image" or len(token.content) > 20, f"{target} needs words"


def test_the_pictures_show_what_is_asked() -> None:
    asked = [question["help"] for question in questions().values()]
    shown = [text for text, _ in (*sessions.ANSWERED, *sessions.LEFT)]
    with_words = [next(each for each in asked if each.startswith(text)) for text in shown]
    never = {questions()["cargo_registry_index"]["help"]}
    assert with_words == [each for each in asked if each not in never]
    drawn = (ROOT / "docs" / "images" / "prompts.svg").read_text("utf-8").replace("&#160;", " ")
    for words in with_words[: len(sessions.ANSWERED) + 1]:
        assert words in drawn, "bin/renew pictures takes it anew"


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let people be Jane, who has Copier on her PATH."""
    be_jane(monkeypatch)
    monkeypatch.setenv("PATH", f"{Path(COPIER).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def clone(two_versions: Path, tmp_path: Path) -> Path:
    """Return a clone of a repository of the template, in which all is installed."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(two_versions), str(folder))
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def test_answers_in_a_file(
    tagged: Path, programs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, {FORK: tagged, f"{FORK}.git": tagged})
    text = block("docs/creating.md", "cat > answers.yml").replace(PLACEHOLDER, FORK)
    run(f"```sh\n{text}```", tmp_path)
    recorded = yaml.safe_load((tmp_path / "order-api" / ".copier-answers.yml").read_text())
    assert (recorded["_src_path"], recorded["_commit"]) == (FORK, "1.0.0")
    assert recorded["observability"] == ["logs", "metrics"]
    assert recorded["runtime"] == "distroless"


def test_an_update_from_a_clone(make: Make, clone: Path, tmp_path: Path) -> None:
    folder = make(tmp_path / "order-api")
    with shell(clone, os.environ) as terminal:
        terminal.type(block("docs/updating.md", "bin/copier update").replace("\n", "\r"))
        for question, _ in (*sessions.ANSWERED, *sessions.LEFT):
            terminal.wait_for(question)
            terminal.type("\r")
        terminal.wait_for("update: merged, 1.0.0 to 2.0.0")
    assert "_commit: 2.0.0" in (folder / ".copier-answers.yml").read_text()


def test_more_cases_can_be_asked_for() -> None:
    _, *arguments = block("docs/contributing.md", "bin/test tests/test_properties.py").split()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *arguments],
        cwd=ROOT, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    assert "test_properties.py" in ended.stdout


def test_what_is_made_can_be_made_anew(clone: Path) -> None:
    renew, release = block("docs/releasing.md", "bin/renew\n").splitlines()
    readme = clone / "README.md"
    text = readme.read_text("utf-8")
    readme.write_text(re.sub(r"^\| `smoke` .*\n", "", text, flags=re.MULTILINE), "utf-8")
    # Without a part it asks Cargo and PyPI for news of all crates and packages.
    subprocess.run([*renew.split(), "tables"], cwd=clone, check=True, capture_output=True)
    assert readme.read_text("utf-8") == text
    ended = subprocess.run(
        [*release.split(), "version"], cwd=clone, capture_output=True, check=False, text=True
    )
    assert ended.stdout == "LACKS  version: 1.2.3 must be newer than 2.0.0, which is tagged\n"


def test_a_version_is_tagged(clone: Path, programs: None, tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(clone), str(origin))
    git(clone, "remote", "set-url", "origin", str(origin))
    commit(clone)
    run(f"```sh\n{block('docs/releasing.md', 'git tag')}```", clone)
    assert "1.2.3" in git(origin, "tag").split()
