import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extensions.pins import ROOT
from extensions.policy_file import VARIABLE
from extensions.registry import frameworks
from hooks.engine import NoEngine, find
from lab import stand_ins
from lab.containers import Built, Docker
from lab.rendering import COPIER, copy_template, render_service, with_toys
from lab.repository import commit, git
from lab.versions import with_a_past, with_two_versions
from tests.documents import be_jane
from tests.moves import World, made_world

Copy = Callable[..., Path]
Make = Callable[..., Path]
Answer = Callable[[Built], str]

# What owners of services add to them in tests.
OWNERS_CRATES = """\
[package]
name = "owner"
version = "0.1.0"
edition = "2024"

[dependencies]
fastrand = "2"
hex = "0.4"
itoa = "=1.0.17"
"""

# Lines for the end of the run: what the results were got on, and figures.
REPORT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cases",
        type=int,
        help="how many random cases each property is tried on; without it, few and the same ones",
    )
    parser.addoption(
        "--fast",
        action="store_true",
        help="leave out what needs an engine or a release build, or takes long",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = []
    # The policy of an organisation that has forked the template decides nothing here.
    os.environ[VARIABLE] = ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let one worker have what wants the engine and another what Cargo builds, and those first.

    Both keep what they have built from one test to the next. The rest goes file by file to the
    worker that is free.
    """
    groups: dict[str, list[pytest.Item]] = {"docker": [], "cargo": []}
    for item in items:
        group = next((name for name in groups if name in _fixtures(item)), item.path.stem)
        item.add_marker(pytest.mark.xdist_group(group))
        groups.setdefault(group, []).append(item)
    ordered = [item for group in groups.values() for item in group]
    if config.getoption("--fast"):
        left_out = [item for item in ordered if not _is_fast(item)]
        config.hook.pytest_deselected(items=left_out)
        ordered = [item for item in ordered if _is_fast(item)]
    items[:] = ordered


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    return getattr(item, "fixturenames", ())


def _is_fast(item: pytest.Item) -> bool:
    return "docker" not in _fixtures(item) and item.get_closest_marker("slow") is None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Show a failure when it comes; pytest shows all of them at the end as well."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.nodeid} failed in {report.when}:\n{report.longreprtext}", file=sys.stderr)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the lines of a worker to the process that shows them."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["report"] = session.config.stash[REPORT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the lines of a worker that has ended; the hook is that of pytest-xdist."""
    node.config.stash[REPORT] += getattr(node, "workeroutput", {}).get("report", [])


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


def path_without(program: str, folder: Path) -> str:
    """Return a PATH with all of today's programs but one, which are linked in a new folder."""
    folder.mkdir()
    for directory in os.environ["PATH"].split(os.pathsep):
        for each in Path(directory).glob("*"):
            if each.name != program and not (folder / each.name).is_symlink():
                (folder / each.name).symlink_to(each)
    return str(folder)


@pytest.fixture(scope="session")
def cargo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make sure of Cargo and all crates, and share one target folder between what is built here."""
    need("cargo", "https://rustup.rs")
    target = tmp_path_factory.mktemp("target")
    owner = tmp_path_factory.mktemp("owner")
    (owner / "Cargo.toml").write_text(OWNERS_CRATES)
    (owner / "src").mkdir()
    (owner / "src" / "lib.rs").touch()
    crates = [each.folder for each in frameworks().values()]
    for folder in [*crates, ROOT / "lab" / "toys" / "frameworks" / "tiny", owner]:
        locked = [] if folder == owner else ["--locked"]
        subprocess.run(["cargo", "fetch", "--quiet", *locked], cwd=folder, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARGO_TARGET_DIR", str(target))
        # An update would ask the index of crates for news each time.
        patch.setenv("CARGO_NET_OFFLINE", "true")
        # Nobody debugs what tests build.
        patch.setenv("CARGO_PROFILE_DEV_DEBUG", "0")
        patch.setenv("CARGO_INCREMENTAL", "0")
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


@pytest.fixture
def answer(docker: Docker) -> Iterator[Answer]:
    """Return a function that starts an image and asks it, and removes it when the test ends."""
    images = []

    def ask(built: Built) -> str:
        images.append(built.image)
        with docker.started(built.image, 8080) as container:
            return container.get("/health")[1]

    yield ask
    for image in images:
        docker("image", "rm", "--force", image)


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


@pytest.fixture(scope="session")
def toys(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the template with one framework and one runtime more, both toys."""
    return with_toys(template, tmp_path_factory.mktemp("toys") / "template")


@pytest.fixture
def broken(toys: Path, tmp_path: Path) -> Path:
    """Return a template of one's own to break, with the toys."""
    folder = tmp_path / "template"
    shutil.copytree(toys, folder, symlinks=True)
    return folder


def renderer(source: Path, folder: Path) -> Copy:
    """Return a function that renders a service without tasks and gives its folder."""

    def copy(**answers: object) -> Path:
        made = folder / f"service-{len(list(folder.iterdir()))}"
        render_service(source, made, **{"service_name": "order-api", **answers})
        return made

    return copy


@pytest.fixture
def render(template: Path, tmp_path: Path) -> Copy:
    """Return a function that renders a service of the template."""
    return renderer(template, tmp_path)


@pytest.fixture
def render_tiny(toys: Path, tmp_path: Path) -> Copy:
    """Return a function that renders a service of the toy framework, which builds in seconds."""
    copy = renderer(toys, tmp_path)
    return lambda **answers: copy(**{"framework": "tiny", "port": 8080, **answers})


@pytest.fixture(scope="session")
def two_versions(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of the template with the versions 1.0.0 and 2.0.0."""
    return with_two_versions(template, tmp_path_factory.mktemp("versions") / "template")


@pytest.fixture
def make(two_versions: Path, tmp_path: Path) -> Make:
    """Return a function that makes a service of version 1.0.0, in a repository of its own."""

    def copy(folder: Path = tmp_path / "service", version: str = "1.0.0") -> Path:
        data = ["--data=service_name=order-api", "--data=smoke=none"]
        command = [COPIER, "copy", "--quiet", "--trust", "--defaults", *data]
        subprocess.run([*command, f"--vcs-ref={version}", two_versions, folder], check=True)
        git(folder, "init", "--quiet")
        commit(folder)
        return folder

    return copy


@pytest.fixture(scope="session")
def template_with_a_past(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of the template with three versions; `lab/versions.py` says which."""
    return with_a_past(template, tmp_path_factory.mktemp("past") / "template")


@pytest.fixture
def world(
    template_with_a_past: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> World:
    """Return services of version 2.0.0 to move, four unless a test says another number."""
    be_jane(monkeypatch)
    return made_world(tmp_path, template_with_a_past, getattr(request, "param", 4))


@pytest.fixture
def tagged(template: Path, tmp_path: Path) -> Path:
    """Return a repository of the template with two tags, 1.0.0 and 1.1.0, of one commit."""
    folder = shutil.copytree(template, tmp_path / "template", symlinks=True)
    git(folder, "init", "--quiet")
    commit(folder)
    git(folder, "tag", "1.0.0")
    git(folder, "tag", "1.1.0")
    return folder


@pytest.fixture
def service(tagged: Path, tmp_path: Path) -> Path:
    """Return a service of that template, in a repository that has a remote."""
    folder = tmp_path / "service"
    render_service(tagged, folder, service_name="order-api", smoke="none")
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", str(tagged))
    commit(folder)
    return folder
