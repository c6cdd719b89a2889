"""Where the template is that the catalog speaks of."""

import json
from importlib.metadata import PackageNotFoundError, distribution

from extensions.pins import ROOT
from extensions.policy import Policy
from hooks.git import word

DISTRIBUTION = "rust-service-template"


class NoTemplate(Exception):
    """Nobody says where the template is; the message is one line that says what helps."""


def template(given: str | None, policy: Policy | None) -> str:
    """Return the URL or path of the template.

    Args:
        given: What the command line says.
        policy: What the organisation says.

    Returns:
        The first of what the command line says, the policy says, this program was installed from,
        and the clone that it runs from.

    Raises:
        NoTemplate: There is none of them.
    """
    found = given or for_copier((policy.template if policy else "") or _installed_from())
    if not found and (ROOT / ".git").exists():
        found = str(ROOT)
    if not found:
        raise NoTemplate(
            "--template must say where the template is; neither the policy nor this program does"
        )
    return found


def names(given: str | None, policy: Policy | None) -> list[str]:
    """Return all by which a service may know the template, what `template` returns first.

    Raises:
        NoTemplate: There is none.
    """
    found = [template(given, policy)]
    if (ROOT / ".git").exists() and not given:
        origin = word("config", "--default=", "remote.origin.url", folder=ROOT)
        found = [str(ROOT), *found, *filter(None, [origin])]
    return found


def for_copier(url: str) -> str:
    """Return a URL of a git repository so that Copier takes it for one.

    Source: https://copier.readthedocs.io/en/stable/generating/, which wants `git+` before a URL
    whose end does not show it.
    """
    known = ("https://github.com/", "https://gitlab.com/", "git+", "git@", "gh:", "gl:")
    shows_it = "://" not in url or url.startswith(known) or url.endswith(".git")
    return url if shows_it else f"git+{url}"


def _installed_from() -> str:
    """Return the repository that this program was installed from, "" if it is a clone.

    Source: https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
    """
    try:
        found = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return ""
    return str(found["url"]) if "vcs_info" in found else ""
