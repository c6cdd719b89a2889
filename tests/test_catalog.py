"""A platform team's first day, as docs/catalog.md has it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from extensions.pins import ROOT
from lab.rendering import COPIER
from lab.repository import commit, git
from tests.documents import be_jane, run

TEXT = (ROOT / "docs" / "catalog.md").read_text("utf-8")
FIRST_DAY = TEXT[TEXT.index("## A platform team's first day") : TEXT.index("## The policy")]
FORK = "https://github.com/acme/rust-service-template"

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
    # Nothing here reaches GitHub; Copier asks for the URL with .git at its end.
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    for number, url in enumerate((FORK, f"{FORK}.git")):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", f"url.{folder}.insteadOf")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", url)
    be_jane(monkeypatch)
    return folder


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
