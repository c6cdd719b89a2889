"""What many services cost to look at and to move, beside what there is without the catalog."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from benchmarks.figures import counted
from benchmarks.memory import watched
from benchmarks.workshop import Workshop
from catalog.move import journal, plan
from extensions.pins import ROOT
from lab.cluster import cluster
from lab.fleet import Member, make_fleet
from lab.rendering import COPIER
from lab.repository import git
from lab.subjects import file_name
from lab.versions import VERSIONS

CATALOG = ROOT / "bin" / "catalog"
# The groups of what is measured.
STATUS, MEMORY, UPDATES, PLANS = "status", "memory of status", "updates", "plans"
LOOP, ONE_PROCESS = "copier check-update, one by one", "catalog status, one process"
COLD, AGAIN = "catalog status", "catalog status, the second time"
ONE_AT_A_TIME = "1 at a time"
NUMBER, SECONDS, RATE = "services", "seconds a service", "services an hour"
CORES = os.cpu_count() or 1
# Decides the answers and edits of services, the same ones each time.
SEED = 5


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        services: How many services are looked at, in a fleet of their own for each number.
        rounds: How often each fleet is, in turn with the peer.
        sample: For how many services of a fleet the peer is timed in each round.
        updated: How many services are moved on this machine.
        jobs: How many at a time.
        on_workers: How many services are moved by Dask.
        workers: How many workers it has.
        planned: How many services a plan is made for.
    """

    services: Sequence[int] = (1_000,)
    rounds: int = 3
    sample: int = 7
    updated: int = 12
    jobs: Sequence[int] = tuple(sorted({1, CORES, 2 * CORES}))
    on_workers: int = 8
    workers: Sequence[int] = (1, 2, 3)
    planned: int = 2_000


QUICK = Sizes()
FULL = Sizes(services=(1_000, 10_000), updated=100, on_workers=30, planned=20_000)


def of(number: int) -> str:
    """Return how what was measured of so many services is called."""
    return f"{counted(number)} services"


def tools() -> str:
    """Return the versions of the programs that these figures depend on."""
    said = subprocess.check_output(["git", "version"], text=True).split()[2]
    packages = (f"{name} {version(name)}" for name in ("copier", "distributed"))
    return ", ".join([f"git {said}", f"Python {platform.python_version()}", *packages])


def measure(workshop: Workshop, sizes: Sizes) -> None:
    """Measure all that there is to a fleet."""
    look(workshop, sizes)
    move(workshop, sizes)
    write_plan(workshop, sizes.planned)


