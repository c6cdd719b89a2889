"""Looks at the services of many places: as many at a time as there are cores and connections.

What was seen before is looked up here. What must be compared is handed to processes if it is much,
and remotes are read by threads, since they wait for a network.
"""

import datetime
import multiprocessing
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import source
from catalog.fleet.cache import Cache, opened
from catalog.fleet.look import Row, Seen, Yardstick, broken, judged
from catalog.fleet.remotes import Head, Remote, reading
from catalog.fleet.repositories import Service, Unreadable, services, without_password
from catalog.fleet.tags import Tags, tags
from catalog.history import clone
from extensions.pins import ROOT
from extensions.policy import Policy
from hooks.check_recorded import ADDRESS, expanded, same_source

if TYPE_CHECKING:
    from catalog.fleet.compare import Comparison

# So many places are looked up at a time. So many services are handed to a process at a time, and so
# few are not worth a process.
PLACES, CHUNK, FEW = 200, 50, 100
SECONDS, CONNECTIONS = 60, 16


class Died(Exception):
    """A process of ours ended before its work did; the message is one line with what helps."""


@dataclass(frozen=True)
class Job:
    """What a process must know to look at services.

    Attributes:
        template: The URL or path of its repository.
        scratch: A folder for what is unpacked and fetched.
        sources: The names by which services know the template.
        policy: What the organisation decides, if it does.
        today: The day to compare the ends of life with.
        cached: Whether what is seen is kept, and taken from what was kept.
        seconds: How long a remote may take.
        connections: How many remotes are read at a time.
    """

    template: str
    scratch: Path
    sources: frozenset[str]
    policy: Policy | None
    today: datetime.date
    cached: bool
    seconds: float = SECONDS
    connections: int = CONNECTIONS

    @cached_property
    def tags(self) -> Tags:
        """The versions of the template.

        Raises:
            NoHistory: It does not say them.
        """
        return tags(self.template)

    @cached_property
    def repository(self) -> Path:
        """A repository with the history of the template, which is cloned once it is needed.

        Raises:
            NoHistory: It cannot be cloned.
        """
        if self.template == str(ROOT):
            return ROOT
        folder = self.scratch / "template.git"
        clone(expanded(self.template), folder)
        return folder


@contextmanager
def job_of(
    template: str | None,
    policy: Policy | None,
    *,
    cached: bool,
    seconds: float = SECONDS,
    connections: int = CONNECTIONS,
) -> Iterator[Job]:
    """Give what every process must know.

    Args:
        template: Where it is, as the command line says.
        policy: What the organisation decides.
        cached: Whether what is seen is kept.
        seconds: How long a remote may take.
        connections: How many remotes are read at a time.

    Raises:
        NoHistory: The template does not say its versions.
        NoTemplate: Nobody says where it is.
    """
    known = source.names(template, policy)
    with tempfile.TemporaryDirectory(prefix="catalog-") as scratch:
        sources = frozenset(map(same_source, known))
        today = datetime.datetime.now(datetime.UTC).date()
        place = Path(scratch)
        job = Job(known[0], place, sources, policy, today, cached, seconds, connections)
        assert job.tags is not None
        yield job


def rows(places: Iterable[str | Path], job: Job, processes: int) -> Iterator[Row]:
    """Yield a row for each service, and one for each place that has none that can be read.

    Args:
        places: Where services are: folders, and URLs of remotes.
        job: What they are compared with.
        processes: How many may run at a time.

    Raises:
        Died: One of them ended before its work did.
        NoHistory: The template cannot be cloned.
        OSError: The person's cache folder cannot be written.
    """
    decides = [sorted(job.tags.commits.items()), sorted(job.sources)]
    waiting = map(str, places)
    with opened(decides if job.cached else None) as cache, ExitStack() as left_open:
        crew = _Crew(job, cache, processes, left_open)
        while some := list(islice(waiting, PLACES)):
            yield from crew.begin(some)
            yield from crew.finish(all_but=crew.most)
        crew.hand_out(0)
        yield from crew.finish(all_but=0)


