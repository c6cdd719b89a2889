"""The catalog as an installed program, straight from a repository of the template."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from extensions.policy_file import VARIABLE
from lab.repository import commit, git

pytestmark = pytest.mark.slow


def test_uvx_runs_it_from_a_repository(tagged: Path, tmp_path: Path) -> None:
    uvx = str(Path(sys.executable).with_name("uvx"))
    environment = {**os.environ, "SMOKE": "none", VARIABLE: "", "UV_PYTHON": sys.executable}

    def catalog(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [uvx, "--from", f"git+{tagged.as_uri()}", "catalog", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, check=True, text=True,
        )  # fmt: skip

    # All that the commands read is in the wheel.
    for command in (["schema"], ["schema", "--policy"], ["version"], ["backstage"]):
        catalog(*command, "--check")
    assert "There is no policy" in catalog("policy").stdout
    # The service records where the program came from, so that it can be updated.
    catalog("new", "order-api", "--defaults")
    folder = tmp_path / "order-api"
    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert recorded["_src_path"] == f"git+{tagged.as_uri()}"
    git(folder, "init", "--quiet")
    commit(folder)
    # And it lists the versions of that repository.
    assert "1.1.0" in catalog("index").stdout