def look(workshop: Workshop, sizes: Sizes) -> None:
    """Look at fleets, cold and once more, in turn with a loop of `copier check-update`.

    The loop is timed for a few services, other ones each time, and extrapolated to all of them.
    """
    lists, fleets = {}, {}
    for number in sizes.services:
        folder = workshop.place(f"fleet-{number}")
        fleets[number] = make_fleet(folder, workshop.releases, number, SEED, tags=VERSIONS)
        lists[number] = _listed(folder / "list", map(str, (each.path for each in fleets[number])))
    # What is watched is not timed. It comes first, and warms the disk cache for what is.
    for number, file in lists.items():
        for form in ("table", "jsonl"):
            command = [*_status(workshop, file), f"--format={form}"]
            printed, most = watched(command, _environment(workshop), fine=(0, 1))
            assert len(printed.splitlines()) >= number, printed
            workshop.sheet.note(MEMORY, form, of(number), most, "MB")
    _seconds_to_check(workshop, [fleets[sizes.services[0]][0]])
    for turn in range(sizes.rounds):
        for number, file in lists.items():
            some = fleets[number][turn :: max(1, number // sizes.sample)][: sizes.sample]
            each = _seconds_to_check(workshop, some)
            workshop.sheet.note(STATUS, LOOP, of(number), each * number, "s")
            for name, jobs in ((ONE_PROCESS, 1), (COLD, CORES), (AGAIN, CORES)):
                command = [*_status(workshop, file), f"--jobs={jobs}"]
                around = _environment(workshop, keep=name == AGAIN)
                begin = time.monotonic()
                ended = subprocess.run(command, env=around, stdout=subprocess.PIPE, check=False)
                workshop.sheet.note(STATUS, name, of(number), time.monotonic() - begin, "s")
                assert b"\n%d services: " % number in ended.stdout, ended


def move(workshop: Workshop, sizes: Sizes) -> None:
    """Move the same services by different ways, each of which pushes a branch of its own."""
    folder = workshop.place("remotes")
    members = make_fleet(folder, workshop.releases, sizes.updated, SEED, tags=VERSIONS[1:2])
    listed = _listed(folder / "list", (each.path.as_uri() for each in members))
    file = folder / "plan.yaml"
    options = [f"--template={workshop.releases}", f"--output={file}"]
    subprocess.run([CATALOG, "plan", listed, *options], env=_environment(workshop), check=True)
    made = plan.read(file)
    for jobs in sizes.jobs:
        _move(workshop, f"{jobs} at a time", made, sizes.updated, f"--jobs={jobs}")
    for workers in sizes.workers:
        name = f"Dask, {workers} worker{'' if workers == 1 else 's'}"
        with cluster(workshop.place("cluster"), workers, _environment(workshop)) as address:
            _move(workshop, name, made, sizes.on_workers, f"--engine={address}")


def _move(workshop: Workshop, name: str, made: plan.Plan, number: int, way: str) -> None:
    """Carry out a plan for some of its services in one wave, at whose end alone somebody waits."""
    waves = [plan.Wave("all", [*islice(made.services, number)])]
    mine = replace(made, waves=waves, branch=file_name(name))
    file = workshop.folder / f"{mine.branch}.yaml"
    file.write_text(plan.written(mine), "utf-8")
    command = [str(CATALOG), "update", str(file), way, "--all"]
    begin = time.monotonic()
    around = _environment(workshop, keep=True)
    subprocess.run(command, env=around, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    found = journal.read(journal.folder_of(file) / journal.FILE, mine).outcomes.values()
    assert [(each.outcome, each.already) for each in found] == [("merged", False)] * number
    workshop.sheet.note(UPDATES, name, NUMBER, number)
    workshop.sheet.note(UPDATES, name, SECONDS, seconds / number, "s")
    workshop.sheet.note(UPDATES, name, RATE, 3_600 * number / seconds)


def write_plan(workshop: Workshop, number: int) -> None:
    """Write a plan of made-up services and read it, each in a process of its own."""
    file, name = workshop.place("plan.yaml"), of(number)
    program = [sys.executable, "-m", "benchmarks.plans"]
    for task in (["write", str(number)], ["read"]):
        printed, most = watched([*program, *task, file], os.environ)
        for what, seconds in map(json.loads, printed.splitlines()):
            workshop.sheet.note(PLANS, name, what, seconds, "s")
        workshop.sheet.note(PLANS, name, f"memory to {task[0]}", most, "MB")
    workshop.sheet.note(PLANS, name, "file", file.stat().st_size / 1e6, "MB")


def _status(workshop: Workshop, file: Path) -> list[str | Path]:
    return [CATALOG, "status", file, f"--template={workshop.releases}"]


def _environment(workshop: Workshop, *, keep: bool = False) -> dict[str, str]:
    """Return an environment with a new cache, or that of the last one, and `catalog` on PATH."""
    cache = workshop.folder / "cache" if keep else workshop.place("cache")
    path = f"{CATALOG.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(cache)}


def _listed(file: Path, places: Iterator[str]) -> Path:
    file.write_text("".join(f"{place}\n" for place in places), "utf-8")
    return file


def _seconds_to_check(workshop: Workshop, members: Sequence[Member]) -> float:
    """Return how long `copier check-update` takes for a service; it wants its files."""
    seconds = 0.0
    for member in members:
        folder = workshop.place("checked")
        git(member.path, "clone", "--quiet", str(member.path), str(folder))
        begin = time.monotonic()
        command = [COPIER, "check-update", "--output-format=json"]
        said = subprocess.check_output(command, cwd=folder, text=True)
        seconds += time.monotonic() - begin
        assert json.loads(said)["current_version"] == member.version, said
    return seconds / len(members)
