"""Why moves fail, without what is specific to one service, so that like failures are one group."""

import hashlib
import re

from catalog.move.outcome import Outcome
from catalog.move.plan import Service
from catalog.visible import visible

GONE = "…"
LONGEST = 240
SECRET = re.compile(r"(?<=://)[^/@\s]*@")
# What differs from one service or one run to the next, the longest forms first. The host of a URL
# stays: where something is not answered is a cause.
SPECIFIC = re.compile(
    r"""
      (?P<host>\b[a-z][a-z0-9+.-]*://[^/\s'"]+)/[^\s'",;]*                        # a URL
    | (?<![\w@])[\w.-]+@[\w.-]+:[\w./~-]+                                          # an SSH address
    | \bfile:///[^\s'",;]+
    | (?<![\w.…~/-])~?/[^\s'":,;()]+                                             # an absolute path
    | \b[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?              # a time
    | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b                              # a UUID
    | \b(?=[a-f]*[0-9])[0-9a-f]{7,64}\b                                            # a commit
    | \bv?[0-9]+(?:\.[0-9]+)+(?:[-+.]?[A-Za-z0-9]+(?:[.+-][A-Za-z0-9]+)*)?\b(?!\s*m?s\b) # a version
    | \b[0-9]+(?:\.[0-9]+)?(?=\s?(?:ms|s|secs?|seconds?|min|minutes?|h|hours?)\b)  # how long
    | (?<=:)[0-9]+\b                                                               # a line, a port
    | (?<=\bline\s)[0-9]+ | (?<=\bcolumn\s)[0-9]+
    | \b[0-9]{5,}\b                                                                # a process
    """,
    re.VERBOSE,
)


def cause_of(outcome: Outcome, service: Service) -> str:
    """Return why a move failed: the word of its outcome, and its reason without what is specific.

    Names, addresses, absolute paths, commits, versions, times and durations are specific. Names of
    files in a service are not: the template has given most of them, so many services have them.

    Args:
        outcome: How the move ended.
        service: What the plan says of the service.
    """
    return ": ".join(filter(None, [outcome.outcome, general(outcome.reason, service)]))


def cause_id(cause: str) -> str:
    """Return a short name of a cause, the same in each report."""
    return hashlib.sha256(cause.encode("utf-8", "replace")).hexdigest()[:8]


def general(reason: str, service: Service) -> str:
    """Return a reason without what is specific to a service."""
    text = flat(reason)
    for own in (service.remote, service.remote.removesuffix(".git")):
        text = _replaced(text, own, GONE)
    text = _replaced(text, f"{service.folder.rstrip('/')}/" if service.folder else "", "")
    for own in (service.folder, service.name, service.name.replace("-", "_")):
        text = _replaced(text, own, GONE)
    text = SPECIFIC.sub(_without, text)
    text = re.sub(rf"{GONE}(?:[\s./:-]*{GONE})+", GONE, text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}{GONE}"


def flat(text: str) -> str:
    """Return a text of strangers as one line that can be shown, without passwords of URLs."""
    return SECRET.sub(f"{GONE}@", " ".join(visible(text).split()))


def _replaced(text: str, own: str, by: str) -> str:
    """Replace what a service is called, but not inside of another word."""
    own = flat(own)
    if not own or own.lower() not in text.lower():
        return text
    after = "" if own.endswith("/") else r"(?![\w-])"
    return re.sub(rf"(?<![\w-]){re.escape(own)}{after}", by, text, flags=re.IGNORECASE)


def _without(match: re.Match[str]) -> str:
    return f"{match['host']}/{GONE}" if match["host"] else GONE
