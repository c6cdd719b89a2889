"""Carries out a plan: wave by wave, as many services at a time as the engine moves."""

import datetime
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

from catalog.move.causes import cause_id, cause_of
from catalog.move.engines import Engine
from catalog.move.findings import limit
from catalog.move.journal import Journal, Known
from catalog.move.message import body
from catalog.move.order import Terms, order
from catalog.move.outcome import BAD, Outcome
from catalog.move.plan import Plan, Service, Wave
from catalog.visible import visible
from hooks.processes import last_line, run_within


class TooMany(Exception):
    """So many moves of a wave failed that no more are begun; the message says how many."""


class Unknown(Exception):
    """A plan does not have what was asked for; the message is one line that says what it has."""


@dataclass(frozen=True)
class Choice:
    """Which services of a plan a run moves.

    Attributes:
        waves: Those of these waves; all if there are none.
        services: Those with these names or keys; all if there are none.
        causes: Those that failed by these causes, as a report names them; all if there are none.
        shard: Those that fall to one of several jobs, such as (3, 64), which is the third.
        only_failed: Those whose last move failed, instead of those that were not moved yet.
    """

    waves: Sequence[str] = ()
    services: Sequence[str] = ()
    causes: Sequence[str] = ()
    shard: tuple[int, int] = (1, 1)
    only_failed: bool = False


@dataclass
class Run:
    """A run that carries out a plan.

    Attributes:
        plan: The plan.
        terms: On which terms services are moved.
        journal: What is written.
        known: What earlier runs wrote.
        say: Gets each line for people.
        most_failed: How many moves of a wave may fail, as a number or as `10%` of the wave.
        command: What is called for each branch that is pushed; "" for nothing.
        pause: Called between two waves with the name of the next one.
        not_opened: For how many branches the command failed.
    """

    plan: Plan
    terms: Terms
    journal: Journal
    known: Known
    say: Callable[[str], None]
    most_failed: str = "10%"
    command: str = ""
    pause: Callable[[str], None] = field(default=lambda _: None)
    not_opened: int = 0
    services: dict[str, Service] = field(init=False)

    def __post_init__(self) -> None:
        """Look the services up by their keys."""
        self.services = {each.key: each for each in self.plan.services}

    def carry_out(self, waves: Sequence[Wave], engine: Engine) -> None:
        """Move services.

        Args:
            waves: What `chosen` returned.
            engine: What moves them.

        Raises:
            OSError: The journal or a log cannot be written.
            TooMany: More moves of a wave failed than may.
        """
        self._open_again()
        total = sum(len(wave.services) for wave in waves)
        number = 0
        for position, wave in enumerate(waves):
            if position:
                self.pause(wave.name)
            self.say(f"{visible(wave.name)}: {_services(len(wave.services))}")
            most, failed = limit(self.most_failed, len(wave.services)), 0
            for outcome in self._moved(wave, engine, lambda: failed <= most):  # noqa: B023
                number += 1
                self.say(f"[{number:{len(str(total))}}/{total}] {_line(outcome)}")
                failed += outcome.outcome in BAD
            if failed > most:
                raise TooMany(
                    f"{failed} of the {_services(len(wave.services))} of {visible(wave.name)} did "
                    f"not get their branch, more than --max-failed {self.most_failed} allows; no "
                    "more were begun"
                )

    def _moved(self, wave: Wave, engine: Engine, goes_on: Callable[[], bool]) -> Iterator[Outcome]:
        """Yield the outcome of each service of a wave when it is in the journal."""
        waiting = iter(wave.services)
        running: dict[Future[Outcome], Service] = {}
        while True:
            while goes_on() and len(running) < engine.size:
                service = next(waiting, None)
                if service is None:
                    break
                told = order(self.plan, service, wave.name, self.terms)
                running[engine.submit(told)] = service
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                running.pop(future)
                outcome = future.result()
                self.journal.add(outcome, now())
                self.known.outcomes[outcome.service] = outcome
                self._open(outcome)
                yield outcome

    def _open_again(self) -> None:
        """Call the command for branches of which no run has noted that it did."""
        if self.command:
            for outcome in list(self.known.outcomes.values()):
                self._open(outcome)

    def _open(self, outcome: Outcome) -> None:
        is_done = not outcome.branch or outcome.commit in self.known.opened
        if not self.command or is_done or outcome.service not in self.services:
            return
        # The operator wrote the command; what strangers wrote is in variables alone.
        variables = _variables(self.plan, self.services[outcome.service], outcome)
        try:
            ended = run_within(
                self.terms.seconds, "sh", "-c", self.command, env={**os.environ, **variables}
            )
            why = last_line(ended.stderr or ended.stdout) if ended.returncode else ""
        except subprocess.TimeoutExpired:
            why = f"did not end within {self.terms.seconds} s"
        if why:
            self.not_opened += 1
            self.say(visible(f"--open failed for {outcome.name}: {why}"))
            return
        self.journal.opened(outcome, now())
        self.known.opened.add(outcome.commit)


