"""The parser of each language proves its filter, on what the template emits."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from extensions import text
from lab.containers import Docker
from tests.answers import GOOD_DESCRIPTIONS, GOOD_OWNERS
from tests.conftest import Copy


@pytest.fixture(params=GOOD_DESCRIPTIONS)
def description(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_description_arrives_unchanged(description: str, render: Copy) -> None:
    folder = render(description=description)
    assert_arrives(folder, description)
    cargo = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))
    assert set(cargo["dependencies"]) == {"actix-web", "tokio"}


def assert_arrives(folder: Path, description: str) -> None:
    """Read the description of a service back from each file, in the file's own language."""
    cargo = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))
    assert cargo["package"]["description"] == description

    recorded = yaml.safe_load((folder / ".copier-answers.yml").read_text("utf-8"))
    assert recorded["description"] == description

    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(
        (folder / "README.md").read_text("utf-8")
    )
    paragraph = tokens[tokens.index(next(t for t in tokens if t.type == "paragraph_open")) + 1]
    assert paragraph.map == [2, 3]
    assert {child.type for child in paragraph.children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in paragraph.children or []) == description


def test_every_description_arrives_in_the_image(
    docker: Docker, render: Copy, tmp_path: Path
) -> None:
    lines = ["FROM scratch"]
    for number, description in enumerate(GOOD_DESCRIPTIONS):
        dockerfile = (render(description=description) / "Dockerfile").read_text("utf-8")
        label = re.search(r"^LABEL (?:.*\\\n)*.*\n", dockerfile, re.MULTILINE)
        assert label
        lines.append(label[0].replace("org.opencontainers", f"org{number}.opencontainers"))
    image = docker.build(tmp_path, dockerfile="\n".join(lines)).image
    labels = docker.inspect(image)["Config"]["Labels"]
    docker("image", "rm", "--force", image)
    for number, description in enumerate(GOOD_DESCRIPTIONS):
        assert labels[f"org{number}.opencontainers.image.description"] == description
        assert labels[f"org{number}.opencontainers.image.title"] == "order-api"
        assert labels[f"org{number}.opencontainers.image.authors"] == "platform"


@pytest.mark.parametrize("owner", GOOD_OWNERS)
def test_an_owner_arrives_unchanged(owner: str, render: Copy) -> None:
    folder = render(owner=owner)
    html = MarkdownIt().render((folder / "README.md").read_text("utf-8"))
    assert f"<p>Owned by {owner}.</p>" in html
    assert yaml.safe_load((folder / ".copier-answers.yml").read_text())["owner"] == owner


@pytest.mark.parametrize(
    ("owner", "reviewer"),
    [
        ("platform", "@platform"),
        ("group:default/shop", "@shop"),
        ("group:acme/shop", "@acme/shop"),
        ("user:jane.doe", "@jane.doe"),
    ],
)
def test_the_owner_reviews(owner: str, reviewer: str, render: Copy) -> None:
    folder = render(owner=owner)
    comment, rule = (folder / "CODEOWNERS").read_text("utf-8").splitlines()
    assert rule == f"* {reviewer}"
    # On GitHub a team has its organisation before it, which the template cannot know.
    assert ("A team of GitHub" in comment) == (reviewer in ("@platform", "@shop"))


@pytest.mark.parametrize("word", ["a b", "it's", "$(id)", "`id`", "x;ls", "-x", "ünï", "a\nb"])
def test_a_shell_word_arrives_unchanged(word: str) -> None:
    command = f"printf %s {text.shell(word)}"
    printed = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert printed.stdout.decode() == word
