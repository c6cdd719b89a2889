"""What a report of a move says, and that text of strangers does nothing in it."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

from catalog.move.causes import cause_id, cause_of
from catalog.move.findings import MOST_NAMED, Report, as_data, beyond, limit, made, of_waves
from catalog.move.outcome import Outcome
from catalog.move.plan import Plan, Service, Wave
from catalog.move.report import as_html, as_markdown
from maintenance.pictures import BROWSER, browser
from tests.conftest import need
from tests.pages import faults_of

HOST = "https://git.acme.example"


def service(name: str, folder: str = "", reason: str = "") -> Service:
    return Service(name, f"{HOST}/shop/{name}.git", folder, "1.0.0", reason=reason)


def planned(*waves: Sequence[Service], current: int = 0, left_out: Sequence[Service] = ()) -> Plan:
    named = [Wave(name, [*each]) for name, each in zip(("canary", "rest"), waves, strict=False)]
    return Plan(
        title="Move to 2.0.0", template=f"{HOST}/platform/rust-service.git", to="2.0.0",
        commit="c" * 40, branch="template/2.0.0", author="Jane <jane@example.com>",
        waves=named, current=current, left_out=[*left_out],
    )  # fmt: skip


def ended(service: Service, word: str, reason: str = "", **more: Any) -> Outcome:
    before = {"before": "1.0.0", "after": "2.0.0", **more}
    return Outcome(service.key, service.name, word, reason=reason, **before)


def reported(plan: Plan, *outcomes: Outcome, file: str = "move.yaml") -> Report:
    return made(plan, {each.service: each for each in outcomes}, file)


ONE, TWO, THREE, FOUR, FIVE, SIX = map(service, ("one", "two", "three", "four", "five", "six"))

# -------------------------------------------------------------------------------- the first line


def test_a_person_can_quote_the_first_line() -> None:
    plan = planned([ONE], [TWO, THREE, FOUR, FIVE, SIX], current=27, left_out=[service("old")])
    known = [
        ended(ONE, "proven"),
        ended(TWO, "merged"),
        ended(THREE, "current"),
        ended(FOUR, "conflict", "Dockerfile"),
        ended(SIX, "skipped"),
        ended(service("not-in-the-plan"), "failed"),
    ]
    line = as_markdown(reported(plan, *known)).splitlines()[0]
    assert line == (
        "rust-service 2.0.0: 30 of 33 services have it or a branch with it (28 had it, 2 branches)"
        ", 1 needs a person, 1 is not tried yet, 1 was skipped. The plan leaves out 1."
    )
    line = as_markdown(reported(planned([ONE]), ended(ONE, "merged"))).splitlines()[0]
    assert line == (
        "rust-service 2.0.0: 1 of 1 service has it or a branch with it (0 had it, 1 branch)."
    )


# ------------------------------------------------------------------------------------ the causes

SAME = [
    ("Dockerfile; nothing was built", "Dockerfile; nothing was built"),
    ("{folder}/Dockerfile is gone", "{folder}/Dockerfile is gone"),
    ("the remote did not answer within 60 s", "the remote did not answer within 61.5 s"),
    ("{name} ended with 101 after 2 min", "{name} ended with 101 after 13 min"),
    ("cannot read '{remote}/': error: 403", "cannot read '{remote}/': error: 403"),
    ("git@git.acme.example:shop/{name}: denied", "git@git.acme.example:shop/{name}: denied"),
    ("commit 3d3c42e is gone", "commit " + "0af" * 13 + "1 is gone"),
    ("/runner/_temp/x1/service is no folder", "/home/jane/move.run/work/{name} is no folder"),
    ("from 1.0.0-3-gabcdef1 to 2.0.0", "from v1.2 to 2.0.0+acme.1"),
    ("its crate {snake} has no lib", "its crate {snake} has no lib"),
    ("it is line 12", "it is line 7"),
    ("127.0.0.1:43123 refused", "127.0.0.1:9 refused"),
]
OTHER = [
    ("Dockerfile; nothing was built", "README.md; nothing was built"),
    ("cargo test ended with 101", "cargo test ended with 1"),
    ("error: 403", "error: 404"),
    ("is made from https://a.example/x", "is made from https://b.example/x"),
    ("the defaced branch", "the effaced branch"),
]


def caused(reason: str, name: str, word: str = "failed") -> str:
    of = service(name, f"services/{name}")
    facts = {"name": name, "snake": name.replace("-", "_"), "folder": of.folder}
    return cause_of(ended(of, word, reason.format(remote=of.remote, **facts)), of)


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_what_is_specific_to_a_service_is_no_cause(one: str, other: str) -> None:
    assert caused(one, "order-api") == caused(other, "stock-db")
    assert not re.search("order|stock|3d3c", caused(one, "order-api"))


@pytest.mark.parametrize(("one", "other"), OTHER, ids=str)
def test_another_cause_is_another_group(one: str, other: str) -> None:
    assert caused(one, "order-api") != caused(other, "order-api")
    assert caused(one, "order-api") != caused(one, "order-api", "refused")


def test_a_short_name_is_not_taken_out_of_words() -> None:
    of = Service("a", f"{HOST}/a", "a")
    assert cause_of(ended(of, "failed", "data/a/x has a flag"), of) == "failed: data/x has … flag"


def test_the_largest_group_comes_first_with_its_retry() -> None:
    plan = planned([ONE, TWO], [THREE, FOUR])
    report = reported(
        plan,
        ended(ONE, "conflict", "Dockerfile"),
        ended(TWO, "unreachable", "two did not answer within 60 s"),
        ended(THREE, "unreachable", "three did not answer within 61 s", before=""),
        ended(FOUR, "blocked"),
        file="next move.yaml",
    )
    assert [[each.name for each in group.services] for group in report.groups] == [
        ["two", "three"],
        ["four"],
        ["one"],
    ]
    silent, blocked, conflict = report.groups
    assert shlex.split(silent.retry) == [
        *("catalog", "update", "next move.yaml", "--only-failed"),
        *("--service", "two", "--service", "three"),
    ]
    assert silent.cause == "unreachable: … did not answer within … s"
    assert silent.services[1].version == THREE.since
    assert blocked.cause == "blocked"
    assert conflict.id == cause_id("conflict: Dockerfile")
    text = as_markdown(report)
    assert "### 2 services: `unreachable: … did not answer within … s`" in text
    assert "Such as `two`: `two did not answer within 60 s`" in text
    assert f"```sh\n{silent.retry}\n```" in text
    assert f"- `three` `1.0.0` `{THREE.remote}`" in text


def test_a_reason_that_all_share_is_said_as_it_is() -> None:
    report = reported(
        planned([ONE, TWO]),
        *(ended(each, "unreachable", "did not answer within 60 s") for each in (ONE, TWO)),
    )
    assert report.groups[0].cause == "unreachable: did not answer within 60 s"
    assert report.groups[0].id == cause_id("unreachable: did not answer within … s")


def test_a_retry_names_what_is_unique_and_the_group_if_it_is_large() -> None:
    double = [service("same", folder) for folder in ("a", "b")]
    report = reported(planned(double), *(ended(each, "failed") for each in double))
    assert report.groups[0].retry.endswith(
        f"--service '{HOST}/shop/same.git#a' --service '{HOST}/shop/same.git#b'"
    )
    many = [service(f"s{number}") for number in range(MOST_NAMED + 1)]
    for services, ending in (
        (many, f"--only-failed --cause {cause_id('failed')}"),
        (many[1:], f"--service s{MOST_NAMED}"),
    ):
        report = reported(planned(services), *(ended(each, "failed") for each in services))
        assert report.groups[0].retry.endswith(ending)


def test_a_word_of_a_later_version_needs_a_person() -> None:
    assert reported(planned([ONE]), ended(ONE, "postponed")).failed == 1


# ------------------------------------------------------------------------------- what was decided


def test_new_questions_waves_and_what_is_left_out_are_told() -> None:
    left_out = [
        service("gone", reason="gone cannot be read"),
        service("lost", reason="lost cannot be read"),
        service("other", reason="was made from another template"),
    ]
    report = reported(
        planned([ONE], [TWO, THREE], left_out=left_out),
        ended(ONE, "merged", defaults={"metrics": False, "team": ""}, seconds=3_600),
        ended(TWO, "proven", defaults={"metrics": False}, seconds=150.4),
        ended(THREE, "blocked", defaults={"metrics": False}),
    )
    text = as_markdown(report)
    assert "- `metrics`: `no`, in 2 services\n- `team`: `nothing`, in 1 service\n" in text
    assert "-d QUESTION=ANSWER" in text
    assert "- 2 services, `… cannot be read`: `gone`, `lost`\n- 1 service, `was made" in text
    assert "- `canary`, 1 service: 1 branch\n- `rest`, 2 services: 1 branch, 1 failed\n" in text
    assert "took 1 h 2 min." in text


def test_programs_get_all_of_it() -> None:
    plan = planned([ONE], [TWO], current=1)
    data = json.loads(json.dumps(as_data(reported(plan, ended(ONE, "failed", "it is broken")))))
    assert data["line"].startswith("rust-service 2.0.0: 1 of 3 services have it")
    assert data["groups"][0]["services"] == [
        {
            "name": "one",
            "remote": ONE.remote,
            "folder": "",
            "version": "1.0.0",
            "reason": "it is broken",
        }
    ]
    assert data["waves"][1] | {"untried": 1, "failed": 0} == data["waves"][1]


# -------------------------------------------------------------------------------------- the limit


@pytest.mark.parametrize(
    ("text", "number", "most"),
    [("5", 3, 5), ("0", 9, 0), ("10%", 200, 20), ("10%", 19, 1), ("0%", 9, 0), ("100%", 7, 7)],
)
def test_a_limit_is_a_number_or_a_share(text: str, number: int, most: int) -> None:
    assert limit(text, number) == most


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "101%", "ten", "5 ", "\u0665", "%", "1\n", "9" * 10]
)
def test_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number of services, or a share") as refused:
        limit(text, 10)
    assert "\n" not in str(refused.value)


def test_what_a_dead_job_has_not_tried_counts_against_the_limit() -> None:
    plan = planned([ONE, TWO, THREE], [FOUR], current=5)
    report = reported(of_waves(plan, ["canary"]), ended(ONE, "failed"), ended(TWO, "merged"))
    assert report.services == 3
    assert beyond(report, "2") == ""
    assert beyond(report, "34%") == (
        "canary: 1 of 3 services failed, 1 were not tried; --max-failed 34% allows 1"
    )


# ------------------------------------------------------------------------------------ hostile text

HOSTILE = [
    "[x](https://evil.example) ![y](https://evil.example/p.png) https://evil.example",
    "@acme/everyone #1 !2 $math$ |--| <script>alert(1)</script> &lt; **b** _i_ ~s~",
    "`` ` ``` [x](https://evil.example) `",
    "`",
    "```\n\n# Heading\n\n<img src=x>\n\n- list\n| a | b |\n|---|---|\n",
    "\u202egnp.exe\x1b[31m\x07\u2028[x](https://evil.example)",
    "\\` [x](https://evil.example)",
    "/close",
    "x" * 5_000,
]


def hostile(text: str) -> Report:
    """Return a report in which all that somebody else can name is a text."""
    bad, twin = (Service(text, f"{HOST}/{text}", folder) for folder in (text, "x"))
    out = replace(bad, reason=text)
    report = reported(
        replace(planned([bad], [twin, ONE], left_out=[out]), branch=text, template=text, to=text),
        *(ended(each, text, text, before=text) for each in (bad, twin)),
        ended(ONE, "merged", defaults={text: text}),
        file=text,
    )
    return replace(report, waves=[replace(report.waves[0], wave=text)])


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_strangers_is_code_of_markdown(text: str) -> None:
    markdown = as_markdown(hostile(text))
    assert not re.search("[\u202e\x1b\x07\u2028]", markdown)
    seen = []
    parser = MarkdownIt("gfm-like", {"linkify": False}).enable(["table", "strikethrough"])
    for token in parser.parse(markdown):
        assert token.type not in {"html_block", "table_open", "blockquote_open", "code_block"}
        if token.type == "fence":
            assert token.info == "sh"
            assert token.content.startswith("catalog update ")
        for part in token.children or []:
            assert part.type in {"text", "code_inline"}, part
            if part.type == "text":
                seen.append(part.content)
    # What is no code are words of ours.
    words = " ".join(seen)
    assert not re.search(r"evil|@|[<>|$*\[\]]|/close|xxx", words), words


class Read(HTMLParser):
    """A page as a browser reads it: its elements with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_strangers_is_text_of_the_page(text: str) -> None:
    page = as_html(hostile(text))
    assert not re.search("[\u202e\x1b\x07\u2028]", page)
    read = Read(page)
    used = {tag for tag, _ in read.elements}
    assert not used & {"script", "img", "iframe", "form", "object", "b", "i"}
    assert {each["href"] for tag, each in read.elements if tag in {"a", "link"}} == {
        "#report",
        "data:,",
    }
    assert not any(name.startswith("on") for _, each in read.elements for name in each)


