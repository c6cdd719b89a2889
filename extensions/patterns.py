"""Regular expressions that Python and JSON Schema read alike.

JSON Schema's are those of ECMA-262, which most validators compile with the flag `u`: no named
groups, no escapes that are not needed. https://json-schema.org/understanding-json-schema/reference/regular_expressions
"""

import re
import sys
from collections.abc import Callable


def whole(pattern: str) -> str:
    """Return the pattern of a text that matches as a whole."""
    return f"^(?:{pattern})$"


def glob(text: str) -> str:
    """Return the pattern of what a text with wildcards stands for.

    Args:
        text: In it, `*` stands for any characters and `?` for one; all others for themselves.
    """
    wild = {"*": ".*", "?": "."}
    # What else is special: https://tc39.es/ecma262/#prod-SyntaxCharacter
    return "".join(
        wild.get(each) or re.sub(r"([\^$\\.+()\[\]{}|])", r"\\\1", each) for each in text
    )


def at_least(number: int, digits: int = 5) -> str:
    """Return the pattern of the decimal numbers from one on, without leading zeros.

    Args:
        number: The smallest that matches.
        digits: How many the largest has.
    """
    text = str(number)
    found = [text]
    for place, digit in enumerate(text):
        rest = len(text) - place - 1
        if digit != "9":
            found.append(f"{text[:place]}[{int(digit) + 1}-9]{_any(rest)}")
    if len(text) < digits:
        found.append(f"[1-9][0-9]{{{len(text)},{digits - 1}}}")
    return f"(?:{'|'.join(found)})"


def release_from(lowest: tuple[int, int, int]) -> str:
    """Return the pattern of the releases `x.y.z` that are not below one."""
    major, minor, patch = lowest
    number = at_least(0)
    same_minor = rf"{minor}\.{at_least(patch)}"
    later_minor = rf"{at_least(minor + 1)}\.{number}"
    later_major = rf"{at_least(major + 1)}\.{number}\.{number}"
    return rf"{major}\.(?:{same_minor}|{later_minor})|{later_major}"


def characters(belongs: Callable[[str], bool]) -> str:
    """Return what a character class holds of all the characters that a function tells.

    Those beyond U+FFFF stand for themselves, since Python and ECMA-262 escape them differently.
    """
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if belongs(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(
        _escaped(first) + (f"-{_escaped(last)}" if last > first else "") for first, last in ranges
    )


def _any(digits: int) -> str:
    return {0: "", 1: "[0-9]"}.get(digits, f"[0-9]{{{digits}}}")


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else chr(code)
