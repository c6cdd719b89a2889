"""The question which services are moved, in a real terminal."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pexpect
import pytest

from catalog.move.choose import MOST
from catalog.move.plan import Plan, Service, Wave, written
from extensions.pins import ROOT

pytestmark = pytest.mark.slow

Terminal = Callable[..., "pexpect.spawn[str]"]

ENTER, DOWN, SPACE, ERASE = "\r", "\x1b[B", " ", "\x7f"
# Prints what was chosen between marks, since the terminal echoes what it likes.
DRIVER = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from catalog.move.choose import choose
from catalog.move.plan import read
try:
    chosen = choose(read(Path(sys.argv[2])), sys.argv[3:])
except KeyboardInterrupt:
    sys.exit(130)
Path(sys.argv[2]).with_suffix(".json").write_text(json.dumps(chosen))
"""


def service(name: str, edited: int = 0, reason: str = "") -> Service:
    return Service(name, f"https://git.example/{name}", "", "1.0.0", edited, reason)


CLEAN, DONE, EDITED, OTHER = map(service, ("orders", "billing", "stock", "mail"), (0, 0, 2, 0))
FOREIGN = service("legacy", reason="was made from another template")


def planned(folder: Path, *waves: Sequence[Service], left_out: Sequence[Service] = ()) -> Path:
    named = [Wave(f"wave {number}", [*each]) for number, each in enumerate(waves, 1)]
    plan = Plan(
        "Move", "https://git.example/t", "2.0.0", "c" * 40, "b", "J <j@e>", named,
        left_out=[*left_out],
    )  # fmt: skip
    file = folder / "move.yaml"
    file.write_text(written(plan), "utf-8")
    return file


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with ExitStack() as stack:

        def spawn(plan: Path, *done: str) -> "pexpect.spawn[str]":
            started = pexpect.spawn(
                sys.executable, ["-I", "-c", DRIVER, str(ROOT), str(plan), *done],
                encoding="utf-8", dimensions=(40, 160), timeout=30,
            )  # fmt: skip
            return stack.enter_context(closing(started))

        yield spawn


def chosen(terminal: "pexpect.spawn[str]", plan: Path) -> list[str]:
    """Wait for the end and return the names that were chosen."""
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 0, terminal.before
    keys: list[str] = json.loads(plan.with_suffix(".json").read_text())
    return [key.rpartition("/")[2] for key in keys]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return planned(tmp_path, [CLEAN, DONE], [EDITED, OTHER], left_out=[FOREIGN])


def test_what_nobody_edited_is_ticked_and_the_rest_says_why(
    small: Path, terminal: Terminal
) -> None:
    shown = terminal(small, DONE.key)
    shown.expect_exact("Which services are moved?")
    shown.expect_exact("● orders, 1.0.0")
    shown.expect_exact("○ stock, 1.0.0, 2 files edited")
    shown.expect_exact("● mail, 1.0.0")
    shown.expect_exact("- legacy, 1.0.0 (was made from another template)")
    shown.send(ENTER)
    assert chosen(shown, small) == ["orders", "mail"]
    assert DONE.name not in str(shown.before)


def test_one_more_is_ticked_in_the_filtered_list(small: Path, terminal: Terminal) -> None:
    shown = terminal(small)
    shown.expect_exact("- legacy")
    shown.send("sto")
    shown.expect(r"/ \S*sto\b")
    shown.send(SPACE + ENTER)
    assert chosen(shown, small) == ["orders", "billing", "stock", "mail"]


def test_what_is_left_out_cannot_be_ticked(small: Path, terminal: Terminal) -> None:
    shown = terminal(small)
    shown.expect_exact("- legacy")
    shown.send("legacy")
    shown.expect(r"/ \S*legacy\b")
    shown.send(SPACE + ERASE * 6)
    # From the last that can be ticked, the pointer goes to the first.
    shown.send(DOWN * 4 + SPACE + ENTER)
    assert chosen(shown, small) == ["billing", "mail"]


def test_ctrl_c_stops(small: Path, terminal: Terminal) -> None:
    shown = terminal(small)
    shown.expect_exact("- legacy")
    shown.sendintr()
    shown.expect(pexpect.EOF)
    assert shown.wait() == 130
    assert not small.with_suffix(".json").exists()


def test_nothing_is_asked_if_nothing_is_left(tmp_path: Path, terminal: Terminal) -> None:
    plan = planned(tmp_path, [DONE], left_out=[FOREIGN])
    assert chosen(terminal(plan, DONE.key), plan) == []


# More than one list shows: a small wave, and a large one.
MANY = [service(f"s{number}", edited=number % 3) for number in range(3 * MOST)]


def test_waves_are_asked_first_if_there_are_many_services(
    tmp_path: Path, terminal: Terminal
) -> None:
    plan = planned(tmp_path, [CLEAN, EDITED], MANY)
    shown = terminal(plan)
    shown.expect_exact(f"Which waves? {len(MANY) + 2} services")
    shown.expect_exact("● wave 1, 2 services")
    shown.expect_exact(f"○ wave 2, {len(MANY)} services")
    shown.send(ENTER)
    shown.expect_exact("● orders, 1.0.0")
    shown.send(ENTER)
    assert chosen(shown, plan) == ["orders"]


def test_parts_of_names_are_asked_if_a_wave_is_large(tmp_path: Path, terminal: Terminal) -> None:
    plan = planned(tmp_path, MANY, left_out=[FOREIGN])
    shown = terminal(plan)
    shown.expect_exact(f"nothing for the {MOST} of {len(MANY)}")
    shown.send("zzz" + ENTER)
    shown.expect_exact(f"no services have that; it must be 1 to {MOST}")
    shown.send("\x15s149" + ENTER)
    shown.expect_exact("s1490")
    shown.send(ENTER)
    assert chosen(shown, plan) == ["s1491", "s1494", "s1497"]
    shown = terminal(plan)
    shown.expect_exact("nobody has edited")
    shown.send(ENTER)
    assert len(chosen(shown, plan)) == MOST
