"""An update keeps every line of an owner, whatever git was told and whatever was edited."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.rendering import COPIER, render_service
from lab.repository import commit, git
from lab.versions import NEW_LINE, replace
from tests.conftest import Make
from tests.test_update import update

pytestmark = pytest.mark.slow

MINE = "// mine, with a blank at the end \n"


def edit(folder: Path, name: str = "src/routes.rs") -> None:
    """Add lines at the end of a file, and commit."""
    with (folder / name).open("a") as file:
        file.write(MINE)
    commit(folder)


def configured(tmp_path: Path, settings: str) -> dict[str, str]:
    """Return what makes git read settings as a person's own."""
    (tmp_path / "gitconfig").write_text(settings)
    return {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}


@pytest.mark.parametrize(
    "settings",
    [
        "[apply]\n\twhitespace = error\n",
        "[apply]\n\twhitespace = fix\n\tignoreWhitespace = change\n",
        "[core]\n\texcludesFile = {folder}/ignored\n",
        "[core]\n\tattributesFile = {folder}/attributes\n",
        "[status]\n\tshowUntrackedFiles = no\n",
        "[init]\n\tdefaultObjectFormat = sha256\n\tdefaultBranch = x\n",
        "[core]\n\thooksPath = {folder}/hooks\n",
        "[merge]\n\tconflictStyle = diff3\n\trenames = false\n[diff]\n\trenames = false\n",
        "[diff]\n\tnoprefix = true\n[color]\n\tui = always\n[core]\n\tquotePath = true\n",
    ],
    ids=lambda text: text.split("=")[0].split()[-1],
)
def test_settings_of_git(settings: str, make: Make, tmp_path: Path) -> None:
    (tmp_path / "ignored").write_text("*.rs\nDockerfile\n*.md\n")
    (tmp_path / "attributes").write_text("*.rs -diff binary\n")
    (tmp_path / "hooks").mkdir()
    for hook in ("pre-commit", "prepare-commit-msg", "commit-msg"):
        (tmp_path / "hooks" / hook).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "hooks" / hook).chmod(0o755)
    folder = make()
    edit(folder)
    ended = update(folder, **configured(tmp_path, settings.format(folder=tmp_path)))
    assert ended.returncode == 0, ended.stderr
    text = (folder / "src" / "routes.rs").read_text()
    assert text.endswith(MINE)
    assert "/// Registers the routes." in text
    assert NEW_LINE in (folder / ".dockerignore").read_text()


@pytest.mark.parametrize("where", ["info/exclude", "environment", "template"])
def test_files_that_git_is_told_to_ignore(where: str, make: Make, tmp_path: Path) -> None:
    ignored = tmp_path / "ignored"
    ignored.write_text("*\n")
    variables = {}
    if where == "environment":
        variables = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.excludesFile"}
        variables["GIT_CONFIG_VALUE_0"] = str(ignored)
    elif where == "template":
        (tmp_path / "git" / "info").mkdir(parents=True)
        shutil.copy(ignored, tmp_path / "git" / "info" / "exclude")
        variables = configured(tmp_path, f"[init]\n\ttemplateDir = {tmp_path}/git\n")
    folder = make()
    edit(folder)
    if where == "info/exclude":
        shutil.copy(ignored, folder / ".git" / "info" / "exclude")
    ended = update(folder, **variables)
    assert ended.returncode == 0, ended.stderr
    text = (folder / "src" / "routes.rs").read_text()
    assert text.endswith(MINE)
    assert "/// Registers the routes." in text


@pytest.mark.parametrize("settings", ["", "[status]\n\tshowUntrackedFiles = no\n"])
def test_a_conflict_is_marked(settings: str, make: Make, tmp_path: Path) -> None:
    folder = make()
    replace(folder / "src" / "routes.rs", "Registers every route", "Registers my routes")
    (folder / "src" / "routes.rs").chmod(0o755)
    commit(folder)
    ended = update(folder, **configured(tmp_path, settings))
    assert ended.returncode == 1
    text = (folder / "src" / "routes.rs").read_text()
    assert "<<<<<<< before updating\n/// Registers my routes.\n=======\n" in text
    assert "/// Registers the routes.\n>>>>>>> after updating\n" in text
    staged = git(folder, "ls-files", "--stage", "src/routes.rs").splitlines()
    assert [line.split()[0] + line.split()[2] for line in staged] == [
        "1006441", "1007552", "1006443",
    ]  # fmt: skip


