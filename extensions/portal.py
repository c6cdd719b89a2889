"""What a service says of itself in the portal of an organisation."""

import re
from functools import cache

# The name of the Software Template, which `spec.scaffoldedFrom` of a service refers to.
TEMPLATE_NAME = "rust-service"


@cache
def web_page(source: str) -> str:
    """Return the web page of the template's repository, "" if it has none.

    Args:
        source: The template as Copier records it: a URL, a short form of one, or a path.

    Source: https://copier.readthedocs.io/en/stable/generating/ for `gh:` and `gl:`.
    """
    url = source.removeprefix("git+")
    for short, host in (("gh:", "github.com"), ("gl:", "gitlab.com")):
        if url.startswith(short):
            url = f"https://{host}/{url.removeprefix(short)}"
    url = re.sub(r"^(?:ssh://)?git@([^/:]+)[:/]", r"https://\1/", url)
    return url.removesuffix("/").removesuffix(".git") if re.match(r"https?://\S+\Z", url) else ""