def large() -> Report:
    """Return a report that has all that a page can show, and a group that is folded."""
    many = [service(f"s{number}") for number in range(MOST_NAMED + 2)]
    left_out = [service("old", reason="was made from another template")]
    return reported(
        planned([ONE, TWO], many, current=3, left_out=left_out),
        ended(ONE, "conflict", "Dockerfile"),
        ended(TWO, "merged", defaults={"metrics": False}, seconds=75),
        *(ended(each, "unreachable", f"{each.name} is gone") for each in many),
    )


def test_the_page_says_what_markdown_says() -> None:
    report = large()
    text = " ".join(Read(as_html(report)).text.split())
    for words in (
        as_data(report)["line"],
        *(group.retry for group in report.groups),
        *(each.reason for group in report.groups for each in group.services),
        "22 services: unreachable: … is gone",
        "metrics: no, in 1 service",
        "-d QUESTION=ANSWER answers otherwise.",
        "1 service, was made from another template: old",
        "canary, 2 services: 1 branch, 1 failed",
        "took 1 min 15 s",
    ):
        assert words in text, words


SCREENS: list[dict[str, Any]] = [
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "dark", "viewport": {"width": 360, "height": 800}},
]
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.mark.slow
def test_the_page_is_valid_and_accessible_and_asks_for_nothing(tmp_path: Path) -> None:
    need("java", "apt-get install default-jre-headless")
    need(BROWSER, f"apt-get install {BROWSER}")
    files = {tmp_path / "large.html": large(), tmp_path / "none.html": reported(planned([ONE]))}
    for file, report in files.items():
        file.write_text(as_html(report), "utf-8")
    assert faults_of(*files) == ""

    heard: list[str] = []
    file = tmp_path / "large.html"
    with browser() as chromium:
        for settings in SCREENS:
            page = chromium.new_context(**settings).new_page()
            page.on("request", lambda request: heard.append(request.url))
            page.on("console", lambda message: heard.append(message.text))
            page.goto(file.as_uri())
            page.locator("summary").click()
            assert page.evaluate(FITS)
            found = Axe().run(page).response
            assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert heard == [file.as_uri()] * 2


def test_no_password_is_shown() -> None:
    secret = Service("orders", "https://jane:hunter2@git.acme.example/orders", "")
    report = reported(
        planned([secret]), ended(secret, "unreachable", f"cannot read {secret.remote}: no")
    )
    assert "hunter2" not in as_markdown(report) + json.dumps(as_data(report)) + as_html(report)
