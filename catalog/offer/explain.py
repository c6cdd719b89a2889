"""Says what a policy allows: as tables for people, as data for programs."""

from typing import Any

from rich.console import Console
from rich.table import Table

from extensions.policy import Policy, left_open, preferred
from extensions.policy_file import BESIDE, VARIABLE
from extensions.questions import default_in_words, questions
from extensions.rules import CHOICES, said

NONE = (
    f"There is no policy, so every legal answer is allowed. {VARIABLE} names the file of one, or "
    f"{BESIDE} lies beside the template."
)


def as_data(policy: Policy | None) -> dict[str, Any]:
    """Return what a policy decides, in the words of its file; nothing where there is none."""
    if policy is None:
        return {}
    return {
        "file": str(policy.file),
        "name": policy.name,
        "contact": policy.contact,
        "template": policy.template,
        "minimum_version": policy.minimum_version,
        "locked": dict(policy.locked),
        "allowed": {name: list(values) for name, values in policy.allowed.items()},
        "defaults": preferred(policy),
        "presets": {
            name: {"help": preset.help, "answers": dict(preset.answers)}
            for name, preset in policy.presets.items()
        },
        "end_of_life": {base: day.isoformat() for base, day in policy.end_of_life.items()},
    }


def show(policy: Policy | None, console: Console) -> None:
    """Print what a policy allows.

    Args:
        policy: The policy, None where there is none.
        console: Where to print.
    """
    if policy is None:
        console.print(NONE)
        return
    contact = f"; {policy.contact} answers questions" if policy.contact else ""
    console.print(f"{policy.name}, from {policy.file}{contact}", markup=False)
    if policy.template:
        console.print(f"The template is {policy.template}", markup=False)
    if policy.minimum_version:
        console.print(f"Services are made from version {policy.minimum_version} or later")
    for table in (_questions(policy), _presets(policy), _ends(policy)):
        if table.row_count:
            console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _questions(policy: Policy) -> Table:
    table = _table("Questions", "question", "what may be answered", "default")
    for name in questions():
        default = default_in_words(name)
        if name in left_open(policy):
            default = "asked"
        elif (instead := preferred(policy).get(name)) is not None:
            default = said(instead)
        if name in policy.locked:
            may = "this alone, locked"
        elif name in policy.allowed:
            may = ", ".join(map(said, policy.allowed[name]))
        else:
            may = ", ".join(CHOICES[name]) if name in CHOICES else "anything legal"
        table.add_row(name, may, default)
    return table


def _presets(policy: Policy) -> Table:
    table = _table("Presets of `catalog new`", "preset", "for", "answers")
    for name, preset in policy.presets.items():
        answers = "\n".join(f"{name}: {said(answer)}" for name, answer in preset.answers.items())
        table.add_row(name, preset.help, answers)
    return table


def _ends(policy: Policy) -> Table:
    table = _table("Bases that come to their end", "base", "on")
    for base, day in sorted(policy.end_of_life.items(), key=lambda each: each[1]):
        table.add_row(base, day.isoformat())
    return table
