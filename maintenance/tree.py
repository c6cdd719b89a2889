"""The files that a service has with every default, with a few words on each."""

import tempfile
from pathlib import Path

from lab.rendering import copy_template, render_service

NAME = "order-api"
# In the order in which a reader wants them. A folder stands for all that is in it.
WORDS = {
    "src/": "the service: src/routes.rs is where yours begins",
    "tests/service.rs": "asks the running program from outside",
    "Cargo.toml": "few crates, and the release profile",
    "Cargo.lock": "what was tested; yours from now on",
    "Dockerfile": "dependencies in a layer, cross-compiled, onto an empty base",
    ".dockerignore": "keeps secrets and junk out of the build",
    "compose.yaml": "two replicas behind a proxy, locked down",
    "deploy/compose/": "the proxy, and how replicas are replaced",
    ".github/workflows/": "test, image, and a weekly look at dependencies",
    "deny.toml": "which licences and sources of crates are fine",
    "renovate.json": "brings crates, images and actions up to date",
    "README.md": "a page with the commands of this service",
    "CODEOWNERS": "who reviews",
    ".copier-answers.yml": "your answers, and the version they were given to",
    ".editorconfig": "how editors indent",
    ".gitignore": "what is built stays out of git",
}


def listed() -> list[str]:
    """Return the files that the template emits with every default."""
    with tempfile.TemporaryDirectory() as name:
        template, service = Path(name) / "template", Path(name) / NAME
        copy_template(template)
        render_service(template, service, service_name=NAME)
        files = (path for path in service.rglob("*") if path.is_file())
        return sorted(path.relative_to(service).as_posix() for path in files)


def tree() -> str:
    """Return the files as a tree in a block of Markdown.

    Raises:
        ValueError: A file has no words, or words have no file.
    """
    files = listed()
    if missing := [each for each in files if not any(_is_of(each, place) for place in WORDS)]:
        raise ValueError(f"maintenance/tree.py has no words on {', '.join(missing)}")
    if gone := [place for place in WORDS if not any(_is_of(each, place) for each in files)]:
        raise ValueError(f"no {', '.join(gone)} is emitted; maintenance/tree.py has words on it")
    width = max(map(len, WORDS))
    lines = [f"├── {place:<{width}}  {words}" for place, words in WORDS.items()]
    lines[-1] = lines[-1].replace("├", "└")
    return "\n".join(["```text", f"{NAME}/", *lines, "```"])


def _is_of(file: str, place: str) -> bool:
    return file.startswith(place) if place.endswith("/") else file == place
