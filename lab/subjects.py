"""What is built side by side: our service and its peers, each a project with a Dockerfile."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from lab.rendering import render_service

FOLDER = Path(__file__).resolve().parent
PROJECTS = {
    "actix": FOLDER / "projects" / "example",
    "rocket": FOLDER / "projects" / "rocket",
    "hyper": FOLDER / "projects" / "hyper",
}
NAME = "app"
PORT = 8080
# It depends on nothing, and no service of ours or of a peer depends on it.
DEPENDENCY = "hex@0.4"


@dataclass(frozen=True)
class Subject:
    """A project in a folder of its own, which is edited as it is measured.

    Attributes:
        name: How it is called in the results.
        folder: The context of the build.
        dockerfile: What is built, with the base images filled in.
        source: The file that has the answer of the health route.
        options: More options of `docker build`.
    """

    name: str
    folder: Path
    dockerfile: str
    source: Path
    options: tuple[str, ...] = ()

    def edit(self, number: int) -> str:
        """Let the health route answer OK and a number, in one line, and return what it answers."""
        answer = f"OK{number}"
        before, found, rest = self.source.read_text("utf-8").partition('"OK')
        assert found, self.source
        _, _, after = rest.partition('"')
        self.source.write_text(f'{before}"{answer}"{after}', "utf-8")
        return answer

    def copy(self, folder: Path) -> Self:
        """Copy it to a folder that is not there yet, to be edited by itself."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, source=folder / self.source.relative_to(self.folder))

    def add_dependency(self) -> None:
        """Depend on one small crate more, and lock it."""
        for command in (["add", "--quiet", DEPENDENCY], ["update", "--quiet", "--workspace"]):
            subprocess.run(["cargo", *command], cwd=self.folder, check=True)


def file_name(name: str) -> str:
    """Return a name of the results in small letters with dashes."""
    return re.sub("[^a-z0-9]+", "-", name.lower())


def ours(template: Path, folder: Path, **answers: object) -> Subject:
    """Render our service, with the Dockerfile that comes with it."""
    render_service(template, folder, service_name=NAME, port=PORT, smoke="none", **answers)
    dockerfile = (folder / "Dockerfile").read_text("utf-8")
    return Subject("ours", folder, dockerfile, folder / "src" / "routes.rs")


def peer(name: str, project: Path, folder: Path, images: Mapping[str, str]) -> Subject:
    """Build a copy of a project with the Dockerfile of a peer.

    Args:
        name: Of the peer, and in small letters with dashes that of its file in `peers/`.
        project: What is built.
        folder: Where the copy is made.
        images: The base images by the names in braces.
    """
    ignored = shutil.ignore_patterns("target", ".git", "Dockerfile", ".dockerignore")
    shutil.copytree(project, folder, ignore=ignored)
    (folder / ".dockerignore").write_text("target\n.git\n")
    file = FOLDER / "peers" / f"{file_name(name)}.Dockerfile"
    text = file.read_text("utf-8")
    for base, image in images.items():
        text = text.replace(f"{{{base}}}", image)
    routes = folder / "src" / "routes.rs"
    return Subject(name, folder, text, routes if routes.exists() else folder / "src" / "main.rs")
