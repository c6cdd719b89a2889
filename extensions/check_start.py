"""Checks before the first file: where the template is from, and what this machine can do."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from copier.errors import UserMessageError

from .pins import ROOT
from .surroundings import REPOSITORY


def destination_state(destination: Path) -> Literal["missing", "empty", "occupied"]:
    """Tell what a copy finds at its destination; a folder with nothing but `.git` is empty."""
    try:
        entries = {entry.name for entry in Path(destination).iterdir()}
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "occupied"
    return "occupied" if entries - {".git"} else "empty"


def check_source(source: str) -> None:
    """Make sure that the template's URL can be written into the answers file of every service.

    Args:
        source: The URL or path of the template, as Copier records it.

    Raises:
        UserMessageError: It is a web address with a user or a password; either may be a token.

    Source: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1 and
    https://git-scm.com/docs/gitcredentials for how git keeps credentials instead.
    """
    url = urlsplit(source.removeprefix("git+"))
    if url.scheme in {"http", "https"} and "@" in url.netloc:
        raise UserMessageError(
            "_src_path: the template's URL must have no credentials, since every service records "
            f"it; use {url.scheme}://{url.netloc.rpartition('@')[2]}{url.path} and let a "
            "credential helper of git keep them, or an SSH key"
        )


def check_place(service: Path) -> None:
    """Make sure that the path of a service is the one that git has for it.

    Args:
        service: The path, as Copier was told.

    Raises:
        UserMessageError: It leads through a symbolic link; Copier compares it with git's own path.
    """
    if service.absolute() != (physical := service.resolve()):
        raise UserMessageError(f"{service}: leads through a symbolic link; update {physical}")


def check_version(commit: str | None) -> None:
    """Make sure that a service records the version of the template that it is made from.

    Args:
        commit: The version that Copier is about to record; None if the template has no history.

    Raises:
        UserMessageError: It would be a version of another repository.

    Source: https://git-scm.com/docs/git#_environment_variables: GIT_DIR and others name a
    repository, whatever the current folder is. Git sets them for hooks and for some aliases.
    """
    set_here = [name for name in REPOSITORY if name in os.environ]
    if commit is not None and set_here:
        names = " ".join(f"-u {name}" for name in set_here)
        raise UserMessageError(
            f"{set_here[0]}: is set, so git would take the version of another repository; "
            f"`env {names} copier …` takes the template's"
        )


def check_smoke(level: str, crate: Path, token: str) -> None:
    """Make sure that a smoke build can run here.

    Args:
        level: How far it is to go.
        crate: A folder with the manifest and the lock file of the service.
        token: The environment variable with the token of its private registry, "" for none.

    Raises:
        UserMessageError: It cannot; the message has the reason and the remedy.
    """
    if level == "image" and token and not os.environ.get(token):
        raise UserMessageError(f"smoke: image needs the token of cargo_registry in {token}")
    command = [sys.executable, str(ROOT / "hooks" / "smoke.py"), level]
    process = subprocess.run(
        [*command, "--preflight", str(crate)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode:
        reason = process.stdout.strip() or f"hooks/smoke.py ended with {process.returncode}"
        raise UserMessageError(f"smoke: {level} cannot run here: {reason}")
