"""Services that are moved to a later version: a branch in each remote, and nothing twice."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import yaml

from catalog.move import journal, plan
from extensions.pins import ROOT
from lab.containers import Docker
from lab.git_server import serving
from lab.rendering import COPIER
from lab.repository import commit, git
from lab.versions import replace, with_two_versions
from tests.moves import ANSWERS, BRANCH, TO, World, branches, edited, hook, pushed_once, shown

pytestmark = pytest.mark.slow


def test_each_service_gets_one_commit_on_a_new_branch(world: World) -> None:
    made = world.planned()
    assert [wave.name for wave in made.waves] == ["canary", "rest"]
    before = {each.name: git(each.path, "rev-parse", "main") for each in world.members}

    opened = world.folder / "opened"
    hook(world.remote(0), "pre-receive", f"ulimit -v >{world.folder}/memory")
    printed = world.update(
        "--jobs=2", "--memory=3000", f"--open=echo $CATALOG_SERVICE $CATALOG_BASE >>{opened}"
    )

    assert "4 merged" in printed.splitlines()[-1]
    pushed_once(world, world.members)
    assert int((world.folder / "memory").read_text()) == 3_000 * 1_024
    assert sorted(opened.read_text().split()) == sorted([*before, *["main"] * 4])
    for member in world.members:
        log = git(member.path, "log", "--format=%P|%an|%s", "-1", BRANCH).strip()
        assert log == f"{before[member.name].strip()}|Jane|Update the template to {TO}"
        assert git(member.path, "rev-parse", "main") == before[member.name]
        answers = yaml.safe_load(shown(member.path, ANSWERS, BRANCH))
        assert answers["_commit"] == TO
        assert answers["_src_path"] == str(world.template)
        # The question `team` is called `owner` now, and is no new one.
        assert answers["owner"] == member.answers["team"]
        assert not world.outcomes()[member.name].defaults
        routes = shown(member.path, "src/routes.rs", BRANCH)
        assert ("/list" in routes) is ("src/routes.rs" in member.edited)
        assert "Begins here." in routes
    # Again, it does nothing: not even without what it has written, if owners went on in a branch.
    assert "4 merged" in world.update("--all")
    edited(world.remote(0), {"NOTES.txt": "ours\n"}, BRANCH)
    (world.folder / "pushes").unlink()
    shutil.rmtree(journal.folder_of(world.file))
    again = world.update("--all")
    assert again.count("its branch was there") == 4
    assert world.pushes == []


def test_a_person_at_a_terminal_is_asked(world: World) -> None:
    made = world.planned()
    clean = {each.name for each in made.services if not each.edited}
    assert 0 < len(clean) < 3
    command = ["update", str(world.file), "--pause=ask"]

    def answered(*dialogue: tuple[str, str], last: str) -> int | None:
        terminal = pexpect.spawn(
            str(ROOT / "bin" / "catalog"), command, encoding="utf-8", dimensions=(40, 120)
        )
        for question, answer in dialogue:
            terminal.expect(question, timeout=120)
            terminal.send(answer)
        terminal.expect(last, timeout=120)
        terminal.expect(pexpect.EOF)
        terminal.close()
        return terminal.exitstatus

    which = "Which services are moved"
    assert answered((which, "\r"), last=f"{len(clean)} merged, {4 - len(clean)} skipped") == 0
    assert {each.name for each in world.outcomes().values() if each.branch} == clean
    # What was not ticked is offered again; one of these is in the last wave.
    tick_all = "\x01\r"
    assert answered((which, tick_all), ("Go on with rest", "n\r"), last="stopped") == 130
    # Where nobody is asked, nothing is left out.
    world.update()
    pushed_once(world, world.members)


def test_a_commit_is_the_same_wherever_it_is_made(world: World) -> None:
    world.planned(world.remote(0))
    world.update()
    first = git(world.remote(0), "rev-parse", BRANCH)
    git(world.remote(0), "update-ref", "-d", f"refs/heads/{BRANCH}")
    shutil.rmtree(journal.folder_of(world.file))
    world.update()
    assert git(world.remote(0), "rev-parse", BRANCH) == first


@pytest.mark.parametrize("world", [6], indirect=True)
def test_what_cannot_be_moved_is_told_and_left_as_it_is(world: World, tmp_path: Path) -> None:
    """All of it happens after the plan was made, so that `catalog plan` cannot leave it out."""
    world.planned()
    remotes = [member.path for member in world.members]
    edited(remotes[0], {ANSWERS: None})
    text = shown(remotes[1], ANSWERS)
    edited(remotes[1], {ANSWERS: f"<<<<<<< a\n{text}=======\n>>>>>>> b\n"})
    evil = tmp_path / "evil"
    shutil.copytree(world.template, evil, symlinks=True)
    (evil / "extensions" / "context.py").write_text(f"open('{tmp_path}/it-ran', 'w')\n")
    git(evil, "commit", "--quiet", "--all", "-m", "evil")
    edited(
        remotes[2], {ANSWERS: shown(remotes[2], ANSWERS).replace(str(world.template), str(evil))}
    )
    hook(remotes[3], "pre-receive", "echo nobody may >&2; exit 1")
    shutil.move(remotes[4], f"{remotes[4]}.gone")
    git(remotes[5], "update-ref", f"refs/heads/{BRANCH}", "main")
    theirs = git(remotes[5], "rev-parse", BRANCH)

    world.update("--max-failed=100%", "--timeout=60", code=1)

    names = [member.name for member in world.members]
    outcomes = world.outcomes()
    assert [outcomes[name].outcome for name in names] == [
        *("refused", "refused", "refused", "blocked", "unreachable", "blocked"),
    ]
    for name, reason in zip(
        names,
        [
            f"has no {ANSWERS}",
            f"{ANSWERS}: has conflict markers",
            f"is made from {evil}, so nothing of it was run",
            "the remote refuses the branch: [remote rejected] (pre-receive hook declined)",
            "",
            f"a branch {BRANCH} by somebody else is in the remote",
        ],
        strict=True,
    ):
        assert outcomes[name].reason.startswith(reason)
        assert "\n" not in outcomes[name].reason
    assert not (tmp_path / "it-ran").exists()
    assert git(remotes[5], "rev-parse", BRANCH) == theirs
    assert all(branches(remote) == ["main"] for remote in remotes[:4])
    assert world.pushes == []
    # What was mended is tried again, by its name or with all that failed.
    (remotes[3] / "hooks" / "pre-receive").unlink()
    shutil.move(f"{remotes[4]}.gone", remotes[4])
    world.update("--only-failed", f"--service={names[3]}", code=1)
    assert world.outcomes()[names[3]].outcome == "merged"
    world.update("--only-failed", "--max-failed=100%", code=1)
    pushed_once(world, world.members[3:5])


def test_a_service_that_moved_on_meanwhile(world: World) -> None:
    world.planned(*(world.remote(number) for number in range(3)))
    answers = shown(world.remote(0), ANSWERS)
    recorded = f"profile: {world.members[0].answers['profile']}\n"
    assert recorded in answers
    # As if the version had not asked that question yet.
    later = edited(world.remote(0), {ANSWERS: answers.replace(recorded, "")})
    (world.remote(1) / "HEAD").write_text(git(world.remote(1), "rev-parse", "main"))
    done = shown(world.remote(2), ANSWERS).replace("_commit: 2.0.0", f"_commit: {TO}")
    edited(world.remote(2), {ANSWERS: done})
    world.update()
    outcomes = [world.outcomes()[world.members[number].name] for number in range(3)]
    assert [each.outcome for each in outcomes] == ["merged", "merged", "current"]
    assert [each.base for each in outcomes] == ["main", "", "main"]
    assert git(world.remote(0), "rev-parse", f"{BRANCH}~1").strip() == later
    assert [each.defaults for each in outcomes] == [{"profile": "size"}, {}, {}]
    message = git(world.remote(0), "log", "-1", "--format=%B", BRANCH)
    assert 'New questions took their defaults:\n\n- profile: "size"\n' in message


def test_a_remote_that_hangs_or_wants_a_password_is_unreachable(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world.planned(world.remote(0))
    with socket.create_server(("127.0.0.1", 0)) as deaf, serving(tmp_path) as server:
        monkeypatch.setenv("GIT_SSL_CAINFO", str(server.authority))
        server.create("shop.git")
        hanging = f"git://127.0.0.1:{deaf.getsockname()[1]}/shop.git"
        waves = [
            plan.Wave(
                "canary",
                [plan.Service("deaf", hanging), plan.Service("shut", f"{server.url}/shop.git")],
            )
        ]
        world.file.write_text(plan.written(plan.Plan(**{**vars(made), "waves": waves})))
        world.update("--timeout=100", "--max-failed=100%", code=1)
    outcomes = world.outcomes()
    assert {name: each.outcome for name, each in outcomes.items()} == {
        "deaf": "unreachable",
        "shut": "unreachable",
    }
    assert outcomes["deaf"].reason == "the remote did not answer within 5 s"
    assert "could not read Username" in outcomes["shut"].reason


def test_a_conflict_is_not_pushed_and_a_limit_stops_the_rest(world: World) -> None:
    for member in world.members:
        text = shown(member.path, "src/routes.rs")
        edited(member.path, {"src/routes.rs": text.replace("/// ", "/// Mine. ", 1)})
    world.planned()
    printed = world.update("--jobs=1", code=1)
    assert "more than --max-failed 10% allows" in printed
    assert len(world.outcomes()) == 1
    (outcome,) = world.outcomes().values()
    assert outcome.outcome == "conflict"
    assert outcome.reason.startswith("src/routes.rs; ")
    assert world.pushes == []


def test_kill_9_between_push_and_report(world: World) -> None:
    world.planned()
    lock = journal.folder_of(world.file) / "lock"
    fatal = world.remote(2) / "hooks" / "post-receive"
    log = fatal.read_text()
    fatal.write_text(f"{log}kill -9 $(cat {lock})\n")
    ended = world.catalog("update", world.file, "--jobs=1")
    assert ended.returncode == -9
    assert world.members[2].name not in world.outcomes()
    fatal.write_text(log)
    world.update("--jobs=2")
    assert world.outcomes()[world.members[2].name].already
    assert {each.outcome for each in world.outcomes().values()} == {"merged"}
    pushed_once(world, world.members)
    assert list((world.folder / "cache" / "catalog" / "work").glob("*/move-*")) == []


def test_the_second_of_two_runs_says_so(world: World) -> None:
    made = world.planned(world.remote(0))
    with journal.kept(journal.folder_of(world.file), made):
        printed = world.update(code=75)
    assert f"process {os.getpid()} carries out this plan; try again later" in printed
    assert world.pushes == []


def test_stopped_by_a_person_it_goes_on(world: World) -> None:
    world.planned()
    begun = world.folder / "begun"
    hook(world.remote(0), "pre-receive", f"touch {begun}; sleep 60")
    late = world.members[0].name
    world.update(f"--service={late}", "--timeout=5", code=1)
    assert world.outcomes()[late].reason == "did not end within 5 s"
    shutil.rmtree(journal.folder_of(world.file))
    begun.unlink(missing_ok=True)
    command = [str(ROOT / "bin" / "catalog"), "update", str(world.file), "--jobs=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while not begun.exists():
            assert process.poll() is None
            time.sleep(0.1)
        process.terminate()
        printed, _ = process.communicate(timeout=60)
    assert printed.decode().endswith("catalog: stopped; the same command goes on\n")
    assert process.returncode == 128 + signal.SIGTERM
    (world.remote(0) / "hooks" / "pre-receive").unlink()
    world.update()
    pushed_once(world, world.members)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 48 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False, text=True)
    if mounted.returncode:
        if os.environ.get("CI"):
            pytest.fail(f"no disk can be mounted: {mounted.stderr}")
        pytest.skip(f"no disk can be mounted: {mounted.stderr}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(world: World, small_disk: Path) -> None:
    world.planned()
    there = small_disk / "move.yaml"
    shutil.move(world.file, there)
    on_it = World(small_disk, world.template, world.members)
    fill = f"dd if=/dev/zero of={small_disk}/filled bs=64k 2>/dev/null; true"
    printed = on_it.update("--jobs=1", "--max-failed=0", f"--open={fill}", code=1)
    assert "No space left on device" in printed
    (small_disk / "filled").unlink()
    on_it.update("--all", code=None)
    on_it.update("--only-failed")
    assert {each.outcome for each in on_it.outcomes().values()} == {"merged"}
    pushed_once(world, world.members)


def test_an_image_is_proven_where_no_secret_is(
    toys: Path, docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the service runs, in its own Dockerfile here, sees nothing of this environment."""
    template = with_two_versions(toys, tmp_path / "template")
    made, remote = tmp_path / "made", tmp_path / "git" / "tiny.git"
    data = ["-dservice_name=tiny-probe", "-dframework=tiny", "-dport=3000", "-dsmoke=none"]
    copy = [COPIER, "copy", "--quiet", "--trust", "--defaults", "--vcs-ref=1.0.0", *data]
    subprocess.run([*copy, template, made], check=True)
    git(made, "init", "--quiet", "--initial-branch=main")
    replace(made / "Dockerfile", "WORKDIR /app\n", f"WORKDIR /app\nRUN env >&2 # {tmp_path}\n")
    commit(made)
    git(tmp_path, "clone", "--quiet", "--bare", str(made), str(remote))
    world = World(tmp_path, template, [])
    world.planned(remote)
    for name in ("GH_TOKEN", "CARGO_REGISTRIES_ACME_TOKEN", "GIT_CONFIG_VALUE_9"):
        monkeypatch.setenv(name, "it-is-secret")
    world.update("--smoke=image")
    assert world.outcomes()["tiny-probe"].outcome == "proven"
    (log,) = (journal.folder_of(world.file) / "logs").iterdir()
    printed = log.read_text()
    assert "RUN env" in printed
    assert "PATH=" in printed
    assert "it-is-secret" not in printed
