"""`catalog new` in a real terminal, and where there is none."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import yaml

from extensions.pins import ROOT
from extensions.policy_file import VARIABLE
from tests.test_policy import write

pytestmark = pytest.mark.slow

ENTER, DOWN = "\r", "\x1b[B"
CATALOG = str(ROOT / "bin" / "catalog")
POLICY = {
    "name": "Acme",
    "locked": {"owner": "group:default/shop", "image_registry": "registry.acme.example"},
    "allowed": {"service_name": ["acme-*"]},
    "presets": {
        "internal": {"help": "for our own network", "answers": {"runtime": "distroless"}},
        "public": {
            "help": "for the world",
            "answers": {
                "framework": "rocket",
                "profile": "speed",
                "observability": ["metrics"],
                "platforms": ["linux/arm64"],
                "ca_certificates": True,
                "port": 9000,
                "smoke": "none",
            },
        },
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which the command runs, by the policy above."""
    monkeypatch.setenv(VARIABLE, str(write(tmp_path / "policy.yaml", POLICY)))
    monkeypatch.chdir(tmp_path)
    subprocess.run([CATALOG, "--help"], check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def terminal(folder: Path, template: Path) -> Iterator["pexpect.spawn[str]"]:
    spawned = pexpect.spawn(
        CATALOG, ["new", "--template", str(template)],
        encoding="utf-8", dimensions=(50, 160), timeout=30,
    )  # fmt: skip
    yield spawned
    spawned.close(force=True)


def test_a_preset_first_then_what_it_leaves_open(
    terminal: "pexpect.spawn[str]", folder: Path
) -> None:
    terminal.expect("Which preset of your organisation")
    terminal.expect("internal, for our own network")
    terminal.expect("none, ask me everything")
    terminal.send(DOWN + ENTER)
    terminal.expect("Name of the service")
    terminal.send("orders" + ENTER)
    terminal.expect_exact("'orders' must be one of acme-*; the policy Acme says so")
    terminal.send("\x15acme-orders" + ENTER)
    asked = [
        "What the service is for",
        "Rust release that the image is built with",
        "Base of the image",
        "Name of a private crate registry",
        "Forge whose CI",
        "Where the service is deployed to",
        "Carry catalog-info.yaml",
    ]
    before = []
    for question in asked:
        terminal.expect(question)
        before.append(terminal.before or "")
        terminal.send(ENTER)
    terminal.expect("acme-orders is ready")
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 0
    for words in ("Team or person", "Web framework", "Port that", "Release profile", "Mirror"):
        assert not any(words in text for text in before)
    recorded = yaml.safe_load((folder / "acme-orders" / ".copier-answers.yml").read_text())
    wanted = {
        **POLICY["locked"],  # type: ignore[dict-item]
        **POLICY["presets"]["public"]["answers"],  # type: ignore[index]
        "service_name": "acme-orders",
        "runtime": "scratch",
    }
    assert {name: recorded[name] for name in wanted} == wanted


def test_ctrl_c_at_the_presets_ends_it(terminal: "pexpect.spawn[str]", folder: Path) -> None:
    terminal.expect("none, ask me everything")
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    assert terminal.wait() == 130
    assert [each.name for each in folder.iterdir()] == ["policy.yaml"]


def test_it_takes_all_from_the_command_line(folder: Path, template: Path) -> None:
    options = ["--template", str(template), "--preset=public", "--defaults"]
    subprocess.run([CATALOG, "new", "made/acme-x", *options], check=True, capture_output=True)
    recorded = yaml.safe_load((folder / "made" / "acme-x" / ".copier-answers.yml").read_text())
    assert (recorded["service_name"], recorded["framework"]) == ("acme-x", "rocket")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "new asks questions, and there is no terminal; give FOLDER, --preset and --defaults"),
        (["acme-x", "--defaults"], "new asks questions, and there is no terminal"),
        (
            ["acme-x", "--preset=tiny", "--defaults"],
            "--preset tiny: there is no such preset; they are internal, public",
        ),
        (
            ["Orders", "--preset=public", "--defaults"],
            "Orders: 'Orders' must be lower-case ASCII letters",
        ),
    ],
)
def test_what_cannot_be_made_is_told_in_a_line(
    arguments: list[str], line: str, folder: Path
) -> None:
    ended = subprocess.run(
        [CATALOG, "new", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"catalog: {line}")
    assert ended.stderr.count("\n") == 1
    assert [each.name for each in folder.iterdir()] == ["policy.yaml"]


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("/nowhere", "/nowhere: does not exist; give the folder or the URL of the template\n"),
        ("file:///nowhere.git", "file:///nowhere.git: cannot be read by git: "),
    ],
)
def test_a_template_that_is_not_there_is_told_in_a_line(
    template: str, line: str, folder: Path
) -> None:
    command = [CATALOG, "new", "acme-x", "--preset=public", "--defaults", "--template", template]
    ended = subprocess.run(command, capture_output=True, check=False, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1
    assert not (folder / "acme-x").exists()
