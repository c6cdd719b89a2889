"""The smoke build: proves a service or its image by building, starting and asking it.

Copier runs it in the folder of the service; see `_tasks` in copier.yml. Exit code 0 says that the
service was proven, or that it cannot be proven here and nobody asked for the proof by name.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hooks import image, service, workspace
from hooks.engine import Engine, NoEngine, find
from hooks.environment import for_cargo
from hooks.processes import Stopped, run_logged, stoppable
from hooks.toolchain import why_not

LAST_LINES = 20
# If this environment variable is set, but not to 0, image and container stay.
KEEP = "SMOKE_KEEP"


class Failed(Exception):
    """A step of the smoke build failed; the message says which and how."""


class CannotRun(Exception):
    """This machine cannot do the smoke build; the message says why, and what would help."""


@dataclass
class Report:
    """The steps that were done, in order: name, seconds, outcome."""

    steps: list[tuple[str, float, str]] = field(default_factory=list)

    def step(self, name: str, action: Callable[[], str]) -> None:
        """Do one step and note how long it took and what came out."""
        print(f"smoke: {name}", file=sys.stderr)
        begin = time.monotonic()
        try:
            outcome = action()
        except service.Misbehaved as error:
            raise Failed(f"{name}: {error}") from error
        self.steps.append((name, time.monotonic() - begin, outcome))

    def table(self) -> str:
        """Return the steps as lines of a table."""
        width = max(len(name) for name, _, _ in self.steps)
        return "\n".join(
            f"  {name:<{width}}  {seconds:7.2f} s  {outcome}"
            for name, seconds, outcome in self.steps
        )


def _cargo(arguments: list[str], log: IO[bytes], stdout: IO[bytes] | None = None) -> None:
    environment = for_cargo(os.environ)
    if sys.stderr.isatty():
        columns = str(shutil.get_terminal_size().columns)
        environment |= {
            "CARGO_TERM_COLOR": "always",
            "CARGO_TERM_PROGRESS_WHEN": "always",
            "CARGO_TERM_PROGRESS_WIDTH": columns,
        }
    code = run_logged(["cargo", *arguments], log, env=environment, stdout=stdout)
    if code:
        raise Failed(f"cargo {' '.join(arguments)} ended with {code}")


def _build(log: IO[bytes]) -> Path:
    """Build the release binary and return its path."""
    with tempfile.TemporaryFile() as messages:
        arguments = ["build", "--release", "--locked"]
        _cargo([*arguments, "--message-format=json-render-diagnostics"], log, messages)
        messages.seek(0)
        artifacts = [json.loads(line) for line in messages]
    binaries = {
        artifact["target"]["name"]: Path(artifact["executable"])
        for artifact in artifacts
        if artifact.get("executable")
    }
    return binaries[_program(_package(), sorted(binaries))]


def _package() -> dict[str, Any]:
    """Return what the manifest in the current folder says of its package."""
    manifest = tomllib.loads(Path("Cargo.toml").read_text("utf-8"))
    found: dict[str, Any] = manifest.get("package", {})
    return found


def _program(package: Mapping[str, Any], built: Sequence[str]) -> str:
    """Choose the service among the programs of its crate, as `cargo run` does.

    Source: https://doc.rust-lang.org/cargo/reference/manifest.html#the-default-run-field
    """
    for name in (package.get("default-run"), package.get("name")):
        if name in built:
            return str(name)
    if len(built) == 1:
        return built[0]
    if not built:
        raise Failed("cargo build made no program")
    raise Failed(
        f"cargo build made {', '.join(built)}; `default-run` in Cargo.toml says which runs"
    )


def prove(level: str, log: IO[bytes]) -> Report:
    """Prove the service in the current folder.

    Args:
        level: `check` lets the compiler check it; `build` also tests, builds, starts and asks it.
        log: Gets everything that Cargo prints.

    Returns:
        What was done.

    Raises:
        Failed: A step failed.
    """
    report = Report()

    def cargo(*arguments: str) -> str:
        _cargo([*arguments], log)
        return "ok"

    report.step("cargo check --locked", lambda: cargo("check", "--locked"))
    if level == "check":
        return report
    report.step("cargo test --locked", lambda: cargo("test", "--locked"))
    built: list[Path] = []

    def build() -> str:
        built.append(_build(log))
        return f"{built[0].stat().st_size / 1e6:.2f} MB"

    report.step("cargo build --release --locked", build)
    begin = time.monotonic()
    try:
        with service.running(built[0]) as running:
            report.steps.append(("start", time.monotonic() - begin, f"port {running.port}"))
            report.step("GET /health", lambda: service.ask_health(running.port))
            report.step("healthcheck", lambda: service.run_healthcheck(running))
            report.step("SIGTERM", lambda: service.stop(running))
    except service.Misbehaved as error:
        raise Failed(f"start: {error}") from error
    return report


def prove_image(engine: Engine, token: str, keep: bool, log: IO[bytes]) -> Report:
    """Prove the image of the service in the current folder.

    Args:
        engine: Builds and runs it.
        token: The variable with the token of the private registry that the build is lent; "" for
            none.
        keep: Leave image and container behind.
        log: Gets everything that the engine prints.

    Returns:
        What was done.

    Raises:
        Failed: A step failed.
    """
    report = Report()
    name = image.unique_name(str(_package().get("name", "service")))
    built: list[image.Image] = []

    def build() -> str:
        built.append(image.build(engine, name, token, log))
        return str(built[0])

    try:
        report.step("docker build", build)
        print("smoke: docker run", file=sys.stderr)
        begin = time.monotonic()
        with image.running(built[0], keep=keep) as container:
            state = "healthy" if container.is_watched else "has no HEALTHCHECK"
            report.steps.append(("docker run", time.monotonic() - begin, state))
            report.step("GET /health", lambda: service.ask_health(container.port))
            report.step("docker stop", lambda: image.stop(container))
    except image.BuildFailed as error:
        raise Failed(str(error)) from error
    except service.Misbehaved as error:
        raise Failed(f"docker run: {error}") from error
    finally:
        if not keep:
            image.remove(engine, name)
    if keep:
        print(f"smoke: image and container {name} were kept", file=sys.stderr)
    return report


def _files(folder: Path) -> list[Path]:
    """Return all files below a folder but those of git, the deepest first."""
    found = [path for path in folder.rglob("*") if ".git" not in path.relative_to(folder).parts]
    return sorted(found, reverse=True)


def _remove(folder: Path, destination_was: str, made: Iterable[Path]) -> None:
    """Remove a half-made service from a folder that Copier made, or that held nothing.

    Args:
        folder: The folder of the service.
        destination_was: How Copier found it.
        made: What Copier has put into an empty one, the deepest first. What somebody has put there
            since stays.
    """
    if destination_was == "missing":
        os.chdir(folder.parent)
        shutil.rmtree(folder, ignore_errors=True)
    elif destination_was == "empty":
        shutil.rmtree(folder / "target", ignore_errors=True)
        for path in made:
            with suppress(OSError):  # a folder that is not empty, or what is gone already
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@contextmanager
def logged() -> Iterator[IO[bytes]]:
    """Open a log that goes with the block, unless that ends with `Failed`, which names the log."""
    with tempfile.NamedTemporaryFile(
        prefix="smoke-", suffix=".log", buffering=0, delete=False
    ) as log:
        keep = False
        try:
            yield log
        except Failed:
            keep = True
            raise
        finally:
            if not keep:
                Path(log.name).unlink()


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in lines[-LAST_LINES:])


def _why_not(level: str, folder: Path, log: IO[bytes]) -> str | None:
    """Say why a level cannot run here, for the crate in a folder."""
    if level != "image":
        return why_not(folder, log)
    try:
        find()
    except NoEngine as reason:
        return str(reason)
    return None


def smoke(level: str, token: str, log: IO[bytes]) -> None:
    """Prove the service in the current folder; print a table, or the last lines before it failed.

    Args:
        level: `check`, `build` or `image`.
        token: The variable with the token of its private registry; "" for none.
        log: An open file on the disk.

    Raises:
        CannotRun: This machine lacks something.
        Failed: The service lacks something.
    """
    if reason := _why_not(level, Path.cwd(), log):
        raise CannotRun(reason)
    name = Path.cwd().name
    try:
        if level == "image":
            engine = find()
            print(f"smoke: {engine}", file=sys.stderr)
            keep = os.environ.get(KEEP, "") not in {"", "0"}
            report = prove_image(engine, token, keep, log)
        else:
            with _as_built_alone():
                report = prove(level, log)
    except Failed as error:
        print(f"\nsmoke: {error}; the last lines were:", file=sys.stderr)
        print(f"{_last_lines(log)}\nsmoke: the whole log is {log.name}", file=sys.stderr)
        raise
    print(f"\n{name} is proven:\n{report.table()}\n", flush=True)


@contextmanager
def _as_built_alone() -> Iterator[None]:
    """Go to a copy of the service if a workspace would hide its own lock file from Cargo."""
    here = Path.cwd()
    try:
        above = workspace.root(here)
    except workspace.NotListed as reason:
        raise Failed(str(reason)) from reason
    if above is None or not workspace.stands_alone(here):
        yield
        return
    with workspace.alone(here) as copy:
        os.chdir(copy)
        try:
            yield
        finally:
            os.chdir(here)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("level", choices=["check", "build", "image"])
    parser.add_argument("--by-name", choices=["True", "False"], default="True")
    parser.add_argument("--token", default="")
    parser.add_argument(
        "--destination-was", choices=["missing", "empty", "occupied"], default="occupied"
    )
    parser.add_argument(
        "--preflight",
        type=Path,
        metavar="FOLDER",
        help="only tell whether this machine can do it for the crate in FOLDER",
    )
    options = parser.parse_args(arguments)
    folder = Path.cwd()
    made = _files(folder) if options.destination_was == "empty" else []
    try:
        with stoppable(), logged() as log:
            if options.preflight:
                lacking = _why_not(options.level, options.preflight, log)
                print(lacking or "", end="")
                return 1 if lacking else 0
            smoke(options.level, options.token, log)
            return 0
    except CannotRun as reason:
        print(f"smoke: {options.level} skipped: {reason}", file=sys.stderr)
        return 1 if options.by_name == "True" else 0
    except Failed:
        return 1
    except Stopped as stopped:
        if not options.preflight:
            _remove(folder, options.destination_was, made)
        print(f"smoke: stopped by {stopped}", file=sys.stderr)
        return 128 + stopped.number


if __name__ == "__main__":
    sys.exit(main())
