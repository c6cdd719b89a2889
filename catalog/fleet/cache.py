"""Keeps what was seen of trees, so that a second look at a fleet reads the new ones alone.

A tree determines what is seen of it, together with the versions of the template and this program.
What changes by itself, such as how far a service is behind, is not kept.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from platformdirs import user_cache_path

from catalog.fleet import expected, look, releases
from catalog.fleet.look import Seen
from hooks import check_recorded, pinned

FILE = "status.sqlite"
# What decides what is seen.
CODE = (expected, look, releases, check_recorded, pinned)


class _Kept(dict[str, Seen]):
    """What was seen, by the name of the tree: what is not in memory is looked up on the disk."""

    def __init__(self, file: sqlite3.Connection, within: str) -> None:
        super().__init__()
        self.file, self.within = file, within

    def __missing__(self, tree: str) -> Seen:
        asked = "SELECT seen FROM seen WHERE within = ? AND tree = ?"
        found = self.file.execute(asked, (self.within, tree)).fetchone()
        if found is None:
            raise KeyError(tree)
        return Seen(**json.loads(found[0]))


@contextmanager
def opened(decides: object) -> Iterator[MutableMapping[str, Seen]]:
    """Give what was seen before, and write down what is seen now.

    Args:
        decides: What decides what is seen of a tree, beside this program: the versions of the
            template, and its names. Of a kind that JSON can hold; None to keep nothing.

    Raises:
        OSError: The person's cache folder cannot be written.
    """
    if decides is None:
        yield {}
        return
    place = user_cache_path("catalog")
    place.mkdir(parents=True, exist_ok=True)
    program = "".join(Path(str(each.__file__)).read_text("utf-8") for each in CODE)
    within = hashlib.sha256(json.dumps([decides, program]).encode()).hexdigest()
    try:
        file = _file(place / FILE)
    except sqlite3.DatabaseError:
        # It is no loss but of time.
        (place / FILE).unlink(missing_ok=True)
        file = _file(place / FILE)
    kept = _Kept(file, within)
    try:
        yield kept
    finally:
        keep(kept)
        file.close()


def keep(cache: MutableMapping[str, Seen]) -> None:
    """Write down what is in memory alone."""
    if not isinstance(cache, _Kept):
        return
    made = [
        (cache.within, tree, json.dumps(asdict(seen), default=str)) for tree, seen in cache.items()
    ]
    with cache.file:
        cache.file.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", made)
    cache.clear()


def _file(place: Path) -> sqlite3.Connection:
    file = sqlite3.connect(place, timeout=60)
    with file:
        file.execute(
            "CREATE TABLE IF NOT EXISTS seen "
            "(within TEXT, tree TEXT, seen TEXT, PRIMARY KEY (within, tree)) WITHOUT ROWID"
        )
    return file
