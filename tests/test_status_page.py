"""Where services stand, as a page in a real browser and as a table in a terminal."""

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page
from rich.console import Console

from catalog.fleet.look import STATES, Row, Seen
from catalog.fleet.page import MEANINGS, page
from catalog.fleet.status import Ordered, summary
from catalog.fleet.terminal import COLOURS, PIECE, tables
from maintenance.pictures import BROWSER, browser
from tests.conftest import need
from tests.pages import faults_of

TRACKER = "https://tracker.example"
HOSTILE = (
    f'</td><script>alert(1)</script><img src="{TRACKER}/1.png" onerror="alert(2)"> '
    "{{ 7 * 7 }} \u202egnp.exe \x1b[31m \ud800 " + "0" * 3000
)


def rows() -> list[Row]:
    """Return a row in each state; in one, all text is hostile."""
    found = [
        Row(f"/srv/{state}", state, f"{state}-api", "shop", "1.0.0", 2, "actix", "scratch")
        for state in STATES
    ]
    found[STATES.index("broken")].reason = "has no commit"
    edited = found[STATES.index("edited")]
    edited.seen = Seen(edited=["Dockerfile", "src/routes.rs"], images=["alpine:3.24"])
    hostile = found[STATES.index("conflict")]
    for name, value in vars(hostile).items():
        if isinstance(value, str) and name != "state":
            setattr(hostile, name, HOSTILE)
    hostile.violations, hostile.ended = [HOSTILE], [HOSTILE]
    hostile.seen.stale = {HOSTILE: HOSTILE}
    for name in ("images", "conflicts", "edited", "missing", "modes"):
        setattr(hostile.seen, name, [HOSTILE, "x"])
    hostile.url = "https://jane:secret@git.example"
    return found


@pytest.mark.slow
def test_the_page_holds_in_a_browser(tmp_path: Path) -> None:
    need(BROWSER, f"apt-get install {BROWSER}")
    need("java", "apt-get install default-jre-headless")
    file, empty = tmp_path / "status.html", tmp_path / "empty.html"
    file.write_text("".join(page(Ordered(rows()))), "utf-8")
    empty.write_text("".join(page(Ordered([]))), "utf-8")
    assert faults_of(file, empty) == ""
    assert "no services" in empty.read_text("utf-8")
    assert "secret" not in file.read_text("utf-8")
    with browser() as chromium:
        _holds(chromium, file, 360, "dark")
        _holds(chromium, file, 1280, "light")


def _holds(chromium: Browser, file: Path, width: int, scheme: Any) -> None:
    heard: list[str] = []
    size: Any = {"width": width, "height": 800}
    opened = chromium.new_context(viewport=size, color_scheme=scheme).new_page()
    opened.on("request", lambda request: heard.append(request.url))
    opened.on("console", lambda message: heard.append(message.text))
    opened.on("dialog", lambda dialog: heard.append(dialog.message))
    opened.goto(file.as_uri())
    _says_what_it_should(opened)
    _is_used_with_the_keyboard(opened)
    opened.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(opened).response
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert "color-contrast" in {each["id"] for each in found["passes"]}
    assert heard == [file.as_uri()]


def _says_what_it_should(opened: Page) -> None:
    # What needs a person most comes first, and each state says what it means.
    assert opened.locator("h2").evaluate_all("all => all.map(each => each.id)") == [*STATES]
    for state in STATES:
        section = opened.locator(f"section:has(#{state})")
        assert MEANINGS[state] in (section.text_content() or "")
        assert section.locator("tbody tr").count() == 1
    header = opened.locator("header").inner_text()
    assert "9 services: 1 broken, 1 conflict," in header
    assert "6 of them need a person." in header
    edited = opened.locator("section:has(#edited) tbody tr")
    assert "2 edited" in edited.inner_text()
    assert "src/routes.rs" in (edited.locator("details").text_content() or "")
    assert "has no commit" in opened.locator("section:has(#broken) tbody tr").inner_text()
    # Hostile text stays text.
    assert opened.locator("script, img, iframe, form, style:not(head style)").count() == 0
    text = opened.locator("section:has(#conflict)").text_content() or ""
    assert "</td><script>alert(1)</script>" in text
    assert "{{ 7 * 7 }} \ufffdgnp.exe \ufffd[31m \ufffd" in text
    links = opened.locator("a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
    assert {each[0] for each in links} == {"#"}
    levels = opened.locator("h1, h2, h3").evaluate_all("all => all.map(each => +each.tagName[1])")
    assert max(after - before for before, after in pairwise(levels)) == 1


def _is_used_with_the_keyboard(opened: Page) -> None:
    opened.keyboard.press("Tab")
    assert opened.locator(":focus").inner_text() == "Skip to the services"
    stops = opened.locator("a, summary, .scroll").count()
    focus = """() => [...document.querySelectorAll("a, summary, .scroll")]
        .indexOf(document.activeElement)"""
    reached = []
    while (stop := opened.evaluate(focus)) >= 0 and stop not in reached:
        reached.append(stop)
        opened.keyboard.press("Tab")
    assert reached == list(range(stops))
    image = opened.locator("section:has(#edited)").get_by_text("alpine:3.24")
    assert not image.is_visible()
    opened.locator("section:has(#edited) summary").focus()
    opened.keyboard.press("Enter")
    assert image.is_visible()


@pytest.mark.parametrize("width", [80, 200])
def test_a_terminal_gets_one_table_however_many_rows(width: int) -> None:
    many = [
        Row(f"/srv/services/of/many/teams/{number:04}", "behind", version="1.0.0", behind=1)
        for number in range(2 * PIECE + 1)
    ]
    many[3].reason = "because of many words that do not fit into a line of a terminal " * 2
    console = Console(width=width, file=io.StringIO(), color_system=None)
    for piece in tables(Ordered(many), width):
        console.print(piece)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert [line for line in lines if "framework" in line] == [lines[0]]
    state = lines[0].index("state")
    assert sum(line[state:].startswith("behind") for line in lines[1:]) == len(many)
    # Nothing is cut off.
    assert "".join(lines).count("terminal") == 2
    assert set(COLOURS) == set(STATES)


def test_rows_are_in_the_order_of_need_whatever_order_they_come_in() -> None:
    made = [Row("b", "edited"), Row("c", "behind", behind=1), Row("a", "behind", behind=1)]
    made += [Row("d", "behind", behind=3), Row("\udcff", "broken"), Row("e", "current")]
    for each in (made, made[::-1]):
        ordered = Ordered(each)
        assert [row["place"] for row in ordered.rows()] == ["\udcff", "d", "a", "c", "b", "e"]
        assert [row["place"] for row in ordered.rows("behind")] == ["d", "a", "c"]
        assert ordered.findings == 4
        assert summary(ordered.counts) == "6 services: 1 broken, 3 behind, 1 edited, 1 current"
