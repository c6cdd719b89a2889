"""Compares what a service has committed with what its version of the template makes of its answers.

This is the slow part of a look at a service, and reading it imports Copier. What it finds is what a
tree determines, so it is done once for each tree.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from stat import S_IFLNK, S_IFMT, S_IFREG
from typing import Any

import pygit2

from catalog.fleet.expected import File, NotRendered
from catalog.fleet.look import Seen, is_ours
from catalog.fleet.releases import Releases
from catalog.fleet.repositories import Service, entry, not_read, text
from extensions.images import DOCKERFILE
from hooks.check_recorded import MARKER, Unusable, parse
from hooks.command_line import ANSWERS_FILE
from hooks.pinned import bases

# Yields the names of the blobs that it reads next, and returns what it saw.
Seeing = Generator[set[str], None, Seen]


@dataclass(frozen=True)
class Comparison:
    """What services are compared with.

    Attributes:
        releases: The versions of the template.
        sources: The names by which services know it, as `same_source` gives them.
    """

    releases: Releases
    sources: frozenset[str]

    def of(self, services: Iterable[Service]) -> dict[str, Seen]:
        """Compare services whose repositories have all of their objects.

        Returns:
            What is seen of each, by the names of their trees.
        """
        found: dict[str, Seen] = {}
        for service in services:
            try:
                repository = pygit2.Repository(service.repository)
                found |= self.together({service.tree: self.seeing(repository, service.tree)})
            except (pygit2.GitError, KeyError) as reason:
                # It went away while we looked.
                found[service.tree] = Seen(reason=not_read(reason))
        return found

    def together(
        self,
        looks: Mapping[str, Seeing],
        fetch: Callable[[Iterable[str]], None] = lambda _: None,
        alone: AbstractContextManager[object] | None = None,
    ) -> dict[str, Seen]:
        """Run several looks side by side, so that what they read is fetched together.

        Args:
            looks: The looks by the names of their trees.
            fetch: Brings blobs by their names.
            alone: Is held while one of them works; not while blobs are fetched.
        """
        found: dict[str, Seen] = {}
        while len(found) < len(looks):
            needed: set[str] = set()
            with alone or nullcontext():
                for tree, look in looks.items():
                    if tree not in found:
                        try:
                            needed |= next(look)
                        except StopIteration as ended:
                            found[tree] = ended.value
                        except (pygit2.GitError, KeyError) as reason:
                            found[tree] = Seen(reason=not_read(reason))
            if needed:
                fetch(needed)
        return found

    def seeing(self, repository: pygit2.Repository, name: str) -> Seeing:
        """Look at a tree.

        Args:
            repository: It has the tree, and a blob once that was asked for.
            name: The name of the tree.

        Yields:
            The blobs that must be there when this goes on.

        Returns:
            What the tree determines. A service as it was made needs one blob: that of its answers.
        """
        tree = repository[name]
        assert isinstance(tree, pygit2.Tree)
        yield _blobs(tree, [ANSWERS_FILE])
        written = _text(repository, tree, ANSWERS_FILE)
        try:
            if written is None:
                raise Unusable(f"{ANSWERS_FILE}: is no file of less than a megabyte")
            answers = parse(written)
        except Unusable as reason:
            conflicts = [ANSWERS_FILE] if written and MARKER.search(written) else []
            return Seen(reason=str(reason), conflicts=conflicts)
        seen = Seen(
            {name: plain(value) for name, value in answers.items() if is_answer(name, value)}
        )
        files: dict[str, File] = {}
        if is_ours(answers, self.sources):
            try:
                for other in answers.keys() - seen.answers.keys():
                    raise NotRendered(f"{ANSWERS_FILE}: {str(other)[:40]!r} has no plain answer")
                files = self.releases.files(str(answers["_commit"]), seen.answers)
            except NotRendered as reason:
                seen.reason = str(reason)
            changed = _compare(seen, tree, files)
            seen.stale = _as_another_version(changed, seen.answers, self.releases)
            seen.edited = [path for path in changed if path not in seen.stale]
        made = files.get(DOCKERFILE)
        found = entry(tree, DOCKERFILE)
        if made and found and found[1] == _own(made, tree):
            seen.images = list(made.images)
            yield _blobs(tree, seen.edited)
        else:
            yield _blobs(tree, [*seen.edited, DOCKERFILE])
            seen.images = bases(_text(repository, tree, DOCKERFILE) or "")
        seen.conflicts = [
            path for path in seen.edited if MARKER.search(_text(repository, tree, path) or "")
        ]
        return seen


def is_answer(name: object, value: object) -> bool:
    """Tell whether this can be an answer; aliases of YAML make more of a few bytes than fits."""
    each = value if isinstance(value, list) else [value]
    return isinstance(name, str) and not any(isinstance(one, (list, dict, set)) for one in each)


def plain(value: Any) -> Any:
    """Return an answer as JSON has it, since a cached one is no other."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def _blobs(tree: pygit2.Tree, paths: Iterable[str]) -> set[str]:
    """Return the blobs at some paths; what is no file is none, such as a submodule."""
    found = (entry(tree, path) for path in paths)
    return {each[1] for each in found if each and S_IFMT(each[0]) in {S_IFREG, S_IFLNK}}


def _text(repository: pygit2.Repository, tree: pygit2.Tree, path: str) -> str | None:
    found = entry(tree, path)
    return text(repository, found[1]) if found else None


def _own(file: File, tree: pygit2.Tree) -> str:
    """Return the name of a file's blob in the object format of a tree."""
    return file.sha1 if len(str(tree.id)) == len(file.sha1) else file.sha256


def _compare(seen: Seen, tree: pygit2.Tree, files: Mapping[str, File]) -> dict[str, str]:
    """Note which files are missing or have another mode.

    Returns:
        The blobs of those that have something else, by path.
    """
    changed = {}
    for path, file in sorted(files.items()):
        found = entry(tree, path)
        if found is None:
            seen.missing.append(path)
        elif found[1] != _own(file, tree):
            changed[path] = found[1]
        elif found[0] != file.mode:
            seen.modes.append(path)
    return changed


def _as_another_version(
    changed: Mapping[str, str], answers: Mapping[str, object], releases: Releases
) -> dict[str, str]:
    """Return which files are as another version makes them, with that version.

    Args:
        changed: The blobs of files that are not as the service's own version makes them.
        answers: The answers of the service.
        releases: The versions.
    """
    found: dict[str, str] = {}
    for tag in reversed(releases.tags):
        left = changed.keys() - found.keys()
        if not left:
            break
        if tag != answers["_commit"]:
            with suppress(NotRendered):
                for path, file in releases.files(tag, answers, left).items():
                    if changed[path] in (file.sha1, file.sha256):
                        found[path] = tag
    return dict(sorted(found.items()))
