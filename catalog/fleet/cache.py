"""Keeps what was seen of trees, so that a second look at a fleet reads the new ones alone.

A tree determines what is seen of it, together with the versions of the template and this program.
A commit determines where its services are, so a remote that has not changed is not fetched again.
What changes by itself, such as how far a service is behind, is not kept.
"""

import datetime
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from catalog.fleet.look import Seen
from catalog.fleet.repositories import NOT_READ
from extensions.pins import ROOT

FILE = "services.sqlite"
# What decides what is seen.
CODE = (
    *("expected", "compare", "look", "releases", "repositories"),
    *("hooks/check_recorded", "hooks/pinned", "extensions/images"),
)
# What nobody asked for in so many days is forgotten; that it was asked for is noted less often.
FORGOTTEN, NOTED = 90, 30
# So many entries are written at a time, and asked for in one question.
MOST = 500


class Cache:
    """What was seen before, by the names of trees and commits.

    Any thread may use it, one at a time. What cannot be read or written costs time alone.
    """

    def __init__(self, file: sqlite3.Connection | None, within: str) -> None:
        """Take an open file, None to keep nothing, and the name of what decides what is seen."""
        self._file, self._within = file, within
        self._today = datetime.datetime.now(datetime.UTC).date().toordinal()
        self._new: dict[str, str] = {}
        self.is_broken = False

    def seen(self, trees: Iterable[str]) -> dict[str, Seen]:
        """Return what was seen of trees, without those that nobody looked at."""
        return {tree: Seen(**found) for tree, found in self._asked(trees).items()}

    def folders(self, commit: str) -> dict[str, str] | None:
        """Return the folders of the services in a commit with their trees, None if not known."""
        return self._asked([commit]).get(commit)

    def keep(self, seen: Mapping[str, Seen]) -> None:
        """Keep what is seen of trees that could be read."""
        self._keep(
            {
                tree: vars(each)
                for tree, each in seen.items()
                if not each.reason.startswith(NOT_READ)
            }
        )

    def keep_folders(self, commit: str, folders: Mapping[str, str]) -> None:
        """Keep where the services of a commit are."""
        self._keep({commit: dict(folders)})

    def write(self) -> None:
        """Write down what is kept in memory alone."""
        day = self._today
        rows = [(self._within, name, day, value) for name, value in self._new.items()]
        self._new.clear()
        if self._file and rows:
            with self._tried(), self._file:
                self._file.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", rows)

    def _asked(self, names: Iterable[str]) -> dict[str, Any]:
        wanted = list(dict.fromkeys(names))
        found: dict[str, str] = {name: self._new[name] for name in wanted if name in self._new}
        if self._file and len(found) < len(wanted):
            marks = ", ".join("?" * len(wanted))
            asked = f"SELECT name, day, value FROM kept WHERE within = ? AND name IN ({marks})"  # noqa: S608
            with self._tried():
                for name, day, value in self._file.execute(asked, (self._within, *wanted)):
                    found[name] = value
                    if day < self._today - NOTED:
                        self._new[name] = value
        return {name: json.loads(value) for name, value in found.items()}

    def _keep(self, values: Mapping[str, Any]) -> None:
        if self._file:
            self._new |= {name: json.dumps(value, default=str) for name, value in values.items()}
            if len(self._new) >= MOST:
                self.write()

    @contextmanager
    def _tried(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError:
            self._file, self.is_broken = None, True


@contextmanager
def opened(decides: object) -> Iterator[Cache]:
    """Give what was seen before, and write down what is seen now.

    Args:
        decides: What decides what is seen of a tree, beside this program: the versions of the
            template, and its names. Of a kind that JSON can hold; None to keep nothing.

    Raises:
        OSError: The person's cache folder cannot be written.
    """
    if decides is None:
        yield Cache(None, "")
        return
    place = user_cache_path("catalog")
    place.mkdir(parents=True, exist_ok=True)
    try:
        file = _file(place / FILE)
    except sqlite3.DatabaseError:
        (place / FILE).unlink(missing_ok=True)
        file = _file(place / FILE)
    cache = Cache(file, _within(decides))
    try:
        yield cache
    finally:
        cache.write()
        file.close()
        if cache.is_broken:
            (place / FILE).unlink(missing_ok=True)


def _within(decides: object) -> str:
    """Return the name of what decides what is seen."""
    beside = Path(__file__).parent
    files = [ROOT / f"{each}.py" if "/" in each else beside / f"{each}.py" for each in CODE]
    program = [file.read_text("utf-8") for file in files]
    return hashlib.sha256(json.dumps([decides, program]).encode()).hexdigest()[:32]


def _file(place: Path) -> sqlite3.Connection:
    file = sqlite3.connect(place, timeout=60, check_same_thread=False)
    with file:
        file.execute(
            "CREATE TABLE IF NOT EXISTS kept (within TEXT, name TEXT, day INTEGER, value TEXT, "
            "PRIMARY KEY (within, name)) WITHOUT ROWID"
        )
        file.execute("CREATE INDEX IF NOT EXISTS days ON kept (day)")
        oldest = datetime.datetime.now(datetime.UTC).date().toordinal() - FORGOTTEN
        # A question costs less than a lock.
        if file.execute("SELECT 1 FROM kept WHERE day < ? LIMIT 1", (oldest,)).fetchone():
            file.execute("DELETE FROM kept WHERE day < ?", (oldest,))
    return file
