"""The commands that move services; each hands over to a module of its own.

Modules are imported where a command needs them, so that each command starts fast.
"""

import json
import os
import re
import signal
import sys
from collections import Counter
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands import Failed, Output, app
from catalog.output import put
from extensions.pins import ROOT
from extensions.policy import current
from hooks.check_recorded import ADDRESS, same_source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from catalog.move.engines import Engine
    from catalog.move.journal import Journal, Known
    from catalog.move.outcome import Outcome
    from catalog.move.plan import Plan
    from catalog.move.run import Choice

PANEL = "Move services"
# sysexits.h: try again later.
BUSY = 75


class Smoke(StrEnum):
    """How far a move proves the result before it pushes."""

    NONE = "none"
    IMAGE = "image"


class Written(StrEnum):
    """How a report is written."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The file of `catalog plan`.")]
Waves = Annotated[
    list[str] | None, typer.Option("--wave", metavar="NAME", help="These waves alone.")
]
MaxFailed = Annotated[
    str,
    typer.Option(
        metavar="N|N%",
        help="How many moves of a wave may fail, as a number or a part of the wave; after one "
        "more, no further one is begun.",
    ),
]


@app.command(rich_help_panel=PANEL)
def plan(
    where: Annotated[
        list[str],
        typer.Argument(metavar="WHERE...", help="Services, as `catalog status` takes them."),
    ],
    output: Output = None,
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Without it, the newest release.")
    ] = None,
    waves: Annotated[
        str,
        typer.Option(
            metavar="SIZES",
            help="How many services have been moved when a wave ends, as numbers or parts of all; "
            "the first wave is the canary, and one more wave has the rest.",
        ),
    ] = "3,10%,50%",
    branch: Annotated[
        str | None, typer.Option(help="The branch in each remote; without it, template/VERSION.")
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The template; without it, as for `catalog index`."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="The services of these owners; * and ? are wildcards.")
    ] = None,
    framework: Annotated[str | None, typer.Option(help="Services with this framework.")] = None,
    runtime: Annotated[str | None, typer.Option(help="Services on this runtime.")] = None,
    shards: Annotated[
        int, typer.Option(min=1, help="How many jobs of a pipeline share each wave.")
    ] = 1,
    github: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a GitHub workflow that carries out the plan."),
    ] = None,
    gitlab: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a GitLab pipeline that carries out the plan."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes; without it, one a core.")
    ] = None,
) -> None:
    """Plan which services go to a version, in which waves.

    The plan is a file for people: take services out, or move them between waves. Nothing is changed
    in a service. Services that cannot be moved are in it too, each with the reason.

    `catalog plan repositories.txt --output move.yaml`
    """
    from catalog import source
    from catalog.fleet import status
    from catalog.fleet.crew import Died, job_of, rows
    from catalog.fleet.look import STATES
    from catalog.history import NoHistory
    from catalog.move import planning
    from catalog.move.plan import Plan, written
    from hooks.git import GitFailed

    if (github or gitlab) and output is None:
        raise Failed("--output must name the plan that the pipeline carries out")
    shown = status.Shown(frozenset(STATES), owner, framework, runtime)
    try:
        with job_of(template, current(), cached=True) as job:
            tags = [*job.tags.released.values()]
            if not tags:
                raise Failed("the template has no version to go to: no tag such as 1.2.0")
            wanted = to or tags[-1]
            if wanted not in tags:
                raise Failed(f"--to {wanted}: must be a version, such as {', '.join(tags[-3:])}")
            found = rows(status.places(where), job, jobs or os.cpu_count() or 1)
            moved, left_out, have = planning.sorted_out(filter(shown.shows, found), wanted)
            made = Plan(
                title=f"Update the template to {wanted}",
                template=_for_others(source.names(template, current())),
                to=wanted,
                commit=job.tags.commits[wanted],
                branch=branch or f"template/{wanted}",
                author=_author(),
                waves=planning.waves(moved, waves),
                shards=shards,
                current=have,
                left_out=left_out,
            )
        text = written(made)
        for forge, file in (("github", github), ("gitlab", gitlab)):
            if file is not None:
                put(_pipeline(forge, made, str(output)), file)
    except (Died, GitFailed, NoHistory, planning.BadWaves, source.NoTemplate) as reason:
        raise Failed(str(reason)) from None
    put(text, output)
    said = ", ".join(f"{len(wave.services)} in {wave.name}" for wave in made.waves)
    print(
        f"{len(moved)} services to {wanted}{f': {said}' if said else ''}; {have} have it, "
        f"{len(left_out)} are left out",
        file=sys.stderr,
    )


@app.command(rich_help_panel=PANEL)
def update(
    plan_file: PlanFile,
    wave: Waves = None,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="These services alone; may be given more than once."),
    ] = None,
    cause: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="With --only-failed: those of this group of `catalog report`."
        ),
    ] = None,
    only_failed: Annotated[
        bool,
        typer.Option("--only-failed", help="Try again what failed, instead of going on."),
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Ask nothing at a terminal; move all of the plan.")
    ] = False,
    max_failed: MaxFailed = "10%",
    pause: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Wait between two waves: 90s, 10m, 2h, or `ask` at a terminal."
        ),
    ] = None,
    smoke: Annotated[
        Smoke,
        typer.Option(
            help="How far to prove the result before it is pushed: not at all, since the branch's "
            "own CI does, or by its image, in containers of this machine's engine."
        ),
    ] = Smoke.NONE,
    command: Annotated[
        str,
        typer.Option(
            "--open",
            metavar="COMMAND",
            help="Call this in a shell for each branch that was pushed, to open a pull request; "
            "variables CATALOG_* have the data.",
        ),
    ] = "",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Services at a time; without it, two a core."),
    ] = None,
    timeout: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long one service may take.")
    ] = 1_200,
    memory: Annotated[
        int, typer.Option(min=256, metavar="MIB", help="How much memory each process may have.")
    ] = 4_096,
    shard: Annotated[
        str,
        typer.Option(metavar="K/N", help="The part of each wave that is dealt to job K of N."),
    ] = "1/1",
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="dask://HOST:PORT",
            help="Move services on the workers of a Dask cluster; needs the extra `dask`.",
        ),
    ] = None,
) -> None:
    """Carry out a plan: one commit on a new branch in the remote of each service.

    No branch is ever overwritten, and nothing is pushed with a conflict. The remotes are the truth:
    stopped at any moment and begun again, it does nothing twice. The journal and a log for each
    service are in the folder beside the plan. Exits with 1 if a service needs a person, and with 75
    if another run carries out the same plan.

    `catalog update move.yaml --pause 10m`
    """
    from catalog.move import run
    from catalog.move.engines import NoEngine
    from catalog.move.findings import limit
    from catalog.move.journal import Busy, OtherPlan, folder_of, kept
    from catalog.move.order import Terms
    from catalog.move.outcome import BAD
    from hooks.processes import Stopped, stoppable

    made = _read(plan_file)
    choice = run.Choice(wave or (), service or (), cause or (), _shard(shard), only_failed)
    try:
        limit(max_failed, 1)
    except ValueError as reason:
        raise Failed(f"--max-failed: {reason}") from None
    seconds = None if pause in {None, "ask"} else _seconds(str(pause))
    terms = Terms(_sources(made), smoke, timeout, memory)
    folder = folder_of(plan_file.absolute())
    failed = ""
    try:
        with kept(folder, made) as (journal, known):
            if not (everything or only_failed or wave or service) and sys.stdin.isatty():
                choice = _asked(made, known, choice, journal)
            waves = run.chosen(made, known, choice)
            runs = run.Run(made, terms, journal, known, _say, max_failed, command)
            if pause == "ask":
                runs.pause = _ask_to_go_on
            elif seconds is not None:
                runs.pause = run.sleep(seconds, _say)
            with (
                stoppable(outlives_parent=True),
                _engine(engine, folder, jobs or 2 * (os.cpu_count() or 1)) as moves,
            ):
                runs.carry_out(waves, moves)
    except Busy as reason:
        print(f"catalog: {plan_file}: {reason}; try again later", file=sys.stderr)
        raise typer.Exit(BUSY) from None
    except run.TooMany as reason:
        failed = str(reason)
    except (NoEngine, OtherPlan, run.Unknown) as reason:
        raise Failed(str(reason)) from None
    except (KeyboardInterrupt, Stopped) as stopped:
        print("catalog: stopped; the same command goes on", file=sys.stderr)
        number = stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
        raise typer.Exit(128 + number) from None
    outcomes = [known.outcomes[each.key] for each in made.services if each.key in known.outcomes]
    _say(f"{_counted(outcomes)}; `catalog report {plan_file}` says more")
    if failed:
        raise Failed(failed)
    needs_a_person = any(each.outcome in BAD for each in outcomes)
    raise typer.Exit(1 if needs_a_person or runs.not_opened else 0)


@app.command(rich_help_panel=PANEL)
def report(
    plan_file: PlanFile,
    journal: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A journal; several are joined, as of the jobs of a pipeline. Without it, the one "
            "beside the plan.",
        ),
    ] = None,
    written: Annotated[
        Written, typer.Option("--format", help="For people, for programs, or for a browser.")
    ] = Written.MARKDOWN,
    output: Output = None,
    wave: Waves = None,
    max_failed: Annotated[
        str | None,
        typer.Option(
            metavar="N|N%",
            help="Exit with 1 if more moves of a wave failed, as a number or a part of the wave.",
        ),
    ] = None,
) -> None:
    """Report on a move: what reached its services, and what failed by which cause.

    `catalog report move.yaml --output move.md`
    """
    from catalog.commands import as_json
    from catalog.move import findings
    from catalog.move import report as reports
    from catalog.move.journal import FILE, Known, OtherPlan, folder_of, read
    from catalog.move.run import Choice, Unknown, chosen

    made = _read(plan_file)
    outcomes: dict[str, Outcome] = {}
    try:
        chosen(made, Known(), Choice(waves=wave or ()))
        for file in journal or [folder_of(plan_file) / FILE]:
            if journal and not file.is_file():
                raise Failed(f"--journal {file}: there is no such file")
            outcomes |= read(file, made).outcomes
        part = findings.of_waves(made, wave) if wave else made
        found = findings.made(part, outcomes, str(plan_file))
        too_many = "" if max_failed is None else findings.beyond(found, max_failed)
    except (OtherPlan, Unknown) as reason:
        raise Failed(str(reason)) from None
    except ValueError as reason:
        raise Failed(f"--max-failed: {reason}") from None
    if written is Written.JSON:
        text = as_json(findings.as_data(found))
    elif written is Written.HTML:
        text = reports.as_html(found)
    else:
        text = reports.as_markdown(found)
    put(text, output)
    if too_many:
        raise Failed(too_many)


@app.command(hidden=True)
def move_one() -> None:
    """Move one service as an order on standard input says; workers of Dask call it."""
    from catalog.move.order import of_data
    from catalog.move.single import moved_for_another
    from hooks.processes import Stopped, stoppable

    try:
        with stoppable():
            outcome, log = moved_for_another(of_data(json.load(sys.stdin)))
    except Stopped as stopped:
        raise typer.Exit(128 + stopped.number) from None
    except (KeyError, TypeError, ValueError) as reason:
        raise Failed(f"the order cannot be read: {reason!r}") from None
    sys.stderr.buffer.write(log)
    json.dump(outcome.as_data(), sys.stdout, default=str)


def _read(file: Path) -> "Plan":
    from catalog.move.plan import BadPlan, read

    try:
        return read(file)
    except BadPlan as reason:
        raise Failed(str(reason)) from None


def _pipeline(forge: str, plan: "Plan", file: str) -> str:
    from catalog.move import pipelines

    try:
        return {"github": pipelines.github, "gitlab": pipelines.gitlab}[forge](plan, file)
    except pipelines.NoPipeline as reason:
        raise Failed(str(reason)) from None


def _for_others(names: list[str]) -> str:
    """Return the name of the template that other machines know, if it has one."""
    return next(filter(ADDRESS.match, names), names[0])


def _author() -> str:
    """Return who commits, as git knows the person; without one, the catalog does."""
    from hooks.git import quiet
    from hooks.processes import run

    said = run("git", "var", "GIT_AUTHOR_IDENT", env=quiet()).stdout
    found = re.fullmatch(r"([^<>]+ <[^<>]+>) [0-9]+ [+-][0-9]+\n", said)
    return found[1] if found else "catalog <catalog@localhost>"


def _sources(plan: "Plan") -> list[str]:
    """Return the names by which services may record the template of a plan."""
    from catalog import source

    names = source.names(None, current()) if (ROOT / ".git").exists() else []
    same = {same_source(each) for each in names}
    return [plan.template, *(names if same_source(plan.template) in same else [])]


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})", text)
    if not found or int(found[1]) > int(found[2]):
        raise Failed(f"--shard {text}: must be K/N, such as 3/64")
    return int(found[1]), int(found[2])


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,6})([smh]?)", text)
    if not found:
        raise Failed(f"--pause {text}: must be a time such as 90s, 10m or 2h, or `ask`")
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3_600}[found[2]]


def _say(line: str) -> None:
    print(line, flush=True)


def _ask_to_go_on(wave: str) -> None:
    if not typer.confirm(f"Go on with {wave}?"):
        raise KeyboardInterrupt


def _asked(plan: "Plan", known: "Known", choice: "Choice", journal: "Journal") -> "Choice":
    """Ask a person which services are moved, and note which are not."""
    from catalog.move import run
    from catalog.move.choose import choose
    from catalog.move.outcome import Outcome

    left = {service.key for wave in run.chosen(plan, known, choice) for service in wave.services}
    done = {service.key for service in plan.services} - left
    picked = set(choose(plan, done))
    if not picked:
        raise Failed("nothing was ticked, so nothing is moved")
    for service in plan.services:
        if service.key in left - picked:
            outcome = Outcome(service.key, service.name, "skipped", reason="was not ticked")
            journal.add(outcome, run.now())
            known.outcomes[service.key] = outcome
    return replace(choice, services=sorted(picked))


def _engine(url: str | None, folder: Path, jobs: int) -> "AbstractContextManager[Engine]":
    from catalog.move.engines import local

    if url is None:
        return local(folder, jobs)
    if not url.startswith("dask://"):
        raise Failed(f"--engine {url}: must be dask://HOST:PORT")
    try:
        from catalog.move.cluster import dask
    except ModuleNotFoundError:
        raise Failed("--engine: dask:// needs rust-service-template[dask]") from None
    return dask(url, folder)


def _counted(outcomes: "Iterable[Outcome]") -> str:
    from catalog.move.outcome import WORDS

    counts = Counter(each.outcome for each in outcomes)
    return ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word]) or "nothing moved"
