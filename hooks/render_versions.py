"""Renders a version of the template with recorded answers, to compare a service with it."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import copier
from copier.errors import CopierError

from extensions.pins import ROOT
from extensions.policy_file import VARIABLE
from hooks.git import GitFailed, git


class NotRendered(Exception):
    """A version cannot be rendered; the message says which, and why."""


@contextmanager
def rendered(
    commit: str, answers: Mapping[str, Any], excluded: Sequence[str] = ()
) -> Iterator[Path]:
    """Render the files that one version of the template makes of some answers.

    Args:
        commit: The version: a tag or a commit of the template that this file belongs to.
        answers: The answers, as an answers file records them.
        excluded: What is not rendered, as Copier's `--exclude` says.

    Yields:
        A folder with the files, which goes with the block. It is called as the current one.

    Raises:
        NotRendered: There is no such version, or it does not take these answers.
    """
    with tempfile.TemporaryDirectory(prefix="update-") as name:
        template, folder = Path(name) / "template", Path(name) / "made" / Path.cwd().name
        try:
            _unpack(commit, template, Path(name) / "index")
            # What is there already, and what takes its place, is no matter of a policy.
            os.environ[VARIABLE] = ""
            copier.run_copy(
                str(template),
                folder,
                # It names the template that a service is said to be from; this one is a copy of it.
                user_defaults={"_src_path": answers.get("_src_path", "")},
                data={name: value for name, value in answers.items() if not name.startswith("_")},
                exclude=excluded,
                defaults=True,
                quiet=True,
                settings=copier.Settings(),
                skip_tasks=True,
                unsafe=True,
            )
        except (CopierError, GitFailed, ValueError) as reason:
            raise NotRendered(f"version {commit} cannot be rendered: {reason}") from reason
        yield folder


def _unpack(commit: str, folder: Path, index: Path) -> None:
    """Write out the files of a version as they are, whatever this machine's line ends."""
    plain = {"core.autocrlf": "false", "core.eol": "lf"}
    git("read-tree", "--end-of-options", commit, folder=ROOT, index=index)
    everything = ("checkout-index", "--all", f"--prefix={folder}/")
    git(*everything, folder=ROOT, index=index, settings=plain)
