"""Prints what a command makes, writes it to a file, or compares it with what the file has."""

import sys
from itertools import zip_longest
from pathlib import Path


class Differs(Exception):
    """A file is not what the command makes now; the message is one line that says what helps."""


def put(text: str, file: Path | None, *, check: bool = False, command: str = "") -> None:
    """Print, write or compare a text.

    Args:
        text: What the command makes.
        file: Where it belongs; None to print it.
        check: Whether to compare it with the file and leave that as it is.
        command: What makes it, for the message.

    Raises:
        Differs: The file has something else, or is not there.
        OSError: It cannot be read or written.
    """
    if file is None:
        sys.stdout.write(text)
    elif not check:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    else:
        has = file.read_text("utf-8") if file.exists() else ""
        if has != text:
            pairs = zip_longest(has.splitlines(), text.splitlines(), fillvalue="")
            line = next((now for was, now in pairs if was != now), "")
            raise Differs(
                f"{file} is not what `{command}` makes now, such as {line.strip()[:80]!r}; run it"
            )
