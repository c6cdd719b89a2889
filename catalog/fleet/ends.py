"""Which images of a service are past the end of life of what they are made from.

The policy of the organisation decides. Where it says nothing of an image, the end that Alpine and
Debian themselves announce counts: `versions.toml` has these.
"""

import datetime
import re
from collections.abc import Iterable
from functools import cache

from extensions.pins import versions
from extensions.policy import Policy, ends


def ended(images: Iterable[str], policy: Policy | None, today: datetime.date) -> list[str]:
    """Say which images are past their end of life.

    Args:
        images: The images that a service is built from and on, as its Dockerfile names them.
        policy: What the organisation decides, if it does.
        today: The day to compare the ends of life with.

    Returns:
        A line for each, which begins with `image` and says who says so.
    """
    lines = []
    for image in dict.fromkeys(images):
        if policy and (decided := ends(policy, image)):
            lines += [_line(image, end, policy.says_so) for end in decided if end <= today]
        elif (known := announced(image)) and known[1] <= today:
            lines.append(_line(image, known[1], f"{known[0]} says so"))
    return lines


def _line(image: str, end: datetime.date, who: str) -> str:
    return f"image: {image} came to its end on {end}; {who}"


@cache
def announced(image: str) -> tuple[str, datetime.date] | None:
    """Return which distribution an image is made from, and until when that is supported.

    Args:
        image: Its name with the tag, such as `rust:1.98.0-alpine3.22` or `debian:bookworm-slim`,
            with or without a mirror's name before it.

    Returns:
        None where the name does not say, or `versions.toml` does not know.
    """
    name = image.rpartition("/")[2].partition("@")[0]
    for distribution, releases in versions()["end_of_life"].items():
        for release, end in releases.items():
            for word in release.split():
                # A suite stands alone; a number behind the distribution, as in alpine:3.22.1 and
                # static-debian12.
                said = rf"[:-]{word}" if word.isalpha() else rf"{distribution}:?{re.escape(word)}"
                if re.search(rf"{said}(?![0-9a-z])", name):
                    return distribution.capitalize(), end
    return None
