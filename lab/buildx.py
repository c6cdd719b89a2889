"""Stands in for `docker` where emitted pipelines use buildx, on an engine that has no buildx.

It does what the pipelines ask of it with the engine's own BuildKit, refuses a flag that it does not
know, and leaves out what it must. `python -m lab.buildx` takes the arguments of `docker`.
"""

import argparse
import os
import shlex
import subprocess
import sys

# What the engine cannot do, and why it does not matter to what a test looks at.
LEFT_OUT = {
    "platform": "one platform at a time; tests/test_platforms.py builds for each",
    "cache_from": "it has no exporter of caches; tests/test_caching.py looks at the layers",
    "cache_to": "likewise",
    "sbom": "its BuildKit knows no attestations; tests/test_crate_list.py reads what they hold",
    "provenance": "likewise",
}
# The client of the engine, and options that every build gets, as words of a shell.
CLIENT, OPTIONS = "LAB_DOCKER", "LAB_BUILD_OPTIONS"


def parser() -> argparse.ArgumentParser:
    """Return what reads the commands; a flag that is not here ends it with 2."""
    whole = argparse.ArgumentParser(prog="docker", allow_abbrev=False)
    verbs = whole.add_subparsers(required=True)
    login = verbs.add_parser("login", allow_abbrev=False)
    login.add_argument("--username", required=True)
    login.add_argument("--password-stdin", action="store_true", required=True)
    login.add_argument("host")
    login.set_defaults(do=_login)
    context = verbs.add_parser("context", allow_abbrev=False)
    context.add_argument("verb", choices=["create"])
    context.add_argument("name")
    context.set_defaults(do=_nothing)
    below = verbs.add_parser("buildx", allow_abbrev=False).add_subparsers(required=True)
    create = below.add_parser("create", allow_abbrev=False)
    create.add_argument("--driver", choices=["docker-container"], required=True)
    create.add_argument("--driver-opt")
    create.add_argument("--use", action="store_true", required=True)
    create.add_argument("context", nargs="?")
    create.set_defaults(do=_nothing)
    build = below.add_parser("build", allow_abbrev=False)
    for name in ("tag", "build-arg", "secret"):
        build.add_argument(f"--{name}", action="append", default=[])
    for name in LEFT_OUT:
        build.add_argument(f"--{name.replace('_', '-')}", required=name != "cache_to")
    build.add_argument("--push", action="store_true")
    build.add_argument("folder")
    build.set_defaults(do=_build)
    return whole


def _nothing(_: argparse.Namespace) -> None:
    """Make no builder: the engine has its own."""


def _login(asked: argparse.Namespace) -> None:
    _docker("login", "--username", asked.username, "--password-stdin", asked.host)


def _build(asked: argparse.Namespace) -> None:
    options = shlex.split(os.environ.get(OPTIONS, ""))
    for name in ("tag", "build_arg", "secret"):
        options += [f"--{name.replace('_', '-')}={value}" for value in getattr(asked, name)]
    _docker("build", "--progress=plain", *options, asked.folder)
    if asked.push:
        for tag in asked.tag:
            _docker("push", "--quiet", tag)


def _docker(*arguments: str) -> None:
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    # The variables of a pipeline name the engine of its service.
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        environment.pop(name, None)
    ended = subprocess.run([os.environ[CLIENT], *arguments], env=environment, check=False)
    if ended.returncode:
        sys.exit(ended.returncode)


if __name__ == "__main__":
    given = parser().parse_args()
    given.do(given)
