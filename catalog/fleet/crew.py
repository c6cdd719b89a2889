"""Looks at the services of many places, in as many processes as there are cores."""

import datetime
import multiprocessing
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from catalog import source
from catalog.fleet.cache import keep, opened
from catalog.fleet.look import Fleet, Row, broken, look, same_source
from catalog.fleet.releases import Releases
from catalog.fleet.repositories import Unreadable, services
from catalog.history import history
from extensions.pins import ROOT
from extensions.policy import Policy
from hooks.check_recorded import expanded

# So many places are handed to a process at a time, and so few are not worth a process.
CHUNK, FEW = 50, 100


@dataclass(frozen=True)
class Job:
    """What a process must know to look at services.

    Attributes:
        repository: That of the template.
        scratch: A folder for what each process unpacks.
        sources: The names by which services know the template.
        policy: What the organisation decides, if it does.
        today: The day to compare the ends of life with.
        cached: Whether what is seen is kept, and taken from what was kept.
    """

    repository: Path
    scratch: Path
    sources: frozenset[str]
    policy: Policy | None
    today: datetime.date
    cached: bool


@contextmanager
def job_of(template: str | None, policy: Policy | None, *, cached: bool) -> Iterator[Job]:
    """Give what every process must know, with the history of the template at hand.

    Args:
        template: Where it is, as the command line says.
        policy: What the organisation decides.
        cached: Whether what is seen is kept.

    Raises:
        NoHistory: The template cannot be cloned.
        NoTemplate: Nobody says where it is.
    """
    known = source.names(template, policy)
    own = known[0] == str(ROOT)
    with (
        tempfile.TemporaryDirectory(prefix="catalog-") as scratch,
        history(None if own else expanded(known[0])) as repository,
    ):
        sources = frozenset(map(same_source, known))
        today = datetime.datetime.now(datetime.UTC).date()
        yield Job(repository, Path(scratch), sources, policy, today, cached)


@contextmanager
def _fleet(job: Job) -> Iterator[Fleet]:
    """Give what services are compared with, in the process that calls this."""
    own = Releases(job.repository, job.scratch)
    decides = [sorted(own.commits().items()), sorted(job.sources)]
    with opened(decides if job.cached else None) as cache:
        yield Fleet(own, job.sources, job.policy, job.today, cache)


def rows(places: Iterable[Path], job: Job, processes: int) -> Iterator[Row]:
    """Yield a row for each service, and one for each place that has none that can be read.

    Args:
        places: Where services are.
        job: What they are compared with.
        processes: How many may run at a time.
    """
    waiting = iter(places)
    first = list(islice(waiting, FEW))
    everything = chain(first, waiting)
    if processes == 1 or len(first) < FEW:
        with _fleet(job) as fleet:
            for place in everything:
                yield from _look_at(place, fleet)
        return
    # A fork would take the locks of this process along.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _begin, (job,)) as pool:
        for found in pool.map(_work, iter(lambda: list(islice(everything, CHUNK)), [])):
            yield from found


def _look_at(place: Path, fleet: Fleet) -> Iterator[Row]:
    try:
        for service in services(place):
            yield look(service, fleet)
    except Unreadable as reason:
        yield broken(place, str(reason))


class _Process:
    """What one of several processes keeps between its chunks."""

    fleet: Fleet
    left_open = ExitStack()


def _begin(job: Job) -> None:
    """Make a process ready for as long as it lives; each chunk writes down what it saw."""
    _Process.fleet = _Process.left_open.enter_context(_fleet(job))


def _work(places: list[Path]) -> list[Row]:
    found = [row for place in places for row in _look_at(place, _Process.fleet)]
    keep(_Process.fleet.cache)
    return found
