"""The commands of docs/updating.md run as they stand, and print what it says."""

import os
from pathlib import Path

import pytest

from extensions.pins import ROOT
from lab.rendering import COPIER
from lab.repository import git
from lab.versions import with_a_past
from tests.documents import be_jane, run

TEXT = (ROOT / "docs" / "updating.md").read_text("utf-8")
EXAMPLE = TEXT[TEXT.index("## Across") : TEXT.index("## What an")]


pytestmark = pytest.mark.slow


def test_the_example_runs_and_prints_what_it_says(
    template: Path, cargo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPLATE", str(with_a_past(template, tmp_path / "template")))
    monkeypatch.setenv("PATH", f"{Path(COPIER).parent}:{os.environ['PATH']}")
    be_jane(monkeypatch)
    folder, compared = run(EXAMPLE, tmp_path)
    assert (folder, compared) == (tmp_path / "order-api", 3)

    assert '"Fine"' in (folder / "src" / "routes.rs").read_text()
    assert "/// Begins here." in (folder / "src" / "routes.rs").read_text()
    assert "before a Friday" in (folder / "docs" / "NOTES.md").read_text()
    assert "itoa" in (folder / "Cargo.toml").read_text()
    assert "alpine:" in (folder / "Dockerfile").read_text()
    assert git(folder, "log", "--format=%s").count("\n") == 4
