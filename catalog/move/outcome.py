"""How the move of one service ended, in the words that an update has, and four more."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from hooks.outcome import Word

More = Literal["blocked", "unreachable", "skipped"]
WORDS: tuple[str, ...] = (*get_args(Word), *get_args(More))
# Those of a service whose remote has a branch with the version.
BRANCH = frozenset({"proven", "merged"})
# Those that somebody must look at; `--only-failed` tries them again.
BAD = frozenset({"conflict", "failed", "refused", "blocked", "unreachable"})


@dataclass(frozen=True)
class Outcome:
    """How the move of one service ended.

    Attributes:
        service: Its key in the plan.
        name: What people call it.
        outcome: `current`, `proven`, `merged`, `conflict`, `failed` and `refused` as an update
            says them; after `proven` and `merged`, its remote has the branch. `blocked`: the remote
            did not take the branch. `unreachable`: it could not be read. `skipped`: a person left
            it out.
        before: The version that it had.
        after: The version that it was to get.
        branch: The branch in its remote; "" if there is none.
        base: The branch that it was made from.
        commit: What the branch names; "" if there is none.
        already: Whether the branch was there, from this or another run.
        files: What the update changed.
        defaults: The new questions, each with the default that it took.
        reason: Why it ended so, in one line; "" if there is nothing to say.
        seconds: How long it took.
        wave: The wave that it was in.
    """

    service: str
    name: str
    outcome: str
    before: str = ""
    after: str = ""
    branch: str = ""
    base: str = ""
    commit: str = ""
    already: bool = False
    files: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0
    wave: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def of_data(data: dict[str, Any]) -> Outcome:
    """Return an outcome from what `as_data` made of it, by whatever version of this program.

    Raises:
        KeyError: It lacks what every outcome has.
    """
    known = {name: data[name] for name in Outcome.__dataclass_fields__ if name in data}
    for name in ("service", "name", "outcome"):
        known[name] = str(data[name])
    return Outcome(**known)
