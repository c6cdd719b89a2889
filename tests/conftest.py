import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from extensions.pins import ROOT
from hooks.engine import NoEngine, find
from lab import stand_ins
from lab.containers import Docker
from lab.rendering import copy_template, render_service

Copy = Callable[..., Path]

# Lines for the end of the run: what the results were got on, and figures.
REPORT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cases",
        type=int,
        help="how many random cases each property is tried on; without it, few and the same ones",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[REPORT]:
        terminalreporter.write_line(line)


def need(program: str, remedy: str) -> None:
    """Skip a test for want of a program, or fail it where nothing may be skipped."""
    if shutil.which(program) is None:
        missing(f"{program} is not installed; {remedy}")


def missing(reason: str) -> None:
    """Skip a test for a reason, or fail it where nothing may be skipped."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def cargo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make sure of Cargo, and share one target folder between all that is built here."""
    need("cargo", "https://rustup.rs")
    target = tmp_path_factory.mktemp("target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARGO_TARGET_DIR", str(target))
        yield target


@pytest.fixture(scope="session")
def docker(pytestconfig: pytest.Config) -> Docker:
    """Return the docker command, with every base image that a Dockerfile may name."""
    try:
        provided = stand_ins.provide(find())
    except (NoEngine, stand_ins.CannotMake) as reason:
        missing(str(reason))
        raise
    pytestconfig.stash[REPORT].append(f"base images: {provided}")
    return Docker(provided)


@pytest.fixture(scope="session")
def bin_copier() -> Path:
    """Return the wrapper of Copier, which has installed what it needs and says no more of it."""
    program = ROOT / "bin" / "copier"
    subprocess.run([program, "--version"], check=True, capture_output=True)
    return program


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that temporary files go to, the logs of smoke builds among them."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the template without its git history, which renders without a clone."""
    return copy_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def broken(template: Path, tmp_path: Path) -> Path:
    """Return a template of one's own to break."""
    folder = tmp_path / "template"
    shutil.copytree(template, folder)
    return folder


@pytest.fixture
def render(template: Path, tmp_path: Path) -> Copy:
    """Return a function that renders a service without tasks and gives its folder."""

    def copy(**answers: object) -> Path:
        folder = tmp_path / f"service-{len(list(tmp_path.iterdir()))}"
        render_service(template, folder, **{"service_name": "order-api", **answers})
        return folder

    return copy
