"""How an update ended: one word of a fixed vocabulary, for people and for programs."""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from extensions.surroundings import OUTCOME_FILE

Word = Literal["current", "proven", "merged", "conflict", "failed", "refused"]


@dataclass(frozen=True)
class Outcome:
    """How an update ended.

    Attributes:
        outcome: `current`: the service had all of it. `proven`: merged, and the proof went well.
            `merged`: merged, and nobody asked for a proof. `conflict`: somebody must decide.
            `failed`: merged, but what was asked for was not done. `refused`: nothing was changed.
        before: The version that the service had.
        after: The version that it was to get.
        files: The files that the update has changed, added or removed.
        seconds: How long merge and proof took.
        reason: Why it ended so, in one line; "" if there is nothing to say.
    """

    outcome: Word
    before: str
    after: str
    files: list[str] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = ""


def tell(outcome: Outcome) -> None:
    """Print an outcome as one line, and write it to the file that `OUTCOME_FILE` names."""
    versions = f"{outcome.before} to {outcome.after}"
    if outcome.before == outcome.after:
        versions = f"at {outcome.after}"
    line = f"update: {outcome.outcome}, {versions}"
    if outcome.files:
        line += f", {len(outcome.files)} file{'' if len(outcome.files) == 1 else 's'} changed"
    print(f"{line}: {outcome.reason}" if outcome.reason else line, file=sys.stderr)
    if name := os.environ.get(OUTCOME_FILE):
        data = {**asdict(outcome), "seconds": round(outcome.seconds, 2)}
        Path(name).write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", "utf-8")