class _Crew:
    """Those who look, and what they were given to do."""

    def __init__(self, job: Job, cache: Cache, processes: int, left_open: ExitStack) -> None:
        self.job, self.cache, self.processes = job, cache, processes
        # So many may be given out at a time, so that the rest waits where it takes no memory.
        self.most = 2 * processes + 2 * job.connections
        self._yardstick = Yardstick(job.tags, job.sources, job.policy, job.today)
        self._left_open = left_open
        self._given: dict[Future[Any], Callable[[Any], Iterable[Row]]] = {}
        self._unknown: dict[str, list[Service]] = {}
        self._stopped = threading.Event()
        # One at a time: the cache, and what renders versions of the template.
        self._alone = threading.Lock()

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        assert self.job.repository is not None
        # A fork would take the locks of this process along.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.processes, context, _begin, (self.job,))
        self._left_open.callback(pool.shutdown, cancel_futures=True)
        return pool

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        threads = ThreadPoolExecutor(self.job.connections)
        self._left_open.callback(threads.shutdown, cancel_futures=True)
        self._left_open.callback(self._stopped.set)
        return threads

    @cached_property
    def _comparison(self) -> "Comparison":
        return _comparison(self.job)

    def begin(self, places: Sequence[str]) -> Iterator[Row]:
        """Yield the rows of what is known, and hand out the rest."""
        found: list[Service] = []
        for place in places:
            if ADDRESS.match(place):
                future = self._threads.submit(self._read, place)
                self._given[future] = list
                continue
            try:
                found += services(place)
            except Unreadable as reason:
                yield broken(place, str(reason))
        with self._alone:
            known = self.cache.seen(service.tree for service in found)
        for service in found:
            if service.tree in known:
                yield self._row(service, known[service.tree])
            else:
                self._unknown.setdefault(service.tree, []).append(service)
        self.hand_out(FEW)

    def hand_out(self, kept: int) -> None:
        """Have services compared that are not known, but for so many."""
        while len(self._unknown) > kept:
            trees = list(islice(self._unknown, CHUNK))
            some = {tree: self._unknown.pop(tree) for tree in trees}
            asked = [each[0] for each in some.values()]
            future: Future[dict[str, Seen]]
            if self.processes > 1 and (kept or "_pool" in vars(self)):
                future = self._pool.submit(_work, asked)
            else:
                future = Future()
                with self._alone:
                    future.set_result(self._comparison.of(asked))
            self._given[future] = partial(self._rows, some)

    def finish(self, all_but: int) -> Iterator[Row]:
        """Yield the rows of what was handed out, until only so much of it is left."""
        while len(self._given) > all_but:
            done, _ = wait(self._given, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    yield from self._given.pop(future)(future.result())
                except BrokenProcessPool:
                    raise Died(
                        "a process that looked at services has ended; --jobs 1 works without others"
                    ) from None

    def _rows(self, services: Mapping[str, list[Service]], seen: Mapping[str, Seen]) -> list[Row]:
        with self._alone:
            self.cache.keep(seen)
        return [self._row(each, seen[tree]) for tree, some in services.items() for each in some]

    def _row(self, service: Service, seen: Seen) -> Row:
        return judged(service, seen, self._yardstick)

    def _read(self, place: str) -> list[Row]:
        """Look at a remote; this is what threads do."""
        shown = without_password(place)
        try:
            with reading(place, self.job.scratch, self.job.seconds, self._stopped) as remote:
                head = remote.head()
                folders, seen = self._seen(remote, head)
        except Unreadable as reason:
            row = broken(shown, str(reason))
            row.remote, row.url = without_password(expanded(place)), expanded(place)
            return [row]
        return [
            self._row(
                Service(
                    f"{shown}#{folder}" if folder else shown,
                    *(folder, head.commit, head.branch, tree, "", remote.url),
                ),
                seen[tree],
            )
            for folder, tree in folders.items()
        ]

    def _seen(self, remote: Remote, head: Head) -> tuple[dict[str, str], dict[str, Seen]]:
        """Return the folders of services in a remote with their trees, and what is seen of these.

        Raises:
            Unreadable: The remote does not give what is needed.
        """
        with self._alone:
            known = self.cache.folders(head.commit)
            seen = self.cache.seen(known.values()) if known else {}
        if known and all(tree in seen for tree in known.values()):
            return known, seen
        repository, folders = remote.trees(head.commit)
        with self._alone:
            seen = self.cache.seen(folders.values())
            looks = {
                tree: self._comparison.seeing(repository, tree)
                for tree in folders.values()
                if tree not in seen
            }
        fetch = partial(remote.blobs, repository)
        new = self._comparison.together(looks, fetch, self._alone)
        with self._alone:
            self.cache.keep_folders(head.commit, folders)
            self.cache.keep(new)
        return folders, {**seen, **new}


def _comparison(job: Job) -> "Comparison":
    """Return what services are compared with, for the process that calls this."""
    # Copier is imported by this alone, and not at all where everything is known.
    from catalog.fleet.compare import Comparison  # noqa: PLC0415
    from catalog.fleet.releases import Releases  # noqa: PLC0415

    released = tuple(job.tags.released.values())
    return Comparison(Releases(job.repository, job.scratch, released), job.sources)


class _Process:
    """What one of several processes keeps between its chunks."""

    comparison: "Comparison"


def _begin(job: Job) -> None:
    """Make a process ready for as long as it lives."""
    _Process.comparison = _comparison(job)


def _work(services: list[Service]) -> dict[str, Seen]:
    return _Process.comparison.of(services)
