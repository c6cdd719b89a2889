"""Types commands at a shell in a terminal, and draws what the terminal shows."""

import io
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pexpect
import pyte
from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.text import Text

# How long to wait for what a terminal is to show; a proof compiles meanwhile.
SECONDS = 900
# Seconds without a sign after which all is drawn.
QUIET = 0.15
COLUMNS = 118
PROMPT = "$ "
# What Rich calls otherwise than pyte; other colours are named alike, or are six hexadecimal digits.
COLOURS = {"brown": "yellow", "default": "default"}
HEXADECIMAL = re.compile(r"[0-9a-f]{6}")


class NotShown(Exception):
    """The terminal never showed what was waited for; the message is what it shows instead."""


class _Screen(pyte.Screen):
    """A screen that answers what programs ask of it, such as where the cursor is."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]):
        super().__init__(columns, rows)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """A terminal with a shell in it.

    Its screen is so long that nothing scrolls out of it.
    """

    def __init__(self, shell: "pexpect.spawn[bytes]", columns: int, rows: int):
        """Connect a screen to a shell."""
        self._shell = shell
        self._screen = _Screen(columns, rows, self.type)
        self._stream = pyte.ByteStream(self._screen)
        self._wait(self._is_at_prompt)

    def type(self, keys: str) -> None:
        """Type keys."""
        self._shell.send(keys.encode())

    def run(self, command: str) -> None:
        """Type a command and wait for its end.

        Raises:
            NotShown: It does not end.
        """
        row = self._screen.cursor.y
        self.type(f"{command}\r")
        self._wait(lambda: self._is_at_prompt() and self._screen.cursor.y > row)

    def wait_for(self, text: str) -> None:
        """Wait until a line on the screen has a text.

        Raises:
            NotShown: None ever has.
        """
        self._wait(lambda: any(text in line for line in self._screen.display))

    def wait_for_prompt(self) -> None:
        """Wait until the command that runs has ended.

        Raises:
            NotShown: It does not.
        """
        self._wait(self._is_at_prompt)

    def lines(self) -> list[Text]:
        """Return the lines that the screen shows, in their colours, without a prompt at the end."""
        last = self._screen.cursor.y if self._is_at_prompt() else self._screen.lines
        found = [_line(self._screen, row) for row in range(last)]
        while found and not found[-1].plain:
            found.pop()
        return found

    def _is_at_prompt(self) -> bool:
        cursor = self._screen.cursor
        return self._screen.display[cursor.y].rstrip() == PROMPT.strip() and cursor.x == len(PROMPT)

    def _wait(self, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self._stream.feed(self._shell.read_nonblocking(65536, timeout=QUIET))
            except pexpect.TIMEOUT:
                # Nothing more is drawn just now.
                if is_there():
                    return
            except pexpect.EOF:
                raise NotShown(self._shown()) from None
            if time.monotonic() > deadline:
                raise NotShown(self._shown())

    def _shown(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()


def _line(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    cells = (screen.buffer[row][column] for column in range(screen.columns))
    for style, those in groupby(cells, _style):
        # The second cell of a wide character has no text.
        text.append("".join(cell.data for cell in those), style)
    text.rstrip()
    return text


def _style(cell: Char) -> Style:
    return Style(
        color=_colour(cell.fg),
        bgcolor=_colour(cell.bg),
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
        reverse=cell.reverse,
    )


def _colour(name: str) -> str:
    if HEXADECIMAL.fullmatch(name):
        return f"#{name}"
    if name.startswith("bright"):
        return f"bright_{COLOURS.get(name[6:], name[6:])}"
    return COLOURS.get(name, name)


@contextmanager
def shell(
    folder: Path, environment: Mapping[str, str], columns: int = COLUMNS, rows: int = 200
) -> Iterator[Terminal]:
    """Start a shell in a terminal, and end it with the block.

    Args:
        folder: Where it starts.
        environment: Its variables but those that say what terminal it has.
        columns: How wide the terminal is.
        rows: How long.
    """
    of_terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PS1": PROMPT}
    program: pexpect.spawn[bytes] = pexpect.spawn(
        "bash",
        ["--noprofile", "--norc"],
        cwd=str(folder),
        env={**environment, **of_terminal},
        dimensions=(rows, columns),
    )
    try:
        yield Terminal(program, columns, rows)
    finally:
        program.close(force=True)


def draw(lines: Sequence[Text], file: Path, title: str, columns: int = COLUMNS) -> None:
    """Draw lines of a terminal.

    Its background is dark, so that the picture reads alike on a light and on a dark page.

    Args:
        lines: What it shows.
        file: The SVG that is written.
        title: What stands above them.
        columns: How wide the terminal is.
    """
    console = Console(
        record=True,
        width=columns,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
    drawn = console.export_svg(title=title, unique_id=file.stem)
    # The fonts of a browser will do: a picture of the docs loads nothing from elsewhere.
    drawn = re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL)
    file.write_text("\n".join(line.rstrip() for line in drawn.splitlines()) + "\n", "utf-8")
