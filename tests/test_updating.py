"""The commands of docs/updating.md run as they stand, and print what it says."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from extensions.pins import ROOT
from lab.rendering import COPIER
from lab.repository import git
from tests.versions import with_a_past

TEXT = (ROOT / "docs" / "updating.md").read_text("utf-8")
EXAMPLE = TEXT[TEXT.index("## Across") : TEXT.index("## What an")]


pytestmark = pytest.mark.slow


def test_the_example_runs_and_prints_what_it_says(
    template: Path, cargo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPLATE", str(with_a_past(template, tmp_path / "template")))
    monkeypatch.setenv("PATH", f"{Path(COPIER).parent}:{os.environ['PATH']}")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Jane")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "jane@example.com")
    folder, printed, told = tmp_path, "", 0
    for language, block in re.findall(r"```(sh|text)\n(.*?)```", EXAMPLE, re.DOTALL):
        if language == "text":
            assert [line for line in block.splitlines() if f"  {line}\n" not in printed] == []
            told += 1
            continue
        ended = subprocess.run(
            ["bash", "-ec", block], cwd=folder, capture_output=True, check=False, text=True
        )
        assert ended.returncode == 0, ended.stderr
        printed = ended.stderr
        folder = tmp_path / "order-api"
    assert told == 3

    assert '"Fine"' in (folder / "src" / "routes.rs").read_text()
    assert "/// Begins here." in (folder / "src" / "routes.rs").read_text()
    assert "before a Friday" in (folder / "docs" / "NOTES.md").read_text()
    assert "itoa" in (folder / "Cargo.toml").read_text()
    assert "alpine:" in (folder / "Dockerfile").read_text()
    assert git(folder, "log", "--format=%s").count("\n") == 4
