"""Remotes, as `catalog status` reads them: from real servers, and from some that are none."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from catalog.fleet.remotes import reading
from catalog.fleet.repositories import text
from lab.fleet import Member, make_fleet
from lab.git_server import TOKEN, GitServer, serving
from lab.repository import commit, git
from lab.versions import VERSIONS, with_a_past
from tests.test_status import status

pytestmark = pytest.mark.slow

Found = dict[str, Any]


@pytest.fixture(scope="module")
def past(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_a_past(template, tmp_path_factory.mktemp("past") / "template")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(past: Path, server: GitServer) -> list[Member]:
    """Return services in the folder of the server; every other one may leave blobs out."""
    made = make_fleet(server.root, past, 12, 5, tags=VERSIONS, variety=4)
    for member in made[::2]:
        git(member.path, "config", "uploadpack.allowFilter", "true")
    return made


def by_https(server: GitServer, name: str, user: str = f"x-access-token:{TOKEN}@") -> str:
    return f"{server.url.replace('https://', f'https://{user}')}/{name}"


def looked_at(past: Path, server: GitServer, *where: str | Path, **variables: str) -> list[Found]:
    """Return the rows of some places."""
    ended = status(past, *where, "--format=json", GIT_SSL_CAINFO=str(server.authority), **variables)
    assert ended.stderr == ""
    found: list[Found] = json.loads(ended.stdout)
    return found


def without_place(row: Found) -> Found:
    return {name: value for name, value in row.items() if name not in {"place", "remote"}}


def test_a_remote_is_seen_as_its_folder_is(
    past: Path, server: GitServer, fleet: list[Member], tmp_path: Path
) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    folders = looked_at(past, server, *[each.path for each in fleet], "--no-cache")
    wanted = {row["name"]: without_place(row) for row in folders}
    assert {name: row["commit"] for name, row in wanted.items()} == {
        each.name: each.commit for each in fleet
    }
    assert {row["branch"] for row in folders} == {"main"}

    listed = tmp_path / "services.txt"
    urls = [by_https(server, each.path.name) for each in fleet[:6]]
    urls += [each.path.as_uri() for each in fleet[6:]]
    listed.write_text("# Ours\n\n" + "".join(f"  {url}\n" for url in urls))
    first = looked_at(past, server, listed, **cache)
    assert {row["name"]: without_place(row) for row in first} == wanted
    # A password stands in no row.
    shown = {url.replace(TOKEN, "…") for url in urls}
    assert {row["remote"] for row in first} == {row["place"] for row in first} == shown

    # All that is asked again is what HEAD names.
    away = server.root / ".store" / "objects"
    away.rename(away.with_name("away"))
    try:
        assert looked_at(past, server, listed, **cache) == first
        changed = looked_at(past, server, listed, "--no-cache")
    finally:
        away.with_name("away").rename(away)
    assert {row["state"] for row in changed} == {"broken"}


def test_services_below_and_a_head_that_is_detached(
    past: Path, server: GitServer, fleet: list[Member], tmp_path: Path
) -> None:
    many = tmp_path / "many"
    for member in fleet[:2]:
        git(tmp_path, "clone", "--quiet", str(member.path), str(many / "services" / member.name))
        (many / "services" / member.name / ".git").rename(tmp_path / member.name)
    git(many, "init", "--quiet")
    commit(many)
    git(many, "checkout", "--quiet", "--detach")
    found = looked_at(past, server, many.as_uri(), "--no-cache")
    assert {row["place"]: (row["folder"], row["name"], row["branch"]) for row in found} == {
        f"{many.as_uri()}#services/{each.name}": (f"services/{each.name}", each.name, "")
        for each in fleet[:2]
    }
    assert {row["commit"] for row in found} == {git(many, "rev-parse", "HEAD").strip()}


def test_a_service_as_it_was_made_needs_one_blob(fleet: list[Member], tmp_path: Path) -> None:
    place = fleet[0].path.as_uri()
    with reading(place, tmp_path, 60, Event()) as remote:
        assert remote.head().commit == fleet[0].commit
        repository, folders = remote.trees(fleet[0].commit)
        assert set(folders) == {""}
        assert _kinds(remote.folder) == {"commit", "tree"}
        blob = str(repository[folders[""]][".copier-answers.yml"].id)  # type: ignore[index]
        remote.blobs(repository, [blob])
        assert _kinds(remote.folder) == {"commit", "tree", "blob"}
        assert (text(repository, blob) or "").startswith("# Written by Copier")
    assert list(tmp_path.iterdir()) == []


def _kinds(folder: Path) -> set[str]:
    listed = git(folder / "objects.git", "cat-file", "--batch-check", "--batch-all-objects")
    return {line.split()[1] for line in listed.splitlines()}


def test_what_cannot_be_read_is_a_row_and_asks_nobody(
    past: Path, server: GitServer, fleet: list[Member], tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        hanging = f"https://127.0.0.1:{deaf.getsockname()[1]}/service.git"
        reasons = {
            hanging: "did not answer within 1.5 s",
            by_https(server, "gone.git"): "cannot be read by git: repository ",
            by_https(server, fleet[0].path.name, ""): "cannot be read by git: could not read User",
            "https://127.0.0.1:1/x.git": "cannot be read by git: unable to access ",
            (tmp_path / "nowhere").as_uri(): "cannot be read by git: ",
            (tmp_path / "empty").as_uri(): "has no commit",
            "ftp://127.0.0.1/x.git": "cannot be read by git: transport 'ftp' not allowed",
        }
        good = fleet[1].path.as_uri()
        asks = tmp_path / "asked"
        program = tmp_path / "ask"
        program.write_text(f"#!/bin/sh\necho \"$@\" >> '{asks}'\necho x\n")
        program.chmod(0o755)
        ended = status(
            past, *reasons, good, "--format=jsonl", "--timeout=1.5", "--no-cache",
            GIT_SSL_CAINFO=str(server.authority), GIT_ASKPASS=str(program), TMPDIR=str(tmp_path),
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (1, "")
        rows = [json.loads(line) for line in ended.stdout.splitlines()]
        found = {row["place"]: row for row in rows}
        assert found.pop(good)["name"] == fleet[1].name
        assert set(found) == {url.replace(TOKEN, "…") for url in reasons}
        for url, reason in reasons.items():
            row = found[url.replace(TOKEN, "…")]
            assert (row["state"], row["reason"][: len(reason)]) == ("broken", reason)
            assert row["remote"] == row["place"]
        assert TOKEN not in ended.stdout
        assert not asks.exists()
        # Nothing is left of what hangs, and nothing of what was fetched.
        listed = subprocess.run(["ps", "axww"], capture_output=True, check=True, text=True)
        assert hanging not in listed.stdout
    assert not [each for each in tmp_path.iterdir() if each.name.startswith("catalog-")]


def test_a_hook_or_a_setting_of_a_remote_is_not_run(
    past: Path, server: GitServer, fleet: list[Member], tmp_path: Path
) -> None:
    hostile = tmp_path / "hostile.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(fleet[0].path), str(hostile))
    ran = tmp_path / "ran"
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (hostile / "hooks" / hook).write_text(f"#!/bin/sh\ntouch '{ran}'\n")
        (hostile / "hooks" / hook).chmod(0o755)
    for name in ("core.fsmonitor", "core.sshCommand", "uploadpack.packObjectsHook"):
        git(hostile, "config", name, f"touch '{ran}'")
    (row,) = looked_at(past, server, hostile.as_uri(), "--no-cache")
    assert row["name"] == fleet[0].name
    assert not ran.exists()