def test_conflicts_as_patches(make: Make) -> None:
    folder = make()
    replace(folder / "src" / "routes.rs", "Registers every route", "Registers my routes")
    with (folder / ".gitignore").open("a") as ignored:
        ignored.write("*.rej\n")
    edit(folder)
    mine = (folder / "src" / "routes.rs").read_text()
    ended = update(folder, "--conflict=rej")
    assert ended.returncode == 1
    assert "src/routes.rs; nothing was built" in ended.stderr
    assert (folder / "src" / "routes.rs").read_text() == mine
    rejected = (folder / "src" / "routes.rs.rej").read_text()
    assert "-/// Registers my routes.\n+/// Registers the routes.\n" in rejected
    git(folder, "checkout", "--", "src/routes.rs")
    subprocess.run(["patch", "-p0"], cwd=folder, input=rejected, text=True, check=True)
    assert "/// Registers the routes." in (folder / "src" / "routes.rs").read_text()
    assert (folder / "src" / "routes.rs").read_text().endswith(MINE)


@pytest.mark.parametrize("flag", ["skip-worktree", "assume-unchanged"])
def test_an_edit_that_git_hides_is_refused(flag: str, make: Make) -> None:
    folder = make()
    git(folder, "update-index", f"--{flag}", "README.md", "Dockerfile")
    with (folder / "README.md").open("a") as file:
        file.write(MINE)
    ended = update(folder)
    assert ended.returncode == 1
    assert "README.md: has an edit that git is told not to show; show it with `git" in ended.stderr
    assert "Dockerfile" not in ended.stderr.partition("update: refused")[0].partition("README")[2]
    assert (folder / "README.md").read_text().endswith(MINE)
    assert "update: refused" in ended.stderr


def test_what_is_new_is_refused_though_status_hides_it(make: Make, tmp_path: Path) -> None:
    folder = make()
    (folder / "mine.md").write_text(MINE)
    settings = configured(tmp_path, "[status]\n\tshowUntrackedFiles = no\n")
    ended = update(folder, **settings)
    assert ended.returncode == 1
    assert "mine.md: commit, stash or ignore what is new here" in ended.stderr
    assert git(folder, "diff", "--stat") == ""


