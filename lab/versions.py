"""A template with a past: tagged versions that ask other questions and emit other files."""

import re
import shutil
from pathlib import Path

from extensions.registry import frameworks
from lab.repository import commit, git

NEW_LINE = "**/*.bak\n"
VERSIONS = ("1.0.0", "2.0.0", "3.0.0")
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
NOTES = "# Notes\n\nWhat to know before a release.\n\n- Read the changelog.\n- Tell the team.\n"


def replace(file: Path, old: str, new: str) -> None:
    """Replace the one occurrence of a text in a file."""
    text = file.read_text("utf-8")
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new), "utf-8")


def with_two_versions(template: Path, folder: Path) -> Path:
    """Make a repository with two versions of the template; no crate comes or goes.

    Version 2.0.0 has other words in the README and in Actix's routes, one line more in
    .dockerignore, and no NOTES.md.

    Args:
        template: A copy of the template, without its history.
        folder: Where the repository is made.

    Returns:
        The folder.
    """
    shutil.copytree(template, folder, symlinks=True)
    (folder / "template" / "NOTES.md").write_text("# Notes\n\n- Read.\n- Tell.\n- Rest.\n")
    git(folder, "init", "--quiet")
    commit(folder)
    git(folder, "tag", "1.0.0")
    routes = folder / "frameworks" / "actix" / "src" / "routes.rs"
    replace(routes, "/// Registers every route.", "/// Registers the routes.")
    replace(folder / "template" / "README.md.jinja", "## Ship it", "## Send it")
    replace(folder / "template" / ".dockerignore.jinja", "**/*~\n", f"**/*~\n{NEW_LINE}")
    (folder / "template" / "NOTES.md").unlink()
    commit(folder)
    git(folder, "tag", "2.0.0")
    return folder


def with_a_past(template: Path, folder: Path) -> Path:
    """Make a repository with three versions of the template.

    Version 1.0.0 asks for `team`, where `owner` is asked for now, has a third `profile`, and emits
    NOTES.md. Version 2.0.0 emits that as docs/NOTES.md, and has one crate more. Version 3.0.0 asks
    for `owner`, has two profiles, emits no notes, and other words in every service's routes.

    Args:
        template: A copy of the template, without its history.
        folder: Where the repository is made.

    Returns:
        The folder.
    """
    moved = ("files", "NOTES.md", "docs/NOTES.md", "2.0.0")

    _begin(template, folder)
    _as_it_asked(folder)
    (folder / "template" / "NOTES.md").write_text(NOTES)
    _release(folder, "1.0.0")

    _begin(template, folder)
    _as_it_asked(folder)
    (folder / "template" / "docs").mkdir()
    (folder / "template" / "docs" / "NOTES.md").write_text(f"{NOTES}- Rest.\n")
    _add_crate(folder)
    _rename(folder, moved)
    _release(folder, "2.0.0")

    _begin(template, folder)
    _add_crate(folder)
    for framework in frameworks():
        routes = folder / "frameworks" / framework / "src" / "routes.rs"
        text = routes.read_text()
        start = text.index("/// ")
        routes.write_text(f"{text[:start]}/// Begins here.\n///\n{text[start:]}")
    _rename(folder, moved, ("questions", "team", "owner", "3.0.0"))
    _release(folder, "3.0.0")
    return folder


def _begin(template: Path, folder: Path) -> None:
    """Lay the template out anew in a repository."""
    folder.mkdir(exist_ok=True)
    for entry in folder.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(template, folder, dirs_exist_ok=True, symlinks=True)


def _release(folder: Path, version: str) -> None:
    git(folder, "init", "--quiet")
    commit(folder, version)
    # As people tag; what such a tag names is not its commit.
    git(folder, "tag", "--annotate", "--message", version, version)


def _as_it_asked(folder: Path) -> None:
    questions = folder / "copier.yml"
    replace(questions, "\nowner:\n", "\nteam:\n")
    replace(questions, "{{ owner | refusal('owner') }}", "{{ team | refusal('team') }}")
    replace(questions, "    Fastest binary:\n", "    Both: both\n    Fastest binary:\n")
    rules = folder / "extensions" / "rules.py"
    replace(rules, '"owner": owner,', '"team": owner,')
    replace(rules, '("size", "speed")', '("size", "speed", "both")')
    for file in (folder / "template").rglob("*.jinja"):
        text = file.read_text("utf-8")
        asked = JINJA.sub(lambda tag: re.sub(r"\bowner\b", "team", tag[0]), text)
        file.write_text(asked, "utf-8")


def _add_crate(folder: Path) -> None:
    for framework in frameworks():
        add_crate(folder / "frameworks" / framework / "Cargo.toml")


def add_crate(manifest: Path, name: str = "fastrand", version: str = "2") -> None:
    """Add a crate to a manifest as the template does: outside the place for those of owners."""
    text = manifest.read_text("utf-8")
    place = "\n[dependencies."
    table = f'\n[dependencies.{name}]\nversion = "{version}"\n'
    manifest.write_text(text.replace(place, f"{table}{place}", 1), "utf-8")


def _rename(folder: Path, *entries: tuple[str, str, str, str]) -> None:
    """Write renames.toml: a kind, the earlier name, the new one and its first version each."""
    kinds = {kind for kind, *_ in entries}
    lines = [f"{kind} = []" for kind in ("questions", "files") if kind not in kinds]
    for kind, was, now, since in entries:
        lines += ["", f"[[{kind}]]", f'was = "{was}"', f'is = "{now}"', f'since = "{since}"']
    (folder / "renames.toml").write_text("\n".join(lines) + "\n")