def chosen(plan: Plan, known: Known, choice: Choice) -> list[Wave]:
    """Return what a run moves, by waves; those without a service are left out.

    Args:
        plan: The plan.
        known: What earlier runs did.
        choice: What a person wants.

    Raises:
        Unknown: The plan has no such wave or service.
    """
    waves = {wave.name for wave in plan.waves}
    services = {name for each in plan.services for name in (each.name, each.key)}
    for what, names, there in (
        ("--wave", choice.waves, waves),
        ("--service", choice.services, services),
    ):
        for name in names:
            if name not in there:
                some = ", ".join(sorted(there)[:5]) or "nothing"
                raise Unknown(f"{what} {name}: the plan has no such one; it has {some}")
    number, of = choice.shard
    made = [
        Wave(
            wave.name,
            [each for each in wave.services[number - 1 :: of] if _is_chosen(each, known, choice)],
        )
        for wave in plan.waves
        if not choice.waves or wave.name in choice.waves
    ]
    return [wave for wave in made if wave.services]


def _is_chosen(service: Service, known: Known, choice: Choice) -> bool:
    if choice.services and not {service.name, service.key} & set(choice.services):
        return False
    last = known.outcomes.get(service.key)
    if not choice.only_failed:
        return last is None or last.outcome == "skipped"
    return (
        last is not None
        and last.outcome in BAD
        and (not choice.causes or cause_id(cause_of(last, service)) in choice.causes)
    )


def sleep(seconds: float, say: Callable[[str], None]) -> Callable[[str], None]:
    """Return what waits between two waves."""

    def pause(wave: str) -> None:
        say(f"waiting {seconds:g} s before {visible(wave)}; stopped and begun again, it goes on")
        time.sleep(seconds)

    return pause


def _line(outcome: Outcome) -> str:
    """Say in a line how the move of a service ended."""
    said = f"{outcome.outcome}  {outcome.name}"
    if outcome.before:
        at = outcome.before == outcome.after or outcome.outcome == "current"
        said += f", at {outcome.before}" if at else f", {outcome.before} to {outcome.after}"
    if outcome.already:
        said += ", its branch was there"
    elif outcome.files:
        said += f", {len(outcome.files)} file{'' if len(outcome.files) == 1 else 's'}"
    return visible(f"{said}: {outcome.reason}" if outcome.reason else said)


def _variables(plan: Plan, service: Service, outcome: Outcome) -> dict[str, str]:
    """Return what the command for a branch gets."""
    return {
        "CATALOG_SERVICE": outcome.name,
        "CATALOG_REMOTE": service.remote,
        "CATALOG_FOLDER": service.folder,
        "CATALOG_BRANCH": outcome.branch,
        "CATALOG_BASE": outcome.base,
        "CATALOG_COMMIT": outcome.commit,
        "CATALOG_FROM": outcome.before,
        "CATALOG_TO": outcome.after,
        "CATALOG_OUTCOME": outcome.outcome,
        "CATALOG_TITLE": plan.title,
        "CATALOG_BODY": body(outcome.before, outcome.after, outcome.defaults),
    }


def _services(number: int) -> str:
    return f"{number} service{'' if number == 1 else 's'}"


def now() -> str:
    """Return the time as the journal has it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
