"""`copier update` across versions that rename questions and files, and drop choices."""

import io
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pexpect
import pytest
import yaml
from packaging.version import Version

from extensions.pins import ROOT
from extensions.renames import version
from lab.rendering import COPIER
from lab.repository import commit, git
from lab.versions import NOTES, VERSIONS, add_crate, replace, with_a_past
from tests.conftest import missing
from tests.test_update import MINE, update

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def past(toys: Path, cargo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_a_past(toys, tmp_path_factory.mktemp("past") / "template")


def make(past: Path, folder: Path, version: str = "1.0.0", **answers: str) -> Path:
    """Make a service of a version, in a repository of its own."""
    given = {"service_name": "order-api", "smoke": "none", **answers}
    data = [f"--data={name}={value}" for name, value in given.items()]
    command = [COPIER, "copy", "--quiet", "--trust", "--defaults", *data, f"--vcs-ref={version}"]
    subprocess.run([*command, str(past), str(folder)], check=True)
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def answers_of(folder: Path) -> dict[str, object]:
    answers: dict[str, object] = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    return answers


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_a_renamed_question_keeps_its_answer(version: str, past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service", version, team="shop")
    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    assert "  team: is called owner now\n" in ended.stderr
    assert "owner: is new" not in ended.stderr
    recorded = answers_of(folder)
    assert recorded["owner"] == "shop"
    assert "team" not in recorded
    assert "Owned by shop." in (folder / "README.md").read_text()


def test_a_renamed_question_is_not_skipped(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service", team="shop")
    ended = update(folder, "--skip-answered")
    assert ended.returncode == 1
    assert "team: is called owner now; update without --skip-answered\n" in ended.stderr
    assert git(folder, "status", "--short") == ""
    assert "Traceback" not in ended.stderr


def test_a_recopy_forgets_no_answer(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service", team="shop")
    command = [COPIER, "recopy", "--trust", "--defaults", "--overwrite", "--skip-tasks"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "team: is called owner now; -d owner=shop keeps it\n"
    assert git(folder, "status", "--short") == ""
    decided = [*command, "-d", "owner=shop"]
    ended = subprocess.run(decided, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert answers_of(folder)["owner"] == "shop"


@pytest.mark.parametrize(
    ("commit", "found"),
    [
        ("1.2.0", "1.2.0"),
        ("v1.2.0", "1.2.0"),
        ("1.2.0-3-g858a109", "1.2.0"),
        ("858a109", None),
        ("1234567", None),
        ("a" * 40, None),
    ],
)
def test_a_commit_is_no_version(commit: str, found: str | None) -> None:
    assert version(commit) == (found and Version(found))


def test_what_is_no_longer_asked_is_forgotten(past: Path, tmp_path: Path) -> None:
    own = shutil.copytree(past, tmp_path / "template", symlinks=True)
    with (own / "copier.yml").open("a") as questions:
        questions.write("\ncolour:\n  type: str\n  default: red\n")
    replace(own / "extensions" / "rules.py", '"port": port,', '"port": port,\n    "colour": owner,')
    commit(own)
    git(own, "tag", "3.1.0")
    folder = make(own, tmp_path / "service", "3.1.0", colour="blue")
    git(own, "checkout", "--quiet", "3.0.0")
    commit(own, "as before")
    git(own, "tag", "3.2.0")
    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    assert "  colour: is no longer asked\n" in ended.stderr
    assert "colour" not in answers_of(folder)


def test_a_choice_that_is_gone_must_be_decided(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service", profile="both")
    ended = update(folder)
    assert ended.returncode == 1
    assert "profile: 'both' must be one of size, speed" in ended.stderr
    assert "Traceback" not in ended.stderr
    git(folder, "reset", "--quiet", "--hard")
    decided = update(folder, "--data=profile=speed")
    assert decided.returncode == 0, decided.stderr
    assert answers_of(folder)["profile"] == "speed"


def test_a_runtime_that_is_gone_must_be_decided(past: Path, tmp_path: Path) -> None:
    own = shutil.copytree(past, tmp_path / "template", symlinks=True)
    git(own, "mv", "runtimes/slim", "runtimes/thin")
    commit(own)
    git(own, "tag", "4.0.0")
    folder = make(own, tmp_path / "service", runtime="slim")
    ended = update(folder)
    assert ended.returncode == 1
    assert (
        "runtime: 'slim' must be one of scratch, distroless, alpine, debian, thin" in ended.stderr
    )
    assert "Traceback" not in ended.stderr
    git(folder, "reset", "--quiet", "--hard")
    decided = update(folder, "--data=runtime=thin")
    assert decided.returncode == 0, decided.stderr


def test_a_moved_file_takes_the_edits_along(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service")
    replace(folder / "NOTES.md", "before a release", "before a Friday")
    commit(folder)
    ended = update(folder, "--vcs-ref=2.0.0")
    assert ended.returncode == 0, ended.stderr
    assert "  NOTES.md: is docs/NOTES.md now, with your edits\n" in ended.stderr
    assert not (folder / "NOTES.md").exists()
    text = (folder / "docs" / "NOTES.md").read_text()
    assert text == NOTES.replace("a release", "a Friday") + "- Rest.\n"


def test_a_moved_file_shows_its_conflicts(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service")
    with (folder / "NOTES.md").open("a") as notes:
        notes.write("- Dance.\n")
    commit(folder)
    ended = update(folder, "--vcs-ref=2.0.0")
    assert ended.returncode != 0
    assert ": docs/NOTES.md; nothing was built" in ended.stderr
    assert "UU docs/NOTES.md" in git(folder, "status", "--short") or "AA docs/NOTES.md" in git(
        folder, "status", "--short"
    )
    text = (folder / "docs" / "NOTES.md").read_text()
    assert "- Dance." in text
    assert "- Rest." in text


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_file_that_is_gone_stays_where_it_was_edited(
    edited: bool, nested: bool, past: Path, tmp_path: Path
) -> None:
    folder = make(past, tmp_path / "shop" / "service")
    if nested:  # a service in the repository of its organisation
        shutil.rmtree(folder / ".git")
        git(folder.parent, "init", "--quiet")
    if edited:
        with (folder / "NOTES.md").open("a") as notes:
            notes.write(MINE)
    commit(folder.parent if nested else folder)
    ended = update(folder, "--vcs-ref=3.0.0")
    assert ended.returncode == 0, ended.stderr
    assert (folder / "NOTES.md").exists() == edited
    assert not (folder / "docs").exists()
    line = "NOTES.md: stays, though the template no longer has it, since you have edited it"
    assert (line in ended.stderr) == edited
    if edited:
        assert (folder / "NOTES.md").read_text() == NOTES + MINE


@pytest.mark.parametrize("conflict", [False, True])
def test_a_lock_file_that_was_deleted_stays_so(conflict: bool, past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service")
    (folder / "Cargo.lock").unlink()
    if conflict:
        add_crate(folder / "Cargo.toml", "itoa", "1")
    commit(folder)
    ended = update(folder)
    assert (ended.returncode != 0) == conflict, ended.stderr
    assert (": Cargo.toml; nothing was built" in ended.stderr) == conflict, ended.stderr
    assert not (folder / "Cargo.lock").exists()


def test_a_lock_file_that_git_ignores_is_left_alone(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service")
    lock = folder / "Cargo.lock"
    git(folder, "rm", "--quiet", "--cached", "Cargo.lock")
    with (folder / ".gitignore").open("a") as ignored:
        ignored.write("Cargo.lock\n")
    lock.write_text(f"{lock.read_text()}# mine\n")
    commit(folder)
    # Cargo.toml stays as it is, so that Cargo has no reason to write the file.
    ended = update(folder, "--vcs-ref=:current:", "--data=port=9000")
    assert ended.returncode == 0, ended.stderr
    assert lock.read_text().endswith("# mine\n")


def test_what_copier_cannot_merge_is_refused(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service")
    with (folder / "src" / "routes.rs").open("ab") as routes:
        routes.write(b"// caf\xe9\n")
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    (folder / "README.md" / "mine.md").touch()
    commit(folder)
    ended = update(folder)
    assert ended.returncode == 1
    assert (
        "\nREADME.md: is a folder here and a file in the template; give it another name\n"
        in ended.stderr
    )
    assert re.search(r"^src/routes.rs: line \d+ is not UTF-8, and Copier", ended.stderr, re.M)
    assert "Traceback" not in ended.stderr
    assert git(folder, "status", "--short") == ""


def test_a_comment_in_the_answers_file_is_told_when_it_goes(past: Path, tmp_path: Path) -> None:
    folder = make(past, tmp_path / "service")
    with (folder / ".copier-answers.yml").open("a") as answers:
        answers.write("# ask Jane\n")
    commit(folder)
    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("this line of yours is gone: ") == 1
    assert "this line of yours is gone: # ask Jane\n" in ended.stderr


def _tags() -> list[str]:
    shown = subprocess.run(
        ["git", "tag", "--list"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return shown.stdout.split()


@pytest.mark.parametrize("version", [*VERSIONS[:-1], *_tags()])
def test_every_earlier_version_can_be_updated(
    version: str, past: Path, tmp_path: Path, template: Path
) -> None:
    """From each tag of this repository, and of the past that was made up, to what is here now."""
    source = tmp_path / "template"
    if version in VERSIONS:
        shutil.copytree(past, source, symlinks=True)
    else:
        git(tmp_path, "clone", "--quiet", str(ROOT), str(source))
    folder = make(source, tmp_path / "service", version)
    with (folder / "src" / "settings.rs").open("a") as settings:
        settings.write(MINE)
    commit(folder)
    for entry in source.iterdir():
        if entry.name not in {".git", "renames.toml"}:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    keep = (source / "renames.toml").read_text() if version in VERSIONS else None
    shutil.copytree(template, source, dirs_exist_ok=True, symlinks=True)
    if keep:
        (source / "renames.toml").write_text(keep)
    commit(source)
    git(source, "tag", "99.0.0")
    ended = update(folder)
    assert ended.returncode == 0, ended.stderr
    assert MINE in (folder / "src" / "settings.rs").read_text()
    assert answers_of(folder)["_commit"] == "99.0.0"


def assert_nothing_is_lost(folder: Path, ended: str) -> None:
    """Go back as an update that was stopped says, and update again."""
    assert "Traceback" not in ended
    git(folder, "reset", "--quiet", "--hard")
    git(folder, "clean", "--quiet", "-fd")
    assert MINE in (folder / "src" / "settings.rs").read_text()
    again = update(folder)
    assert again.returncode == 0, again.stderr
    assert MINE in (folder / "src" / "settings.rs").read_text()


def edited(folder: Path) -> Path:
    with (folder / "src" / "settings.rs").open("a") as settings:
        settings.write(MINE)
    commit(folder)
    return folder


@pytest.fixture
def pondering(past: Path, tmp_path: Path) -> Path:
    """Return the template with a past where one more release ponders over some names."""
    own = shutil.copytree(past, tmp_path / "template", symlinks=True)
    seconds = "{% for _ in range(9999) %}{% for _ in range(5000) %}{% endfor %}{% endfor %}"
    replace(
        own / "copier.yml",
        "validator: \"{{ service_name | refusal('service_name') }}\"\n",
        f"validator: \"{{% if service_name.endswith('slow') %}}{seconds}{{% endif %}}\"\n",
    )
    commit(own)
    git(own, "tag", "4.0.0")
    return own


@pytest.mark.parametrize(
    ("number", "typed"), [(signal.SIGINT, ""), (signal.SIGTERM, ""), (signal.SIGTERM, "slow")]
)
def test_stopped_at_the_prompt(number: int, typed: str, pondering: Path, tmp_path: Path) -> None:
    folder = edited(make(pondering, tmp_path / "service"))
    terminal = pexpect.spawn(
        COPIER, ["update", "--trust"], cwd=folder, encoding="utf-8", dimensions=(40, 120)
    )
    terminal.logfile_read = shown = io.StringIO()
    terminal.expect("crate, its binary and its image")
    if typed:
        terminal.send(typed)
        time.sleep(1)  # nothing shows that the validator is at it
    terminal.kill(number)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus or terminal.signalstatus
    assert git(folder, "diff", "--name-only").split() in ([], [".copier-answers.yml"])
    assert_nothing_is_lost(folder, shown.getvalue())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_merge(
    number: int, past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = edited(make(past, tmp_path / "service"))
    merging = tmp_path / "merging"
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(
        f'#!/bin/sh\ncase " $* " in *" apply "*) touch {merging}; sleep 3;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    slow.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
        copier = subprocess.Popen(
            [COPIER, "update", "--trust", "--defaults"],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
    with copier:
        while not merging.exists():
            assert copier.poll() is None
            time.sleep(0.01)
        copier.send_signal(number)
        _, told = copier.communicate()
    assert copier.returncode == 1
    assert f"Stopped by {signal.Signals(number).name}; nothing of yours is lost" in told
    assert_nothing_is_lost(folder, told)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own, of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = ["sudo", "--non-interactive"] if os.geteuid() and shutil.which("sudo") else []
    mount = [*as_root, "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False, text=True)
    if mounted.returncode:
        missing(f"only root can mount a disk to fill: {mounted.stderr.strip()}")
    yield folder
    subprocess.run([*as_root, "umount", folder], check=True)


def test_a_full_disk_loses_nothing(past: Path, small_disk: Path, tmp_path: Path) -> None:
    own = shutil.copytree(past, tmp_path / "template", symlinks=True)
    (own / "template" / "LICENSE").write_text("All rights reserved.\n" * 5000)
    commit(own)
    git(own, "tag", "4.0.0")
    folder = edited(make(own, small_disk / "service"))
    filler = folder / "target" / "filler"
    filler.parent.mkdir()
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"0" * 4096):
            pass
    os.truncate(filler, filler.stat().st_size - 32 * 1024)
    ended = update(folder)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("No space left on device"), ended.stderr
    assert "`git restore -SW . && git clean -fd .` goes back" in ended.stderr
    filler.unlink()
    assert_nothing_is_lost(folder, ended.stderr)


def test_a_disk_too_full_for_git_is_told_in_a_line(
    past: Path, small_disk: Path, bin_copier: Path
) -> None:
    folder = edited(make(past, small_disk / "service"))
    with (small_disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"0" * 4096):
            pass
    (folder / "Dockerfile").touch()  # so that git has something to write
    command = [str(bin_copier), "update", "--trust", "--defaults", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "git status fails" in ended.stderr
