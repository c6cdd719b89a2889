"""Regions of real source that an answer keeps, leaves out or fills in; comments mark them.

A crate of `frameworks/` builds in place with all options on. rustfmt, clippy and Cargo see a mark
as a comment. Emitted files have no marks:

    // template:begin musl
    the lines in between are emitted where the option musl is on
    // template:end musl
    // template:begin port=8080
    in the lines in between, 8080 stands for the value of port
    // template:end port

A text is written as a literal of the language with its quotes, and an `Identifier` as it is.

What an option decides is a whole file where the file stands in a folder of that name; see
`sources.emitted_files`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from . import text

# By the suffix of a file: how a comment line begins, and how a value is written.
LANGUAGES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    ".rs": ("// ", text.rust),
    ".toml": ("# ", text.toml),
}
BEGIN, END = "template:begin ", "template:end "


@dataclass(frozen=True)
class Identifier:
    """A value that names something in the source."""

    name: str

    def __str__(self) -> str:
        """Return the name as it is written: without quotes."""
        return self.name


@dataclass(frozen=True)
class Region:
    """A region that has begun: whether its lines are emitted, and which text takes which value."""

    name: str
    kept: bool
    stand_in: str = ""
    value: str = ""


def chosen(source: str, path: str, options: Mapping[str, object]) -> str:
    """Return a source with what the options choose, and without the marks.

    Args:
        source: The text of a file.
        path: Its name. The suffix tells the language; a file in another language has no regions.
        options: By the name of a region: whether its lines are kept, or the value to fill in.

    Raises:
        ValueError: A mark has no such option or no partner, or a line lacks the text for its value.
    """
    if PurePath(path).suffix not in LANGUAGES:
        return source
    comment, literal = LANGUAGES[PurePath(path).suffix]
    lines: list[str] = []
    regions: list[Region] = []
    for number, line in enumerate(source.splitlines(keepends=True), 1):
        mark = line.strip().removeprefix(comment)
        try:
            if mark.startswith(BEGIN):
                regions.append(_region(mark.removeprefix(BEGIN), options, literal))
            elif mark.startswith(END):
                _end(mark.removeprefix(END), regions)
            elif all(region.kept for region in regions):
                lines.append(_filled_in(line, regions))
        except ValueError as reason:
            raise ValueError(f"{path}:{number}: {reason}") from None
    if regions:
        raise ValueError(f"{path}: the region {regions[-1].name} has no end")
    return "".join(lines)


def _region(mark: str, options: Mapping[str, object], literal: Callable[[str], str]) -> Region:
    name, is_value, stand_in = mark.partition("=")
    if name not in options:
        raise ValueError(f"there is no option {name}; they are {', '.join(options)}")
    option = options[name]
    if not is_value:
        return Region(name, bool(option))
    value = literal(option) if isinstance(option, str) else str(option)
    return Region(name, kept=True, stand_in=stand_in, value=value)


def _end(name: str, regions: list[Region]) -> None:
    if not regions or regions[-1].name != name:
        raise ValueError(f"no region {name} ends here")
    regions.pop()


def _filled_in(line: str, regions: list[Region]) -> str:
    for region in regions:
        if region.stand_in:
            if region.stand_in not in line:
                raise ValueError(f"{region.stand_in} does not stand here for {region.name}")
            line = line.replace(region.stand_in, region.value)
    return line
