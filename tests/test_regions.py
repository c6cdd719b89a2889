"""Regions and folders of real source: what options choose, and marks that are wrong."""

import pytest

from extensions.regions import BEGIN, Identifier, chosen
from extensions.registry import frameworks
from extensions.sources import emitted_files, metrics_port, options

RUST = """\
fn main() {}

// template:begin fast
/// Only where it is fast.
fn fast() {
    // template:begin port=8080
    listen(8080);
    // template:end port
}

// template:end fast
fn last() {}
"""
ANSWERS = {
    "service_name": "x",
    "description": "y",
    "port": 1024,
    "runtime": "scratch",
    "profile": "size",
    "observability": [],
}
CRATE = [
    "src/lib.rs",
    "src/logs.rs",
    "src/logs/lines.rs",
    "src/metrics/port.rs",
    "src/spans/request.rs",
    "src/spans/traces/export.rs",
    "tests/metrics/scrape.rs",
]


def test_a_region_is_kept_with_its_values_and_without_marks() -> None:
    assert chosen(RUST, "a.rs", {"fast": True, "port": 9000}) == (
        "fn main() {}\n\n/// Only where it is fast.\nfn fast() {\n    listen(9000);\n}\n\n"
        "fn last() {}\n"
    )


def test_a_region_that_is_left_out_leaves_no_trace() -> None:
    assert chosen(RUST, "a.rs", {"fast": False, "port": 1}) == "fn main() {}\n\nfn last() {}\n"


def test_a_text_is_quoted_as_its_language_does() -> None:
    source = '# template:begin name="x"\nname = "x"\n# template:end name\n'
    assert chosen(source, "a.toml", {"name": 'a"b\\'}) == 'name = "a\\"b\\\\"\n'


def test_an_identifier_has_no_quotes() -> None:
    source = "// template:begin name=x\nx::run()\n// template:end name\n"
    assert chosen(source, "a.rs", {"name": Identifier("order_api")}) == "order_api::run()\n"


def test_a_file_of_no_language_is_as_it_is() -> None:
    assert chosen(RUST, "a.md", {}) == RUST


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("// template:begin slow\n// template:end slow\n", "a.rs:1: there is no option slow"),
        ("// template:begin fast\n", "a.rs: the region fast has no end"),
        ("\n// template:end fast\n", "a.rs:2: no region fast ends here"),
        (
            "// template:begin fast\n// template:begin port=1\n// template:end fast\n",
            "a.rs:3: no region fast ends here",
        ),
        (
            "// template:begin port=8080\nlisten(80);\n// template:end port\n",
            "a.rs:2: 8080 does not stand here for port",
        ),
    ],
)
def test_a_mark_that_is_wrong_is_named(source: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        chosen(source, "a.rs", {"fast": True, "port": 9000})


@pytest.mark.parametrize(
    ("told", "left_out"),
    [
        (["logs", "metrics", "traces"], []),
        (
            ["logs"],
            ["src/metrics/port.rs", "src/spans/traces/export.rs", "tests/metrics/scrape.rs"],
        ),
        (["traces"], ["src/logs/lines.rs", "src/metrics/port.rs", "tests/metrics/scrape.rs"]),
        ("[metrics]", ["src/logs/lines.rs", "src/spans/request.rs", "src/spans/traces/export.rs"]),
        # What is not known yet, or is refused, stands for nothing.
        *((nothing, CRATE[2:]) for nothing in ([], None, "[logs", ["events"], 1)),
    ],
    ids=str,
)
def test_a_folder_is_emitted_where_its_option_is_on(told: object, left_out: list[str]) -> None:
    assert emitted_files(CRATE, told) == [path for path in CRATE if path not in left_out]


@pytest.mark.parametrize(("own", "metrics"), [(8080, 9090), (9090, 9091), ("09090", 9091)])
def test_metrics_have_a_port_of_their_own(own: object, metrics: int) -> None:
    assert metrics_port(own) == metrics
    assert options({**ANSWERS, "port": own})["metrics_port"] == metrics


# What a framework does by itself, whatever the option says.
NEEDS_NO_REGION = {"rocket": {"unwind"}}  # it catches panics


@pytest.mark.parametrize("framework", frameworks())
def test_every_option_has_a_region(framework: str) -> None:
    crate = frameworks()[framework]
    sources = [(crate.folder / path).read_text("utf-8") for path in crate.files]
    marks = {
        line.partition(BEGIN)[2].partition("=")[0]
        for source in sources
        for line in source.splitlines()
        if BEGIN in line
    }
    assert marks == options(ANSWERS).keys() - NEEDS_NO_REGION.get(framework, set())
