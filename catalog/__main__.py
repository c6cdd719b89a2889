"""The command `catalog`, from a clone as `bin/catalog` and installed as a program of the wheel."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from catalog.command_line import main

if __name__ == "__main__":
    sys.exit(main())
