"""A platform team's first day, as docs/catalog.md has it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from catalog.move import plan
from extensions.pins import ROOT
from lab.fleet import make_fleet
from lab.rendering import COPIER
from lab.repository import commit, git
from tests.documents import be_jane, run
from tests.moves import ANSWERS, branches, edited, hook, shown

TEXT = (ROOT / "docs" / "catalog.md").read_text("utf-8")
FIRST_DAY = TEXT[
    TEXT.index("## A platform team's first day") : TEXT.index("## A platform team's n")
]
WEEK = TEXT[TEXT.index("## A platform team's normal week") : TEXT.index("## The policy")]
FORK = "https://github.com/acme/rust-service-template"
SERVICES = "https://git.acme.example"

pytestmark = pytest.mark.slow


@pytest.fixture
def fork(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the repository of an organisation, which the URL of its fork leads to."""
    upstream = shutil.copytree(template, tmp_path / "upstream", symlinks=True)
    (upstream / "CHANGELOG.md").write_text("# Changelog\n\n## 1.0.0\n\n- The first one.\n")
    git(upstream, "init", "--quiet")
    commit(upstream)
    git(upstream, "tag", "1.0.0")
    folder = tmp_path / "fork.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(upstream), str(folder))
    # Copier asks for the URL with .git at its end.
    lead(monkeypatch, {FORK: folder, f"{FORK}.git": folder})
    be_jane(monkeypatch)
    return folder


def lead(patch: pytest.MonkeyPatch, urls: Mapping[str, Path]) -> None:
    """Let git read what begins with these URLs from folders; nothing here reaches GitHub."""
    patch.setenv("GIT_CONFIG_COUNT", str(len(urls)))
    for number, (url, folder) in enumerate(urls.items()):
        patch.setenv(f"GIT_CONFIG_KEY_{number}", f"url.{folder}.insteadOf")
        patch.setenv(f"GIT_CONFIG_VALUE_{number}", url)


def test_the_first_day_runs_as_written(
    fork: Path, cargo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CATALOG_POLICY")
    monkeypatch.setenv("SMOKE", "check")

    folder, compared = run(FIRST_DAY, tmp_path)

    assert (folder, compared) == (tmp_path / "rust-service-template", 1)
    assert git(fork, "tag").split() == ["1.0.0", "1.0.0+acme.1"]
    entry = yaml.safe_load((folder / "portal" / "template.yaml").read_text())
    assert entry["spec"]["owner"] == "group:default/platform"
    index = json.loads((tmp_path / "public" / "index.json").read_text())
    assert [each["version"] for each in index["versions"]] == ["1.0.0+acme.1", "1.0.0"]
    assert "1.0.0+acme.1" in (tmp_path / "public" / "index.html").read_text()
    recorded = yaml.safe_load((tmp_path / "shop-orders" / ".copier-answers.yml").read_text())
    assert (recorded["_src_path"], recorded["_commit"]) == (FORK, "1.0.0+acme.1")
    wanted = {"runtime": "distroless", "port": 9000, "owner": "group:default/shop", "catalog": True}
    assert {name: recorded[name] for name in wanted} == wanted
    assert recorded["image_registry"] == "registry.acme.example/mirror"
    described = yaml.safe_load((tmp_path / "shop-orders" / "catalog-info.yaml").read_text())
    assert described["metadata"]["links"][0]["url"] == FORK
    assert described["spec"]["owner"] == "group:default/shop"
    assert not (tmp_path / "shop-mail").exists()


def test_an_update_brings_the_entry_of_the_portal(fork: Path, tmp_path: Path) -> None:
    folder = tmp_path / "order-api"
    given = [COPIER, "copy", "--quiet", "--trust", "--defaults", "--data=service_name=order-api"]
    environment = {**os.environ, "SMOKE": "none"}
    subprocess.run([*given, FORK, str(folder)], env=environment, check=True)
    git(folder, "init", "--quiet")
    commit(folder)
    assert not (folder / "catalog-info.yaml").exists()
    update = [COPIER, "update", "--trust", "--defaults", "--data=catalog=true"]
    subprocess.run(update, cwd=folder, env=environment, check=True, capture_output=True)
    described = yaml.safe_load((folder / "catalog-info.yaml").read_text())
    assert [each["url"] for each in described["metadata"]["links"]] == [
        FORK,
        f"{FORK}/blob/HEAD/CHANGELOG.md",
    ]


def test_the_normal_week_runs_as_written(
    template_with_a_past: Path, cargo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    be_jane(monkeypatch)
    lead(
        monkeypatch,
        {
            SERVICES: tmp_path / "git",
            FORK: template_with_a_past,
            f"{FORK}.git": template_with_a_past,
        },
    )
    clone = tmp_path / "rust-service-template"
    git(tmp_path, "clone", "--quiet", FORK, str(clone))
    subprocess.run([ROOT / "bin" / "catalog", "--help"], check=True, capture_output=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    current, behind = (
        make_fleet(tmp_path / "git" / name, template_with_a_past, number, 7, tags=tags, source=FORK)
        for name, number, tags in (("old", 183, ["3.0.0"]), ("new", 16, ["1.0.0", "2.0.0"]))
    )
    edited(current[0].path, {"Dockerfile": "<<<<<<< ours\nFROM scratch\n"})
    places = [each.path.relative_to(tmp_path / "git") for each in [*current, *behind]]
    urls = [f"{SERVICES}/{place}" for place in [*places, "gone.git"]]
    assert len(urls) == 200
    (tmp_path / "services.txt").write_text("".join(f"{url}\n" for url in urls))
    (tmp_path / "public").mkdir()
    before, after = WEEK.split("### Thursday")
    thursday, friday = after.split("### Friday")

    folder, compared = run(before, clone)

    made = plan.read(tmp_path / "move.yaml")
    contested, refusing = (
        tmp_path / "git" / each.remote.removeprefix(f"{SERVICES}/")
        for each in made.waves[-1].services[-2:]
    )
    text = shown(contested, "src/routes.rs")
    edited(contested, {"src/routes.rs": text.replace("/// ", "/// Mine. ", 1)})
    hook(refusing, "pre-receive", "exit 1")

    folder, more = run(thursday, folder)

    assert branches(contested) == branches(refusing) == ["main"]
    opened = (tmp_path / "opened.txt").read_text().splitlines()
    assert len(opened) == 14
    # The owners of one decide, and the team gets its right.
    answers = shown(contested, ANSWERS)
    version = re.search("^_commit: .*$", answers, re.MULTILINE)
    assert version
    edited(contested, {ANSWERS: answers.replace(version[0], "_commit: 3.0.0")})
    (refusing / "hooks" / "pre-receive").unlink()

    _, most = run(friday, folder)

    assert compared + more + most == 5
    pages = [(tmp_path / "public" / name).read_text() for name in ("services.html", "move.html")]
    assert all("<!DOCTYPE html>" in page for page in pages)
