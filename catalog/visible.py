"""Text that others wrote, before a page or a terminal shows it."""

import re

from extensions.rules import BIDI_CONTROLS

# What XML and HTML cannot hold, or what would show a text as another one than it is.
INVISIBLE = re.compile(
    rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef{''.join(BIDI_CONTROLS)}"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)


def visible(text: str) -> str:
    """Return a text with a replacement for each character that no page and no terminal can show.

    Those that reorder text are among them: https://www.unicode.org/reports/tr9/, section 2
    """
    return INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)
