"""Makes sure, before an update writes, that Copier can merge every file that an owner has.

Copier reads changes as UTF-8 and drops each byte that is not. Where a folder is in the place of a
file, it ends halfway. It runs this in the folder of the service: see `_migrations` in copier.yml.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from extensions.pins import ROOT
from extensions.registry import frameworks

TEMPLATE = ROOT / "template"


def emitted() -> list[Path]:
    """Return the files that the template can emit, except the answers file."""
    names = (
        path.relative_to(TEMPLATE).as_posix() for path in TEMPLATE.rglob("*") if path.is_file()
    )
    plain = (re.sub(r"\{%.*?%\}", "", name) for name in names if "{{" not in name)
    crates = (path for framework in frameworks().values() for path in framework.files)
    return sorted({Path(name.removesuffix(".jinja")) for name in plain} | set(map(Path, crates)))


def why_not(file: Path) -> str:
    """Say why a file of the service cannot be merged, and what helps; "" where it can."""
    if file.is_dir():
        return f"{file}: is a folder here and a file in the template; give it another name"
    if not file.exists():
        return ""
    try:
        file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as reason:
        line = file.read_bytes()[: reason.start].count(b"\n") + 1
        return (
            f"{file}: line {line} is not UTF-8, and Copier would drop what it cannot read; "
            "save it as UTF-8 and commit"
        )
    return ""


def main() -> int:
    """Check the service in the current folder and return the exit code."""
    lines = [line for file in emitted() if (line := why_not(file))]
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