def test_going_back_touches_the_service_alone(make: Make, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    folder = make(shop / "service")
    shutil.rmtree(folder / ".git")
    git(shop, "init", "--quiet")
    (shop / "other").mkdir()
    (shop / "other" / "tracked").write_text("before\n")
    replace(folder / "src" / "routes.rs", "Registers every route", "Registers my routes")
    commit(shop)
    before = git(shop, "rev-parse", "HEAD:service")
    (shop / "other" / "tracked").write_text(MINE)
    (shop / "other" / "new").write_text(MINE)
    ended = subprocess.run(
        [COPIER, "update", "--trust", "--defaults", "service"],
        cwd=shop,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    way_back = ended.stderr.split("mend them and commit to go on; `")[1].split("`")[0]
    subprocess.run(way_back, cwd=shop, shell=True, check=True)  # noqa: S602
    git(folder, "add", "--all", ".")
    assert git(shop, "write-tree", "--prefix=service/") == before
    assert (shop / "other" / "tracked").read_text() == MINE
    assert (shop / "other" / "new").read_text() == MINE


def test_a_file_behind_a_symbolic_link(make: Make) -> None:
    folder = make()
    (folder / "docs").mkdir()
    (folder / "README.md").rename(folder / "docs" / "README.md")
    (folder / "README.md").symlink_to("docs/README.md")
    edit(folder, "docs/README.md")
    (folder / ".dockerignore").unlink()
    (folder / ".dockerignore").symlink_to("/dev/zero")
    commit(folder)
    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    assert (folder / "README.md").is_symlink()
    text = (folder / "docs" / "README.md").read_text()
    assert "## Send it" in text
    assert text.endswith(MINE)
    assert os.readlink(folder / ".dockerignore") == "/dev/zero"  # noqa: PTH115
    assert (
        ".dockerignore: is a symbolic link to /dev/zero, so the template's change" in ended.stderr
    )


def test_a_folder_behind_a_symbolic_link_is_refused(make: Make, tmp_path: Path) -> None:
    folder = make()
    (folder / "src").rename(tmp_path / "elsewhere")
    (folder / "src").symlink_to(tmp_path / "elsewhere")
    commit(folder)
    ended = update(folder)
    assert ended.returncode == 1
    assert "src: is a symbolic link, so the update would write elsewhere" in ended.stderr
    assert "Registers every" in (tmp_path / "elsewhere" / "routes.rs").read_text()


def test_without_tasks_an_update_is_merged_all_the_same(make: Make) -> None:
    folder = make()
    edit(folder, "NOTES.md")
    replace(folder / "src" / "routes.rs", "Registers every route", "Registers my routes")
    commit(folder)
    ended = update(folder, "--skip-tasks")
    assert ended.returncode == 1
    assert "update: conflict, 1.0.0 to 2.0.0" in ended.stderr
    assert (folder / "NOTES.md").read_text().endswith(MINE)


def test_a_file_that_git_ignores_stays_with_its_lines(make: Make) -> None:
    folder = make()
    for name in (".dockerignore", "README.md", "NOTES.md"):
        git(folder, "rm", "--quiet", "--cached", name)
    with (folder / ".gitignore").open("a") as ignored:
        ignored.write(".dockerignore\nREADME.md\nNOTES.md\n")
    with (folder / ".dockerignore").open("a") as file:
        file.write("mine\n")
    replace(folder / "README.md", "## Ship it", "## My way")
    commit(folder)
    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    text = (folder / ".dockerignore").read_text()
    assert "mine\n" in text
    assert NEW_LINE in text
    assert ".dockerignore: git ignores it; merged, and `git cat-file -p " in ended.stderr
    assert "## My way" in (folder / "README.md").read_text()
    assert (
        "README.md: git ignores it and the changes conflict, so your file is left" in ended.stderr
    )
    assert (folder / "NOTES.md").exists()
    assert "NOTES.md: git ignores it and the template no longer has it" in ended.stderr
    assert "README.md" not in git(folder, "status", "--short")


def test_a_renamed_file_takes_the_changes_along(make: Make) -> None:
    folder = make()
    (folder / "src" / "routes.rs").rename(folder / "src" / "endpoints.rs")
    (folder / ".dockerignore").unlink()
    edit(folder, "src/endpoints.rs")
    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    text = (folder / "src" / "endpoints.rs").read_text()
    assert "/// Registers the routes." in text
    assert text.endswith(MINE)
    assert not (folder / "src" / "routes.rs").exists()
    assert "src/endpoints.rs: takes the template's changes to src/routes.rs" in ended.stderr
    line = ".dockerignore: you have deleted it, so the template's change is left out"
    assert line in ended.stderr


def test_a_repository_of_sha_256(make: Make, two_versions: Path, tmp_path: Path) -> None:
    folder = make()
    shutil.rmtree(folder / ".git")
    git(folder, "init", "--quiet", "--object-format=sha256")
    replace(folder / "src" / "routes.rs", "Registers every route", "Registers my routes")
    edit(folder, "README.md")
    ended = update(folder)
    assert "src/routes.rs; nothing was built" in ended.stderr, ended.stderr
    assert "## Send it" in (folder / "README.md").read_text()
    assert (folder / "README.md").read_text().endswith(MINE)


def test_nothing_is_left_in_the_repository(make: Make, two_versions: Path, tmp_path: Path) -> None:
    folder = make()
    edit(folder)
    refs = git(folder, "for-each-ref")
    assert update(folder).returncode == 0
    assert git(folder, "for-each-ref") == refs
    commit(folder)
    again = update(folder)
    assert again.returncode == 0
    assert git(folder, "status", "--short") == ""
    fresh = tmp_path / "fresh"
    render_service(two_versions, fresh, service_name="order-api", smoke="none")
    for name in ("README.md", ".dockerignore", "Dockerfile"):
        assert (folder / name).read_text() == (fresh / name).read_text()
