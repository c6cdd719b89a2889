"""Takes the pictures of the README that show how a service is made, proven and updated.

Each is what a terminal shows of commands that really run, on two versions of this template as they
could have been. The shell finds them behind the URL of an organisation that does not exist.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extensions.pins import ROOT
from extensions.policy_file import VARIABLE
from lab.rendering import COPIER, copy_template
from lab.repository import commit, git
from lab.versions import replace
from maintenance.terminal import draw, shell

PICTURES = ROOT / "docs" / "images"
URL = "https://github.com/acme/rust-service-template"
COPY = f"uvx --with copier-template-extensions copier copy --trust {URL} order-api"
ENTER, DOWN, CLEAR = "\r", "\x1b[B", "\x15"
# The questions, as far as the first picture shows them, and the keys that answer them.
ANSWERED = (
    ("Name of the service", f"order-api{ENTER}"),
    ("What the service is for", ENTER),
    ("Team or person", f"{CLEAR}shop{ENTER}"),
    ("Web framework", ENTER),
    ("Port that the service", ENTER),
    ("Release profile", ENTER),
    ("What the service tells", ENTER),
    ("Rust release", ENTER),
)
# Those after it.
LEFT = (
    ("Base of the image", ENTER),
    ("Put CA certificates", "n"),
    ("Platforms that the image", ENTER),
    ("Mirror that all base images", ENTER),
    ("Name of a private crate registry", ENTER),
    ("Forge whose CI", ENTER),
    ("Where the service is deployed to", ENTER),
    ("Carry catalog-info.yaml", "n"),
    ("How far to prove", ENTER),
)


def take() -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory(prefix="sessions-") as name:
        folder = Path(name)
        with_two_versions(folder / "template")
        with _environment(folder / "template") as environment:
            _copy(folder, environment)
            _update(folder, environment)


def with_two_versions(folder: Path) -> None:
    """Make a repository of this template with two versions.

    Version 1.1.0 is what is here. Version 1.0.0 was built on the Alpine before, wanted the
    actix-web before, and let HEALTHCHECK ask less often.

    Args:
        folder: Where the repository is made.
    """
    copy_template(folder)
    now = {}
    for name, text, earlier in (
        ("versions.toml", '"1.96.0" = "3.24"\n', ""),
        ("frameworks/actix/Cargo.toml", 'version = "4.18"', 'version = "4.17"'),
        ("template/Dockerfile.jinja", "--interval=10s", "--interval=30s"),
    ):
        now[name] = (folder / name).read_text("utf-8")
        replace(folder / name, text, earlier)
    git(folder, "init", "--quiet")
    commit(folder)
    git(folder, "tag", "1.0.0")
    for name, text in now.items():
        (folder / name).write_text(text, "utf-8")
    commit(folder)
    git(folder, "tag", "1.1.0")


@contextmanager
def _environment(template: Path) -> Iterator[dict[str, str]]:
    """Return variables by which git finds a repository behind the URL, and knows Jane."""
    settings = (
        # Copier asks for the URL with .git at its end.
        (f"url.{template}.insteadOf", f"{URL}.git"),
        (f"url.{template}.insteadOf", URL),
        ("user.name", "Jane"),
        ("user.email", "jane@example.com"),
        ("init.defaultBranch", "main"),
    )
    given = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_PAGER": "cat", VARIABLE: ""}
    for number, (key, value) in enumerate(settings):
        given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    programs = Path(sys.executable).parent
    given |= {"PATH": f"{programs}:{os.environ['PATH']}", "UV_PYTHON": sys.executable}
    with tempfile.TemporaryDirectory() as logs:
        yield {**os.environ, **given, "TMPDIR": logs}


def _copy(folder: Path, environment: dict[str, str]) -> None:
    """Draw the questions of a copy, and how it proves the service."""
    with shell(folder, environment) as terminal:
        terminal.type(f"{COPY}{ENTER}")
        for question, keys in ANSWERED:
            terminal.wait_for(question)
            terminal.type(keys)
        terminal.wait_for("Base of the image")
        draw(terminal.lines(), PICTURES / "prompts.svg", "Making a service")
        for question, keys in LEFT:
            terminal.wait_for(question)
            terminal.type(keys)
        terminal.wait_for_prompt()
        lines = terminal.lines()
    begin = next(n for n, line in enumerate(lines) if "is proven:" in line.plain)
    draw(lines[begin:], PICTURES / "proof.svg", "Its proof")


def _update(folder: Path, environment: dict[str, str]) -> None:
    """Draw an update of a service whose owners have edited it, with a conflict."""
    service = folder / "edited" / "order-api"
    answers = ("--data=service_name=order-api", "--data=runtime=alpine")
    options = ("--trust", "--quiet", "--defaults", "--skip-tasks", "--vcs-ref=1.0.0")
    command = [COPIER, "copy", *options, *answers, URL, str(service)]
    subprocess.run(command, env=environment, check=True)
    git(service, "init", "--quiet")
    commit(service, "Make the service")
    replace(service / "src" / "routes.rs", '    "OK"\n', '    "Fine"\n')
    replace(service / "Dockerfile", "--interval=30s", "--interval=5s")
    commit(service, "Say Fine, and ask more often")
    with shell(service, environment) as terminal:
        terminal.run("copier update --trust --defaults")
        terminal.run("git diff Dockerfile")
        draw(terminal.lines(), PICTURES / "update.svg", "Updating a service")
