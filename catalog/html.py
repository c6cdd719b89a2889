"""Pages that need nothing else: no script, no other file, and a policy that lets nothing in.

What they show was written by others. Jinja escapes all of it, and what no page can show is
replaced.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from catalog.visible import visible

LAYOUT = Path(__file__).parent / "layout"


def page(
    folder: Path,
    name: str,
    values: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] = MappingProxyType({}),
) -> Iterator[str]:
    """Yield a page piece by piece.

    Args:
        folder: Where `NAME.html.jinja` is, which fills in `catalog/layout/page.html.jinja`, and
            `NAME.css`, which follows the style that pages share.
        name: Its name.
        values: What it shows.
        functions: What it calls, as a function or as a filter.

    Source: https://html.spec.whatwg.org/multipage/ and https://www.w3.org/TR/CSP3/#meta-element for
    the policy that lets only the page's own style in.
    """
    environment = Environment(
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        keep_trailing_newline=True,
        loader=FileSystemLoader([folder, LAYOUT]),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= functions
    environment.globals |= functions
    sheets = (LAYOUT / "page.css", folder / f"{name}.css")
    style = "".join(sheet.read_text("utf-8") for sheet in sheets)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = environment.get_template(f"{name}.html.jinja")
    return template.generate(**values, style=Markup(style), digest=digest)  # noqa: S704 (ours)
