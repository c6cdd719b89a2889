"""Documents whose commands run as they stand, and print what they say."""

import re
import subprocess
from pathlib import Path

import pytest


def run(text: str, folder: Path) -> tuple[Path, int]:
    """Run the commands of a document as a person would in one terminal.

    Args:
        text: The Markdown. Blocks of `sh` are run; what the last of them printed has each line of a
            block of `text`, or begins a line with it.
        folder: Where the first block runs; each other one runs where the last one ended.

    Returns:
        The folder that the last block ended in, and the number of blocks that were compared.
    """
    printed, compared = "", 0
    for language, block in re.findall(r"```(sh|text)\n(.*?)```", text, re.DOTALL):
        if language == "text":
            lines = [line.strip() for line in printed.splitlines()]
            for wanted in block.splitlines():
                assert any(line.startswith(wanted) for line in lines), f"{wanted}\n\n{printed}"
            compared += 1
            continue
        ended = subprocess.run(
            ["bash", "-ec", f"{{ {block}}} >&2\npwd"],
            cwd=folder, capture_output=True, check=False, text=True,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        printed, folder = ended.stderr, Path(ended.stdout.strip())
    return folder, compared


def be_jane(patch: pytest.MonkeyPatch) -> None:
    """Let git know who commits."""
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "Jane")
        patch.setenv(f"GIT_{role}_EMAIL", "jane@example.com")
