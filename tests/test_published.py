"""What the catalog publishes with the template is what its commands make."""

from pathlib import Path

import pytest

from extensions.pins import ROOT
from maintenance.published import COMMANDS, run


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_published_is_what_the_command_makes(name: str, tmp_path: Path) -> None:
    ended = run(name, "--check", check=False)
    assert ended.returncode == 0, ended.stderr
    changed = tmp_path / "changed"
    text = (ROOT / name).read_text("utf-8")
    changed.write_text(text.replace("service", "mesa"), "utf-8")
    ended = run(name, "--check", "--output", str(changed), check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"catalog: {changed} is not what `catalog {COMMANDS[name][0]}")
    assert ended.stderr.count("\n") == 1
    assert changed.read_text("utf-8") == text.replace("service", "mesa")
