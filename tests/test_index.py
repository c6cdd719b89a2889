"""`catalog index` says what a real history says, and its page holds in a real browser."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from catalog.offer.index import index
from extensions.pins import ROOT
from lab.repository import commit, git
from maintenance.pictures import BROWSER, browser
from tests.conftest import need
from tests.pages import faults_of

pytestmark = pytest.mark.slow

Found = dict[str, Any]
Open = Callable[..., Page]

PUBLISHED = "catalog/published/version.json"
# 1.0.0 is committed on the next day in UTC.
DAYS = {
    "1.0.0": ("2026-05-03T23:30:00-03:00", "2026-05-04"),
    "1.1.0": ("2026-06-01T12:00:00+00:00", "2026-06-01"),
    "1.2.0rc1": ("2026-07-01T12:00:00+00:00", "2026-07-01"),
    "1.2.0": ("2026-08-01T12:00:00+00:00", "2026-08-01"),
    "1.3.0": ("2026-09-01T12:00:00+00:00", "2026-09-01"),
    "1.4.0": ("2026-10-01T12:00:00+00:00", "2026-10-01"),
}
CHANGELOGS = {
    "1.0.0": "- The first one, with\n  `two` lines.",
    "1.1.0": "### Added\n\n- Asks for *metrics*.\n\n### Moved\n\n- See [Rust](https://rust-lang.org/x?a=1&b=2).",
    "1.2.0rc1": "",
    "1.2.0": "Nothing but a crate.",
    "1.3.0": "- Cannot be read.",
}
TRACKER = "https://tracker.example"
HOSTILE = (
    "\x1b[31m\u202e<script>alert(1)</script> [click](javascript:alert(2)) "
    "[data](data:text/html,x)\n\n"
    f'<img src="{TRACKER}/1.png" onerror="alert(3)"> ![picture]({TRACKER}/2.png)\n\n'
    "# A heading\n\n###\n\n<style>* { display: none }</style> </section></main>\n\n"
    f"&#x202e;gnp.exe \u202egnp.exe \x07 {{{{ 7 * 7 }}}} {'0' * 3000}"
)
SCRIPT = "</code><script>alert(4)</script>"


def catalog(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line of this clone."""
    command = [sys.executable, "-I", ROOT / "catalog" / "__main__.py", *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def indexed(template: Path | str) -> Found:
    """Return what the command prints of a repository as JSON."""
    ended = catalog("index", "--format", "json", "--template", template)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    found: Found = json.loads(ended.stdout)
    return found


def made(template: Path | str, folder: Path) -> Path:
    """Return the folder that the command wrote its files to."""
    ended = catalog("index", "--template", template, "--output", folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    return folder


@pytest.fixture(scope="module")
def released(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of the template with six versions, and with tags that are none.

    Version 1.1.0 is an annotated tag with a v, 1.3.0 has no version.json that can be used, and
    1.4.0 is hostile.
    """
    folder = tmp_path_factory.mktemp("released") / "template"
    shutil.copytree(template, folder, symlinks=True)
    git(folder, "init", "--quiet")
    published = folder / PUBLISHED
    now: Found = json.loads(published.read_text("utf-8"))
    said = "## Unreleased\n\n- Not yet.\n"

    def release(version: str, content: Found | str, *tag: str) -> None:
        nonlocal said
        published.write_text(content if isinstance(content, str) else json.dumps(content))
        text = HOSTILE if version == "1.4.0" else CHANGELOGS[version]
        said = f"## {version}\n\n{text}\n\n{said}" if text else said
        (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n{said}", "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GIT_COMMITTER_DATE", DAYS[version][0])
            patch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
            commit(folder, version)
            git(folder, "tag", *(tag or (version,)))

    first = json.loads(json.dumps(now))
    first["rust"] = "1.90.0"
    first["questions"]["port"]["default"] = "9000"
    first["questions"]["team"] = first["questions"].pop("owner")
    del first["questions"]["runtime"]["choices"]["debian"]
    first["images"]["alpine"] = "alpine:3.20"
    first["images"]["ubi"] = first["images"].pop("debian")
    actix = first["crates"]["actix"]
    actix["direct"]["actix-web"] = actix["locked"]["actix-web"] = ["4.0.0"]
    actix["direct"]["snmalloc"] = actix["locked"]["snmalloc"] = ["0.1.0"]
    del actix["direct"]["mimalloc"], actix["locked"]["mimalloc"]
    actix["locked"]["bytes"] = ["1.0.0", "1.1.0"]
    del actix["locked"]["http"]
    release("1.0.0", first)
    release("1.1.0", now, "-m", "Eleven", "v1.1.0")
    release("1.2.0rc1", now)
    last = json.loads(json.dumps(now))
    last["crates"]["rocket"]["direct"]["rocket"] = ["0.6.0"]
    last["crates"]["rocket"]["locked"]["rocket"] = ["0.6.0"]
    release("1.2.0", {**last, "of a later template": 1})
    release("1.3.0", "[]")
    hostile = json.loads(json.dumps(last))
    hostile["rust"] = f"1.98.0{SCRIPT}"
    hostile["questions"][SCRIPT] = {
        "help": f'"><img src="{TRACKER}/3.png" onerror="alert(5)">' + "0" * 3000,
        "default": "\u202egnp.exe",
        "choices": {"javascript:alert(6)": SCRIPT},
        "asked_if": {SCRIPT: ["<b>", "{{ 7 * 7 }}"], "runtime": SCRIPT},
    }
    hostile["images"][SCRIPT] = "registry.example/" + "0" * 3000
    hostile["crates"][SCRIPT] = {
        "direct": {SCRIPT: ["\x1b[31m"]},
        "locked": {SCRIPT: ["1"], "0" * 3000: ["2"]},
    }
    release("1.4.0", hostile)
    for tag in ("nightly", "20261126", "1.5 x".replace(" ", "-")):
        git(folder, "tag", tag)
    git(folder, "tag", "1.6.0", "HEAD:CHANGELOG.md")
    return folder


@pytest.fixture(scope="module")
def made_page(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of that repository."""
    return made(released, tmp_path_factory.mktemp("made")) / "index.html"


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository without a version."""
    return with_files(tmp_path_factory.mktemp("empty"), {"nightly": {}})


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return a real browser."""
    need(BROWSER, f"apt-get install {BROWSER}")
    with browser() as program:
        yield program


@pytest.fixture
def opened(chromium: Browser, made_page: Path) -> Iterator[Open]:
    """Return a function that opens the page, and check that nothing was asked for or reported."""
    heard: list[str] = []
    pages = []

    def open_page(**settings: Any) -> Page:
        page = chromium.new_context(**settings).new_page()
        page.on("request", lambda request: heard.append(f"request {request.url}"))
        page.on("console", lambda message: heard.append(f"console {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error {error}"))
        page.on("dialog", lambda dialog: heard.append(f"dialog {dialog.message}"))
        page.goto(made_page.as_uri())
        pages.append(page)
        return page

    yield open_page
    assert heard == [f"request {made_page.as_uri()}"] * len(pages)
    for page in pages:
        page.context.close()


def test_the_index_says_what_the_history_says(
    released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "WEST12")
    found = indexed(released)
    rows = {row["version"]: row for row in found["versions"]}
    assert list(rows) == list(DAYS)[::-1]
    assert found["latest"] == "1.4.0"
    for version, row in rows.items():
        tag = "v1.1.0" if version == "1.1.0" else version
        assert row["tag"] == tag
        assert row["commit"] == git(released, "rev-parse", f"{tag}^{{commit}}").strip()
        assert row["date"] == DAYS[version][1]
        assert row["prerelease"] == (version == "1.2.0rc1")
        assert row["changelog"] == (CHANGELOGS | {"1.4.0": HOSTILE})[version]
        if version != "1.3.0":
            published = json.loads(git(released, "show", f"{tag}:{PUBLISHED}"))
            offered = {name: row[name] for name in ("rust", "questions", "images", "crates")}
            assert offered.items() <= published.items()
    assert rows["1.2.0"]["lacks"] == []
    assert rows["1.2.0rc1"]["lacks"] == ["CHANGELOG.md has no section of this version"]


def test_the_index_says_what_a_version_changes(released: Path) -> None:
    rows = {row["version"]: row for row in indexed(released)["versions"]}
    now = rows["1.1.0"]
    same: Found = {"new": {}, "gone": {}, "changed": {}}
    assert rows["1.0.0"]["changes"] is None
    assert now["changes"] == {
        "since": "1.0.0",
        "rust": ["1.90.0", now["rust"]],
        "questions": {
            "new": {"owner": "platform"},
            "gone": {"team": "platform"},
            "changed": {"port": ["9000", now["questions"]["port"]["default"]]},
        },
        "choices": {"runtime": {"new": ["debian"], "gone": []}},
        "images": {
            "new": {"debian": now["images"]["debian"]},
            "gone": {"ubi": now["images"]["debian"]},
            "changed": {"alpine": ["alpine:3.20", now["images"]["alpine"]]},
        },
        "crates": {
            "actix": {
                "new": {"mimalloc": now["crates"]["actix"]["direct"]["mimalloc"]},
                "gone": {"snmalloc": ["0.1.0"]},
                "changed": {
                    "actix-web": [["4.0.0"], now["crates"]["actix"]["direct"]["actix-web"]]
                },
                "others": 2,
            },
            "rocket": {**same, "others": 0},
        },
    }
    # A version is compared with one that people have: no prerelease, and not what cannot be read.
    assert rows["1.2.0rc1"]["changes"]["since"] == "1.1.0"
    assert rows["1.2.0"]["changes"] == {
        "since": "1.1.0",
        "rust": None,
        "questions": same,
        "choices": {},
        "images": same,
        "crates": {
            "actix": {**same, "others": 0},
            "rocket": {
                **same,
                "changed": {"rocket": [now["crates"]["rocket"]["direct"]["rocket"], ["0.6.0"]]},
                "others": 0,
            },
        },
    }
    assert rows["1.3.0"]["changes"] is None
    assert rows["1.4.0"]["changes"]["since"] == "1.2.0"


def with_files(folder: Path, releases: dict[str, dict[str, bytes]]) -> Path:
    """Return a bare repository with a tag for each of these trees; a file may be anything."""
    git(folder, "init", "--quiet", "--bare")
    lines = []
    for tag, files in releases.items():
        lines.append(
            b"commit refs/heads/main\ncommitter J <j@example.com> 1 +0000\ndata 0\ndeleteall\n"
        )
        lines += [
            f"M 644 inline {name}\ndata {len(content)}\n".encode() + content + b"\n"
            for name, content in files.items()
        ]
        lines.append(f"reset refs/tags/{tag}\nfrom refs/heads/main\n\n".encode())
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(command, cwd=folder, input=b"".join(lines), check=True)
    return folder


def test_a_version_that_cannot_be_read_is_a_row_with_its_reason(tmp_path: Path) -> None:
    published = (ROOT / PUBLISHED).read_bytes()
    no = "has no `{}` as `catalog version` writes it"
    bad: dict[bytes | None, str] = {
        None: "is not there",
        b"{": "is no JSON",
        b"[" * 100_000: "is no JSON",
        b'{"rust": ' + b"9" * 5000 + b"}": "is no JSON",
        published.replace(b'"rust": "1', b'"rust": "\\ud800'): "is no JSON",
        b"\xff": "is not UTF-8",
        published + b" " * (1 << 20): "is larger than 1 MiB",
        b"[]": no.format("rust"),
        b'{"rust": 1}': no.format("rust"),
        b'{"rust": "1.90.0"}': no.format("questions"),
        published.replace(b'"help"', b'"hint"', 1): no.format("questions"),
        published.replace(b'"asked_if": {', b'"asked_if": {"x": {}, ', 1): no.format("questions"),
        published.replace(b'"alpine:3', b'3, "x": "'): no.format("images"),
        published.replace(b'"direct": {', b'"direct": {"x": "1", ', 1): no.format("crates"),
    }
    sections = {
        b"# Changelog\n\n## 1.0\n\n- x\n": "has no section of this version",
        b"\xff": "is not UTF-8",
        b"# Changelog\n\n## 2.%d.0\n\n" + b"x" * 40_000: "has more than 32 KiB on this version",
    }
    releases: dict[str, dict[str, bytes]] = {}
    for number, content in enumerate(bad):
        changelog = b"## 1.%d.0  \r\n\r\n- One.\r\n- Two.\r\n" % number
        releases[f"1.{number}.0"] = {"CHANGELOG.md": changelog}
        if content is not None:
            releases[f"1.{number}.0"][PUBLISHED] = content
    for number, content in enumerate(sections):
        text = content.replace(b"%d", str(number).encode())
        releases[f"2.{number}.0"] = {"CHANGELOG.md": text, PUBLISHED: published}
    releases["3.0.0"] = {f"{PUBLISHED}/file": b"", "CHANGELOG.md/file": b""}

    rows = {row["version"]: row for row in indexed(with_files(tmp_path, releases))["versions"]}
    for number, reason in enumerate(bad.values()):
        row = rows[f"1.{number}.0"]
        assert row["lacks"] == [f"{PUBLISHED} {reason}"]
        assert (row["rust"], row["questions"], row["changes"]) == (None, {}, None)
        assert row["changelog"] == "- One.\n- Two."
        assert row["date"] == "1970-01-01"
    for number, reason in enumerate(sections.values()):
        row = rows[f"2.{number}.0"]
        assert row["lacks"] == [f"CHANGELOG.md {reason}"]
        assert row["rust"] is not None
    assert rows["3.0.0"]["lacks"] == ["CHANGELOG.md is not there", f"{PUBLISHED} is not there"]


def test_which_tags_are_versions(tmp_path: Path) -> None:
    taken = ["1!0.1", "2.0.dev1", "2.0.dev0", "v1.10", "1.9.0"]
    others = ["2.0-dev1", "v2.0.dev0", "1.9", "v1.9", "1.9-3-gabcdef0", "858a109", "12", "x.y"]
    found = indexed(with_files(tmp_path, {tag: {} for tag in [*others, *taken]}))
    assert [row["tag"] for row in found["versions"]] == taken
    assert [row["version"] for row in found["versions"]] == [tag.strip("v") for tag in taken]
    assert [row["tag"] for row in found["versions"] if row["prerelease"]] == taken[1:3]
    assert found["latest"] == "1!0.1"


def test_a_commit_without_a_date_is_a_row(tmp_path: Path) -> None:
    with_files(tmp_path, {"1.0.0": {}})
    tree = git(tmp_path, "rev-parse", "1.0.0^{tree}").strip()
    for number, date in enumerate(("999999999999 +0000", "never")):
        jane = "J <j@example.com>"
        text = f"tree {tree}\nauthor {jane} 1 +0000\ncommitter {jane} {date}\n\nx"
        write = ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
        ended = subprocess.run(
            write, cwd=tmp_path, input=text, capture_output=True, check=True, text=True
        )
        git(tmp_path, "update-ref", f"refs/tags/2.{number}", ended.stdout.strip())
    # Not by the command: git may refuse to clone such a commit.
    rows = index(tmp_path)["versions"]
    assert [row["date"] for row in rows] == [None, None, "1970-01-01"]
    assert "its commit has no date that can be read" in rows[0]["lacks"]


def test_a_check_is_green_until_a_version_comes(released: Path, tmp_path: Path) -> None:
    template = shutil.copytree(released, tmp_path / "template", symlinks=True)
    folder = made(template, tmp_path / "made")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(before) == {"index.html", "index.json"}
    assert json.loads(before["index.json"]) == indexed(template)
    arguments = ("index", "--template", template, "--output", folder, "--check")
    assert catalog(*arguments).returncode == 0

    git(template, "tag", "1.4.1")
    ended = catalog(*arguments)
    assert ended.returncode == 1
    assert re.fullmatch(r"catalog: .*index\.json is not what `catalog index .*\n", ended.stderr)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before

    (made(template, folder) / "index.html").write_text("<!DOCTYPE html>\n")
    ended = catalog(*arguments)
    assert ended.returncode == 1
    assert re.fullmatch(r"catalog: .*index\.html is not what .*\n", ended.stderr)
    assert catalog("index", "--check").returncode == 2


def test_a_clone_by_url_says_the_same(released: Path, tmp_path: Path, logs: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(released), str(bare))
    here, there = made(released, tmp_path / "here"), made(bare.as_uri(), tmp_path / "there")
    for name in ("index.html", "index.json"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    assert list(logs.iterdir()) == []


def test_a_clone_reads_its_own_history(released: Path, template: Path) -> None:
    own, no_clone = (
        subprocess.run(
            [sys.executable, "-I", folder / "catalog" / "__main__.py", "index", "--format", "json"],
            capture_output=True,
            check=False,
            text=True,
        )
        for folder in (released, template)
    )
    assert json.loads(own.stdout) == indexed(released)
    assert (no_clone.returncode, no_clone.stdout) == (1, "")
    assert no_clone.stderr == (
        "catalog: --template must say where the template is; neither the policy nor this program "
        "does\n"
    )


@pytest.mark.parametrize(
    "template", ["file:///nowhere/at-all", "--upload-pack=x", "ext::sh -c true"]
)
def test_what_cannot_be_cloned_is_a_line(template: str) -> None:
    ended = catalog("index", f"--template={template}")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch("catalog: the template cannot be cloned: .+\n", ended.stderr)


def test_without_a_version_it_says_so(empty: Path) -> None:
    ended = catalog("index", "--template", empty)
    assert ended.returncode == 0
    assert ended.stdout == "No version is released yet: the template has no tag such as 1.2.0.\n"
    assert indexed(empty) == {"latest": None, "versions": []}


def test_the_table_is_for_people(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    ended = catalog("index", "--template", released)
    assert ended.returncode == 0
    lines = [line.strip("│ ") for line in ended.stdout.splitlines()]
    cells = [[cell.strip() for cell in line.split("│")] for line in lines]
    assert [
        "1.0.0",
        "2026-05-04",
        "1.90.0",
        "The first one, with two lines.",
        "nothing earlier",
    ] in cells
    assert [line[0] for line in cells if line[0][:2] == "1."] == [
        f"{version}{' (prerelease)' * ('rc' in version)}" for version in list(DAYS)[::-1]
    ]
    assert "alert(2)" in ended.stdout
    assert not set(ended.stdout) & set("\x1b\u202e")


def test_the_pages_are_valid(made_page: Path, empty: Path, tmp_path: Path) -> None:
    need("java", "apt-get install default-jre-headless")
    empty_page = made(empty, tmp_path) / "index.html"
    assert "No version is released yet" in empty_page.read_text("utf-8")
    assert faults_of(made_page, empty_page) == ""


# What the page shows of a version: all of its tables, lists and headings, as text.
SHOWN = """id => {
    const text = each => each.textContent.replace(/\\s+/g, " ").trim();
    const section = document.getElementById(id);
    const all = selector => [...section.querySelectorAll(selector)];
    return {
        tables: all("table").map(
            table => [...table.tBodies[0].rows].map(row => [...row.cells].map(text))),
        changelog: text(section.querySelector(".changelog")),
        changes: all(".news > :last-child li").map(text),
        command: text(section.querySelector("pre")),
        locked: all("details").map(each => [...each.querySelectorAll("li")].map(text)),
    };
}"""


def test_the_page_says_what_the_index_says(released: Path, opened: Open) -> None:
    page = opened()
    rows = {row["version"]: row for row in indexed(released)["versions"]}
    overview = page.locator("tbody").first.locator("tr").all_inner_texts()
    assert [line.split()[0] for line in overview] == list(rows)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        row = rows[version]
        shown = page.evaluate(SHOWN, f"v{version}")
        questions, images, *crates = shown["tables"]
        assert questions == [
            [
                name,
                question["help"],
                question["default"],
                "".join(
                    label if label.startswith(choice) else f"{choice} {label}"
                    for choice, label in question["choices"].items()
                ),
                "".join(
                    f"{decides} is {answers if isinstance(answers, str) else ' or '.join(answers)}"
                    for decides, answers in question.get("asked_if", {}).items()
                )
                or "always",
            ]
            for name, question in row["questions"].items()
        ]
        assert images == [list(pair) for pair in row["images"].items()]
        for number, framework in enumerate(row["crates"].values()):
            direct = {name: ", ".join(each) for name, each in framework["direct"].items()}
            locked = {name: ", ".join(each) for name, each in framework["locked"].items()}
            assert crates[number] == [list(pair) for pair in direct.items()]
            assert shown["locked"][number] == [f"{name} {each}" for name, each in locked.items()]
        assert shown["command"] == f"copier update --trust --vcs-ref {row['tag']}"
        cells = page.locator(f'tr:has(a[href="#v{version}"])').first.inner_text()
        assert row["date"] in cells
        assert row["rust"] in cells

    now = rows["1.1.0"]
    web, memory = (now["crates"]["actix"]["direct"][name][0] for name in ("actix-web", "mimalloc"))
    shown = page.evaluate(SHOWN, "v1.1.0")
    assert shown["changes"] == [
        f"Rust: 1.90.0 to {now['rust']}",
        f"question port: default 9000 to {now['questions']['port']['default']}",
        "question owner: is new, default platform",
        "question team: is gone",
        "choice runtime=debian: is new",
        f"image alpine: alpine:3.20 to {now['images']['alpine']}",
        f"image debian: is new, {now['images']['debian']}",
        "image ubi: is gone",
        f"actix crate actix-web: 4.0.0 to {web}",
        f"actix crate mimalloc: is new, {memory}",
        "actix crate snmalloc: is gone",
        "actix: 2 other locked crates",
    ]
    assert shown["changelog"] == "Changelog Added Asks for metrics. Moved See Rust."
    link = page.locator('[id="v1.1.0"] .changelog a')
    assert link.get_attribute("href") == "https://rust-lang.org/x?a=1&b=2"
    in_short = "Asks for metrics. Rust, 4 questions, 3 images, 5 crates"
    assert " ".join(page.locator('tr:has(a[href="#v1.1.0"])').inner_text().split()).endswith(
        in_short
    )
    assert "has no `rust`" in page.locator('[id="v1.3.0"] .lack').inner_text()


def test_hostile_text_stays_text(opened: Open) -> None:
    page = opened()
    assert page.locator("script, img, iframe, object, form, style:not(head style)").count() == 0
    links = page.locator("a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert {re.match(r"#|https?://|.*", each)[0] for each in links} == {"#", "https://"}  # type: ignore[index]
    section = page.locator('[id="v1.4.0"]')
    assert page.locator("main > section").last.get_attribute("id") == "v1.0.0"
    text = section.text_content() or ""
    for shown in (
        "<script>alert(1)</script>",
        SCRIPT,
        "[click](javascript:alert(2))",
        "{{ 7 * 7 }}",
    ):
        assert shown in text
    assert "�gnp.exe �gnp.exe �" in text
    assert not set(page.content()) & set("\u202e\x07\x1b")
    headings = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(
        "all => all.map(each => +each.tagName[1])"
    )
    steps = {after - before for before, after in pairwise(headings)}
    assert headings[0] == 1
    assert max(steps) == 1


def test_the_page_needs_no_script(opened: Open) -> None:
    with_scripts = opened().locator("body").inner_text()
    page = opened(java_script_enabled=False)
    assert page.locator("body").inner_text() == with_scripts
    details = page.locator("details").first
    details.locator("summary").click()
    assert details.locator("li").first.is_visible()


def test_the_page_is_used_with_the_keyboard(opened: Open) -> None:
    page = opened()
    focus = """() => {
        const stops = [...document.querySelectorAll("a, summary, .scroll")];
        return stops.indexOf(document.activeElement);
    }"""
    reached = []
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the versions"
    assert page.locator(":focus").bounding_box()["y"] >= 0  # type: ignore[index]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    while (stop := page.evaluate(focus)) >= 0:
        assert stop not in reached
        reached.append(stop)
        page.keyboard.press("Tab")
    assert reached == list(range(page.locator("a, summary, .scroll").count()))

    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.locator("li").first.is_visible()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


@pytest.mark.parametrize("width", [320, 360, 390, 1280])
def test_the_page_fits_its_window(opened: Open, width: int) -> None:
    page = opened(viewport={"width": width, "height": 740})
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Columns stay readable; what does not fit is scrolled to.
    wide = page.locator(".scroll").first.evaluate("each => each.scrollWidth > each.clientWidth")
    assert wide == (width < 800)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_is_accessible(opened: Open, scheme: str, width: int) -> None:
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    page.locator("summary").first.click()
    found = Axe().run(page).response
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert "color-contrast" in {each["id"] for each in found["passes"]}


def test_a_search_opens_what_is_folded(chromium: Browser, made_page: Path) -> None:
    page = chromium.new_page()
    page.goto(f"{made_page.as_uri()}#:~:text=find%2Dmsvc%2Dtools")
    page.locator("details[open]").wait_for()
    page.close()
