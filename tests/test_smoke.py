"""The smoke build as Copier runs it: what it proves, and what it leaves when it is stopped."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from lab.rendering import COPIER

pytestmark = pytest.mark.slow


@pytest.fixture
def cold_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty target folder, so that Cargo has minutes of work; its processes name it."""
    folder = tmp_path / "cold-target"
    monkeypatch.setenv("CARGO_TARGET_DIR", str(folder))
    return folder


def arguments(template: Path, folder: Path, **answers: str) -> list[str]:
    data = {"service_name": "order-api", **answers}
    given = [f"--data={name}={value}" for name, value in data.items()]
    return ["copy", "--trust", "--defaults", *given, str(template), str(folder)]


def copy(template: Path, folder: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COPIER, *arguments(template, folder, **answers)],
        capture_output=True,
        text=True,
        check=False,
    )


def processes(word: Path) -> list[str]:
    """Return the command lines that name a path."""
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(word) in line:
            lines.append(line)
    return lines


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_until_gone(*words: Path) -> None:
    """Wait until no process names one of the paths: a killed one takes a moment to end."""
    wait_until(lambda: not any(processes(word) for word in words))


def test_a_service_is_proven(toys: Path, cargo: Path, logs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "order-api"
    ended = copy(toys, folder, framework="tiny", profile="speed")
    assert ended.returncode == 0, ended.stderr
    table = ended.stdout[ended.stdout.index("order-api is proven:") :].strip().splitlines()
    steps = [re.split(r"  +", line.strip()) for line in table[1:]]
    assert [step[0] for step in steps] == [
        "cargo check --locked",
        "cargo test --locked",
        "cargo build --release --locked",
        "start",
        "GET /health",
        "healthcheck",
        "SIGTERM",
    ]
    assert all(re.fullmatch(r"[0-9]+\.[0-9]{2} s", step[1]) for step in steps)
    outcomes = [step[2] for step in steps]
    assert re.fullmatch(r"[0-9]\.[0-9]{2} MB", outcomes[2])
    assert outcomes[4:] == ["200 OK 'OK'", "exit 0", "exit 0"]
    assert "order-api listening on http://127.0.0.1:" in ended.stderr
    assert list(logs.iterdir()) == []
    wait_until_gone(cargo, folder)


def test_check_checks_alone(toys: Path, cargo: Path, tmp_path: Path) -> None:
    ended = copy(toys, tmp_path / "x", framework="tiny", smoke="check")
    assert ended.returncode == 0, ended.stderr
    assert "cargo check" in ended.stdout
    assert "cargo test" not in ended.stdout


def test_none_does_nothing(template: Path, tmp_path: Path) -> None:
    ended = copy(template, tmp_path / "x", smoke="none")
    assert ended.returncode == 0, ended.stderr
    assert "smoke" not in ended.stderr
    assert "Running task" not in ended.stderr


def assert_failed(ended: subprocess.CompletedProcess[str], folder: Path, logs: Path) -> str:
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert not folder.exists()
    (log,) = logs.glob("smoke-*.log")
    assert f"smoke: the whole log is {log}" in ended.stderr
    return log.read_text()


def test_a_service_that_does_not_compile(
    broken: Path, cargo: Path, logs: Path, tmp_path: Path
) -> None:
    with (broken / "frameworks" / "tiny" / "src" / "routes.rs").open("a") as routes:
        routes.write("fn broken( {}\n")
    ended = copy(broken, tmp_path / "x", framework="tiny", smoke="check")
    log = assert_failed(ended, tmp_path / "x", logs)
    assert "cargo check --locked ended with 101; the last lines were:" in ended.stderr
    last = ended.stderr[ended.stderr.index("the last lines were:") :]
    assert "could not compile `order-api`" in last
    assert "src/routes.rs" in log
    assert "\x1b" not in log


def test_a_service_that_answers_wrongly(
    broken: Path, cargo: Path, logs: Path, tmp_path: Path
) -> None:
    routes = broken / "frameworks" / "tiny" / "src" / "routes.rs"
    routes.write_text(routes.read_text().split("#[cfg(test)]")[0].replace('"OK"', '"KO"'))
    ended = copy(broken, tmp_path / "x", framework="tiny")
    assert_failed(ended, tmp_path / "x", logs)
    assert "smoke: GET /health: GET /health answered 200 OK 'KO'" in ended.stderr
    wait_until_gone(cargo)


def test_a_service_that_does_not_start(
    broken: Path, cargo: Path, logs: Path, tmp_path: Path
) -> None:
    main = broken / "frameworks" / "tiny" / "src" / "main.rs"
    text = main.read_text()
    start = "fn main() -> ExitCode {\n"
    assert start in text
    stop = "    if !NAME.is_empty() {\n        return ExitCode::FAILURE;\n    }\n"
    main.write_text(text.replace(start, start + stop))
    ended = copy(broken, tmp_path / "x", framework="tiny")
    assert_failed(ended, tmp_path / "x", logs)
    assert "smoke: start: it ended at once, with exit 1" in ended.stderr


def without_rust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    programs = tmp_path / "bin"
    programs.mkdir()
    git = shutil.which("git")
    assert git
    (programs / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(programs))
    return "cargo is not installed; https://rustup.rs installs it"


def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo-home"))
    monkeypatch.setenv("CARGO_HTTP_PROXY", "127.0.0.1:1")
    monkeypatch.setenv("CARGO_NET_RETRY", "0")
    return "the crates cannot be downloaded: "


def _with_rustc(script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rustc = tmp_path / "bin" / "rustc"
    rustc.parent.mkdir()
    rustc.write_text(f"#!/bin/sh\n{script}\n")
    rustc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{rustc.parent}:{os.environ['PATH']}")


def _old_rust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    script = "echo release: 1.63.0; echo host: x86_64-unknown-linux-gnu"
    _with_rustc(script, monkeypatch, tmp_path)
    return "Rust 1.63 is too old, the service needs 1.89; `rustup update` brings it"


def _rustup_without_a_toolchain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    _with_rustc("echo error: no default toolchain >&2; exit 1", monkeypatch, tmp_path)
    return "rustc does not run: error: no default toolchain"


def _without_linker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cargo", "rustc", "git"):
        path = shutil.which(name)
        assert path
        (programs / name).symlink_to(path)
    monkeypatch.setenv("PATH", str(programs))
    return "there is no C compiler to link with; on Debian, apt-get install gcc libc6-dev"


Machine = Callable[[pytest.MonkeyPatch, Path], str]
MACHINES: list[Machine] = [
    without_rust,
    _offline,
    _old_rust,
    _rustup_without_a_toolchain,
    _without_linker,
]


@pytest.mark.parametrize("machine", MACHINES)
def test_the_default_steps_down(
    machine: Machine,
    toys: Path,
    cargo: Path,
    logs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reason = machine(monkeypatch, tmp_path)
    ended = copy(toys, tmp_path / "x", framework="tiny")
    assert ended.returncode == 0, ended.stderr
    assert f"smoke: build skipped: {reason}" in ended.stderr
    assert (tmp_path / "x" / "Cargo.toml").is_file()
    assert "order-api is ready" in ended.stderr
    assert list(logs.glob("smoke-*")) == []


@pytest.mark.parametrize("machine", MACHINES[:2])
def test_a_level_by_name_is_refused_before_the_first_file(
    machine: Machine,
    toys: Path,
    cargo: Path,
    logs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reason = machine(monkeypatch, tmp_path)
    ended = copy(toys, tmp_path / "x", framework="tiny", smoke="build")
    assert ended.returncode == 1
    assert f"smoke: build cannot run here: {reason}" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "x").exists()
    assert list(logs.glob("smoke-*")) == []


def test_ctrl_c_stops_all_and_leaves_nothing(
    template: Path, cargo: Path, cold_target: Path, logs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "x"
    terminal = pexpect.spawn(
        COPIER, arguments(template, folder), encoding="utf-8", dimensions=(40, 120), timeout=120
    )
    terminal.expect("smoke: cargo check --locked")
    terminal.expect(r"Building.*\[=*>? *\] *[0-9]+/[0-9]+")  # Cargo's own progress bar
    terminal.expect("Compiling")
    wait_until(lambda: bool(processes(cold_target)))
    terminal.sendintr()
    terminal.expect("smoke: stopped by SIG(INT|TERM)")
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 1
    assert not folder.exists()
    assert list(logs.glob("smoke-*")) == []
    wait_until_gone(cold_target, folder)


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_copier_takes_all_along(
    number: int,
    existing: bool,
    template: Path,
    cargo: Path,
    cold_target: Path,
    logs: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "x"
    if existing:
        (folder / ".git").mkdir(parents=True)
    with subprocess.Popen(
        [COPIER, *arguments(template, folder)], stderr=subprocess.PIPE, text=True
    ) as copier:
        assert copier.stderr
        lines = iter(copier.stderr)
        assert any("Compiling" in line for line in lines)
        wait_until(lambda: bool(processes(cold_target)))
        if existing:
            (folder / "mine").touch()
            (folder / "src" / "mine.rs").touch()
        copier.send_signal(number)
        rest = "".join(lines)  # ends when the last process that holds the pipe has ended
        assert copier.wait() == (1 if number == signal.SIGTERM else -number)
    assert "smoke: stopped by SIGTERM" in rest
    assert "Traceback" not in rest
    wait_until_gone(cold_target, folder)
    if existing:
        assert sorted(path.name for path in folder.iterdir()) == [".git", "mine", "src"]
        assert [path.name for path in (folder / "src").iterdir()] == ["mine.rs"]
    else:
        assert not folder.exists()
    assert list(logs.glob("smoke-*")) == []
