"""The questions as a person sees them, in a real terminal."""

from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import yaml

from lab.rendering import COPIER

ENTER, DOWN, CLEAR, SPACE = "\r", "\x1b[B", "\x15", " "
WHERE_IS_THE_CURSOR = "\x1b[6n"


@pytest.fixture
def copier(template: Path, tmp_path: Path) -> Iterator["pexpect.spawn[str]"]:
    terminal = pexpect.spawn(
        COPIER,
        ["copy", "--trust", str(template), str(tmp_path / "made")],
        encoding="utf-8",
        dimensions=(50, 160),
        timeout=30,
    )
    yield terminal
    terminal.close(force=True)


def test_a_whole_conversation(copier: "pexpect.spawn[str]", tmp_path: Path) -> None:
    say_what_it_is(copier)
    say_where_it_runs(copier)
    copier.expect("Forge whose CI")
    copier.send(DOWN + ENTER)
    copier.expect("Where the service is deployed to")
    copier.send(DOWN + SPACE + ENTER)
    copier.expect("Carry catalog-info.yaml")
    copier.send("y")
    copier.expect("How far to prove the service")
    copier.send(DOWN + DOWN + ENTER)

    copier.expect("order-api is ready")
    copier.expect(pexpect.EOF)
    assert copier.wait() == 0

    recorded = yaml.safe_load((tmp_path / "made" / ".copier-answers.yml").read_text("utf-8"))
    del recorded["_src_path"]
    assert recorded == {
        "service_name": "order-api",
        "description": 'Takes "orders" & {{7*7}} 🦀',
        "owner": "shop",
        "framework": "rocket",
        "port": 9000,
        "profile": "size",
        "observability": ["logs", "traces"],
        "rust_version": "1.97.0",
        "runtime": "scratch",
        "ca_certificates": True,
        "platforms": ["linux/arm64"],
        "image_registry": "registry.example.com/mirror",
        "cargo_registry": "acme",
        "cargo_registry_index": "sparse+https://cargo.example.com/index/",
        "ci": "gitlab",
        "deploy": ["compose", "kubernetes"],
        "catalog": True,
        "smoke": "none",
    }


def say_what_it_is(copier: "pexpect.spawn[str]") -> None:
    copier.expect("Name of the service")
    copier.send("fn" + ENTER)
    copier.expect("'fn' is a keyword of Rust; choose another, such as fn-api")
    copier.send(CLEAR + "Foo" + ENTER)
    copier.expect("must be lower-case ASCII letters, digits and hyphens")
    copier.send(CLEAR + "order-api" + ENTER)

    copier.expect("What the service is for")
    copier.expect("The order-api web service.")
    copier.send(CLEAR + ENTER)
    copier.expect("must have 1 to 256 characters, not 0")
    copier.send('Takes "orders" & {{7*7}} 🦀' + ENTER)

    copier.expect("Team or person")
    copier.send(CLEAR + "a b" + ENTER)
    copier.expect("must be a team or person as a catalog names them")
    copier.send(CLEAR + "shop" + ENTER)

    copier.expect("Web framework")
    copier.send(DOWN + ENTER)

    copier.expect("Port that the service listens on")
    copier.expect("8000")
    copier.send(CLEAR + "abc" + ENTER)
    copier.expect("'abc' must be a whole number from 1024 to 65535")
    copier.send(CLEAR + "9000" + ENTER)

    copier.expect("Release profile")
    copier.send(ENTER)

    copier.expect("What the service tells of itself")
    copier.send(SPACE + DOWN + DOWN + SPACE + ENTER)

    copier.expect("Rust release")
    copier.send(CLEAR + "nightly" + ENTER)
    copier.expect("must be an exact release of Rust")
    copier.send(CLEAR + "1.97.0" + ENTER)


def say_where_it_runs(copier: "pexpect.spawn[str]") -> None:
    copier.expect("Base of the image")
    copier.send(ENTER)

    copier.expect("Put CA certificates in the image")
    copier.send("y")

    copier.expect_exact(WHERE_IS_THE_CURSOR)
    copier.send("\x1b[9;1R")  # a terminal that does not answer is not shown what is wrong
    copier.expect("Platforms that the image can be built for")
    copier.send(SPACE + DOWN + SPACE + ENTER)
    copier.expect("must be a list such as")
    copier.send(SPACE + ENTER)

    copier.expect("Mirror that all base images")
    copier.send("https://registry.example.com" + ENTER)
    copier.expect("must have no scheme")
    copier.send(CLEAR + "registry.example.com/mirror" + ENTER)

    copier.expect("Name of a private crate registry")
    copier.send("acme" + ENTER)

    copier.expect("Index of that registry")
    copier.send("sparse+https://cargo.example.com/index" + ENTER)
    copier.expect("must end with a slash")
    copier.send("/" + ENTER)


def test_ctrl_c_at_a_question_leaves_nothing(copier: "pexpect.spawn[str]", tmp_path: Path) -> None:
    copier.expect("Name of the service")
    copier.sendintr()
    copier.expect("Execution stopped by user")
    copier.expect(pexpect.EOF)
    assert copier.wait() == 1
    assert not (tmp_path / "made").exists()
