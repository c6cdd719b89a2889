"""Takes the pictures of the docs that show a page in a browser, or a terminal.

A headless Chromium takes those of pages: `apt-get install chromium-headless-shell` on Debian.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
from playwright.sync_api import Browser, sync_playwright
from rich.text import Text

from extensions.pins import ROOT
from lab.fleet import Member, make_fleet
from lab.rendering import copy_template
from lab.repository import commit, git
from maintenance import sessions
from maintenance.terminal import draw

NAMED = ("-c", "user.name=Jane", "-c", "user.email=jane@example.com")
# Debian packages the first, hosted runners have the second; the one that is here is taken.
BROWSERS = ("chromium-headless-shell", "google-chrome", "chromium")
BROWSER = next(filter(shutil.which, BROWSERS), BROWSERS[0])
PICTURE = ROOT / "docs" / "images" / "catalog-index.png"
TABLE = ROOT / "docs" / "images" / "catalog-status.svg"
WIDTH = 110

# Versions as they could have been: name, day, Rust, Alpine, actix-web, and changelog; the last one
# is built with what is pinned now.
RELEASES = (
    (
        "1.0.0",
        "2026-05-04",
        ("1.95.0", "3.23", "4.16.0"),
        "- The template makes an Actix or a Rocket service: a health route, graceful SIGTERM, a "
        "tested lock file,\n  and a Dockerfile whose image runs as non-root.\n",
    ),
    (
        "1.1.0",
        "2026-08-17",
        ("1.96.1", "3.24", "4.17.0"),
        "- Images are built on Alpine 3.24, with its fixes of musl.\n"
        "- An update names a base image whole when it moves.\n",
    ),
    (
        "1.2.0",
        "2026-11-23",
        None,
        "- A service holds a quarter of the memory: images with musl set `MIMALLOC_ALLOW_THP=0`.\n"
        "- An update refuses, before it writes, a file that is not UTF-8.\n"
        "- `docker build --build-arg CARGO_PROFILE_RELEASE_LTO=off` makes an image for the edit "
        "loop.\n",
    ),
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a headless Chromium, and end it.

    Raises:
        FileNotFoundError: It is not installed.
    """
    program = shutil.which(BROWSER)
    if program is None:
        raise FileNotFoundError(f"{BROWSER} is not installed; apt-get install {BROWSER}")
    with sync_playwright() as playwright:
        # Its sandbox does not work as root, and it opens our own page alone.
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


def take() -> None:
    """Take all pictures."""
    sessions.take()
    catalog_index()
    catalog_status()


def catalog_index() -> None:
    """Take the picture of the page that `catalog index` makes of a template with three versions."""
    with tempfile.TemporaryDirectory() as name, browser() as chromium:
        template, made = Path(name) / "template", Path(name) / "made"
        _release(template)
        options: list[str | Path] = ["--template", template, "--output", made]
        subprocess.run([ROOT / "bin" / "catalog", "index", *options], check=True)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.goto((made / "index.html").as_uri())
        page.screenshot(path=PICTURE)


def _release(folder: Path) -> None:
    """Make a repository of this template with three versions."""
    copy_template(folder)
    git(folder, "init", "--quiet")
    published = folder / "catalog" / "published" / "version.json"
    now = published.read_text("utf-8")
    said = ""
    for version, day, pinned, changelog in RELEASES:
        published.write_text(_earlier(now, *pinned) if pinned else now, "utf-8")
        said = f"## {version}\n\n{changelog}\n{said}"
        (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n{said}", "utf-8")
        dated = {**os.environ, "GIT_COMMITTER_DATE": f"{day}T12:00:00Z"}
        git(folder, "add", "--all")
        command = ["git", *NAMED, "commit", "--quiet", "-m", version]
        subprocess.run(command, cwd=folder, env=dated, check=True)
        git(folder, "tag", version)


def _earlier(published: str, rust: str, alpine: str, actix_web: str) -> str:
    """Return what a version asks and pins, with other versions of what it is built from."""
    now = json.loads(published)
    alpine_now = now["images"]["alpine"].removeprefix("alpine:")
    for new, old in (
        (now["rust"], rust),
        (f"alpine:{alpine_now}", f"alpine:{alpine}"),
        (f"alpine{alpine_now}", f"alpine{alpine}"),
    ):
        published = published.replace(new, old)
    found = json.loads(published)
    for crates in found["crates"]["actix"].values():
        crates["actix-web"] = [actix_web]
    return json.dumps(found)


def catalog_status() -> None:
    """Draw what `catalog status` prints in a terminal of a small fleet, in which much happened."""
    with tempfile.TemporaryDirectory(prefix="acme-") as name:
        folder = Path(name)
        services = folder / "services"
        _with_a_past(folder / "template")
        fleet = make_fleet(
            services, folder / "template", 14, 3, tags=("1.0.0", "1.1.0", "1.2.0"), bare=False
        )
        _happened(services, fleet)
        policy = {"name": "Acme", "contact": "#platform", "minimum_version": "1.1.0"}
        (folder / "policy.yaml").write_text(json.dumps(policy), "utf-8")
        around = {"COLUMNS": str(WIDTH), "TERM": "xterm-256color", "XDG_CACHE_HOME": name}
        around |= {"CATALOG_POLICY": str(folder / "policy.yaml")}
        places = sorted(
            f"services/{path.name}" for path in services.iterdir() if path.name[0] != "."
        )
        command = ["status", "--template", str(folder / "template"), *places]
        line = shlex.join([str(ROOT / "bin" / "catalog"), *command])
        printed = str(pexpect.runu(line, cwd=name, env={**os.environ, **around}))
    table = printed[printed.index("\x1b[1mservice") :]
    lines = [Text.from_ansi(line.rstrip()) for line in table.splitlines()]
    draw(lines, TABLE, "catalog status services/*", columns=WIDTH)


def _with_a_past(folder: Path) -> None:
    """Make a repository of this template with three versions, each with a line more in a file."""
    copy_template(folder)
    git(folder, "init", "--quiet")
    for version, line in (("1.0.0", ""), ("1.1.0", "**/*.bak\n"), ("1.2.0", "**/*.orig\n")):
        with (folder / "template" / ".dockerignore.jinja").open("a") as file:
            file.write(line)
        commit(folder, version)
        git(folder, "tag", version)


def _happened(services: Path, fleet: list[Member]) -> None:
    """Do to some services what happens to services."""
    newest = [each for each in fleet if each.version == "1.2.0" and not each.removed]
    older = [each for each in fleet if each.version != "1.2.0"]
    conflict, ended, stale, foreign, mode = newest[:5]
    lost = older[0]
    for file, pattern, text in (
        (conflict.path / "src" / "main.rs", r"\A", "<<<<<<< before\n"),
        (ended.path / "Dockerfile", r"\Z", "\nFROM alpine:3.20 AS debug\n"),
        (stale.path / ".dockerignore", r"\*\*/\*\.orig\n", ""),
        (foreign.path / ".copier-answers.yml", "_src_path: .*", "_src_path: gh:else/where"),
    ):
        file.write_text(re.sub(pattern, text, file.read_text("utf-8"), count=1), "utf-8")
    (mode.path / "Cargo.toml").chmod(0o755)
    (lost.path / ".copier-answers.yml").unlink()
    for each in (conflict, ended, stale, foreign, mode, lost):
        commit(each.path)
    git(services, "init", "--quiet", "warehouse-api")
