"""What benchmarks/ computes and makes; never how long anything takes."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks import collector, fleet, observability, page, plots, variants
from benchmarks.__main__ import ADDRESS, main
from benchmarks.budgets import BUDGETS, report
from benchmarks.copies import larger, plain
from benchmarks.figures import Record, Sheet, find, rounded
from benchmarks.images import ANSWERS, BASE, compressed, megabytes
from benchmarks.parts import PEERS, USUAL
from benchmarks.plans import DEALT, READ, SHARED, WRITTEN
from benchmarks.results import Part, keep, load
from benchmarks.run_time import parse_load
from benchmarks.tables import tables
from benchmarks.variants import TRIED, Variant, changed, settings
from benchmarks.workshop import Workshop
from extensions.pins import ROOT
from extensions.registry import frameworks
from extensions.rules import OBSERVABILITY
from lab.containers import Docker
from lab.rendering import render_service
from lab.stand_ins import IMAGES
from lab.subjects import PROJECTS, Subject, peer
from maintenance.locks import locked

# -------------------------------------------------------------------------- what is computed

PRINTED = """\
Running 2s test @ http://127.0.0.1:8080/health
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.91ms   74.16us   3.36ms   92.25%
    Req/Sec    70.55k     1.17k   72.59k    70.00%
  Latency Distribution
     50%    0.89ms
     99%    {slowest}
  140384 requests in 2.00s, 15.80MB read
{more}Requests/sec:  70191.88
Transfer/sec:      7.90MB
"""


@pytest.mark.parametrize(
    ("slowest", "milliseconds"), [("1.17ms", 1.17), ("870.00us", 0.87), ("1.20s", 1200.0)]
)
def test_what_wrk_prints_is_read(slowest: str, milliseconds: float) -> None:
    rate, found = parse_load(PRINTED.format(slowest=slowest, more=""))
    assert rate == 70191.88
    assert found == pytest.approx(milliseconds)


@pytest.mark.parametrize("more", ["  Non-2xx or 3xx responses: 7\n", "  Socket errors: read 3\n"])
def test_a_load_that_was_not_answered_is_no_figure(more: str) -> None:
    with pytest.raises(ValueError, match=r"Non-2xx|Socket errors"):
        parse_load(PRINTED.format(slowest="1.17ms", more=more))


def record(*values: float, subject: str = "ours", group: str = "group") -> Record:
    return Record(group, subject, "start", "ms", values)


def test_a_ratio_is_that_of_the_pairs() -> None:
    # The machine is three times slower for the last two pairs; the medians alone would say 3.
    assert record(2, 6, 6).to(record(1, 3, 3)) == 2
    assert record(1, 2, 30).to(record(2, 4, 3)) == 0.5
    with pytest.raises(ValueError, match="shorter"):
        record(3, 4).to(record(1))


def test_a_record_shows_its_spread_in_digits_that_say_something() -> None:
    assert record(9, 1, 2, 3).spread == "1.00 / 2.50 / 9.00"
    assert record(9, 1, 2, 3).shown == "2.50 ms"
    found = [rounded(value) for value in (0.0, 1.054, 12.34, 160.7, 70191.88)]
    assert found == ["0", "1.05", "12.3", "161", "70\u202f192"]


def test_what_is_in_several_rounds_has_the_values_of_all() -> None:
    records = [record(number, group=f"group, round {number}") for number in (1, 2)]
    assert find(records, "group", "ours", "start") == record(1, 2)
    assert find(records, "group, round 2", "ours", "start") == records[1]
    assert find(records, "group", "ours", "stop") is None


# Figures with which every budget holds.
FIGURES = {
    "sizes / actix scratch size / image": 1.05,
    "sizes / rocket scratch size / image": 1.78,
    "images / ours / cold": 59,
    "images / docker init / cold": 100,
    "images / docker init, our service / cold": 58,
    "images / ours / an edit": 12,
    "images / docker init, our service / an edit": 13,
    "images / ours, LTO off / an edit": 3,
    "images / docker init / an edit": 10,
    "images / ours / an edit, mounts gone": 12,
    "template / ours / copy": 0.45,
    "template / plain / copy": 0.4,
} | {
    f"run time: {framework} / {subject} / {what}": value
    for framework in frameworks()
    for subject, rate in (("bare", 100), ("ours, size", 97), ("ours, speed", 97))
    for what, value in (("requests/s, 64 connections", rate), ("start", 3), ("idle memory", 3))
}
FIGURES |= {
    f"{group} / {subject} / {fleet.of(number)}": value
    for group, subject, *values in (
        ("status", fleet.LOOP, 900, 9_000),
        ("status", "catalog status", 9, 80),
        ("status", "catalog status, the second time", 0.5, 2),
        ("memory of status", "table", 50, 50),
        ("memory of status", "jsonl", 48, 51),
    )
    for number, value in zip((1_000, 10_000), values, strict=True)
}


def judged(
    figures: dict[str, float], capsys: pytest.CaptureFixture[str], *, full: bool = True
) -> tuple[bool, list[str]]:
    """Return whether the budgets hold, and the names that the last line says do not."""
    records = []
    for name, value in figures.items():
        group, subject, what = name.split(" / ")
        records.append(Record(group, subject, what, "", (value,)))
    held = report(records, full=full)
    last = capsys.readouterr().out.splitlines()[-1]
    count, _, missed = last.partition("; not: ")
    missing = missed.split("; ") if missed else []
    there = len([budget for budget in BUDGETS if full or not budget.full])
    assert count == f"{there - len(missing)} of {there} budgets hold"
    return held, missing


def test_budgets_that_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged(FIGURES, capsys) == (True, [])


@pytest.mark.parametrize(
    ("figure", "value", "missed"),
    [
        ("sizes / actix scratch size / image", 1.26, "Actix on scratch"),
        ("sizes / rocket scratch size / image", 2.31, "Rocket on scratch"),
        ("images / ours / cold", 61, "cold image build, to docker init's of the example"),
        (
            "images / docker init, our service / cold",
            53,
            "cold image build, to docker init's of our",
        ),
        ("images / ours / an edit", 13.1, "one-line edit, to docker init's of our service"),
        ("images / ours, LTO off / an edit", 4.1, "one-line edit without LTO"),
        ("images / ours / an edit, mounts gone", 20.1, "edit on a fresh runner"),
        (
            "run time: rocket / ours, speed / requests/s, 64 connections",
            94,
            "requests a second of r",
        ),
        ("run time: actix / ours, size / start", 20.1, "start to the first 200"),
        ("run time: rocket / ours, speed / idle memory", 4.1, "memory when idle"),
        ("template / ours / copy", 0.49, "copier copy"),
        ("status / catalog status / 1\u202f000 services", 15.1, "catalog status of 1\u202f000 s"),
        (
            "status / catalog status, the second time / 1\u202f000 services",
            0.91,
            "catalog status of 1\u202f000 services the second time",
        ),
        ("memory of status / jsonl / 1\u202f000 services", 64.1, "memory of a process of catalog"),
        ("memory of status / table / 10\u202f000 services", 56, "that memory, 10\u202f000"),
        ("status / catalog status / 10\u202f000 services", 90.1, "catalog status, 10\u202f000"),
    ],
)
def test_a_budget_that_is_missed_is_named(
    figure: str, value: float, missed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    held, (name,) = judged({**FIGURES, figure: value}, capsys)
    assert not held
    assert name.startswith(missed)


def test_a_figure_that_is_lacking_holds_no_budget(capsys: pytest.CaptureFixture[str]) -> None:
    assert judged({}, capsys) == (False, [budget.name for budget in BUDGETS])


def test_what_the_full_mode_alone_measures_is_no_budget_of_the_quick_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = {name: value for name, value in FIGURES.items() if "10\u202f000" not in name}
    assert judged(few, capsys, full=False) == (True, [])
    lacking = [budget.name for budget in BUDGETS if budget.full]
    assert judged(few, capsys) == (False, lacking)
    assert len(lacking) == 2


# -------------------------------------------------------------------------- what is built


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


def in_step(folder: Path) -> set[str]:
    """Return the names in a lock file, which must be in step; no crate is downloaded for it."""
    subprocess.run(["cargo", "update", "-qw", "--locked"], cwd=folder, check=True)
    return set(locked(folder / "Cargo.lock"))


def test_all_that_is_compiled_is_locked(
    workshop: Workshop, cargo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARGO_NET_OFFLINE")  # it asks for crates that no service has
    for project in PROJECTS.values():
        assert "app" in in_step(project)
    service = workshop.ours(USUAL)
    before = in_step(service.folder)
    service.add_dependency()
    assert in_step(service.folder) - before == {"hex"}


def test_a_variant_changes_the_sources_and_leaves_them_locked(
    workshop: Workshop, cargo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARGO_NET_OFFLINE")  # it asks for crates that no lock file here has
    shipped = workshop.ours(USUAL).folder
    before = in_step(shipped)
    main = (shipped / "src" / "main.rs").read_text()
    found = {}
    for variant in TRIED.values():
        if variant.cargo or variant.project or variant.runtime:
            service = changed(workshop, variant, USUAL)
            service.edit(1)
            found[variant.name] = in_step(service.folder)
    assert {"brotli", "cookie"} <= found["the example's features"] - before
    assert "icu_properties" in found["idna by ICU4X"] - before
    assert "actix-web" not in found["hyper alone"]
    with_malloc = (workshop.folder / f"{USUAL}-musl-s-malloc" / "src" / "main.rs").read_text()
    assert "ALLOCATOR" in main
    assert with_malloc == re.sub(r"/// musl's.*?\n\n", "", main, flags=re.DOTALL)


@pytest.mark.slow
def test_hyper_alone_compiles_with_what_is_ours(workshop: Workshop, cargo: Path) -> None:
    service = changed(workshop, TRIED["hyper alone"], USUAL)
    subprocess.run(["cargo", "check", "--quiet", "--locked"], cwd=service.folder, check=True)


def test_an_edit_is_one_line(workshop: Workshop, tmp_path: Path) -> None:
    service = workshop.ours(USUAL)
    example = peer("docker init", PROJECTS[USUAL], tmp_path / "example", IMAGES)
    for subject in (service, example):
        before = subject.source.read_text().splitlines()
        for number in (1, 2):
            assert subject.edit(number) == f"OK{number}"
            after = subject.source.read_text().splitlines()
            changed = [new for old, new in zip(before, after, strict=True) if old != new]
            assert len(changed) == 1
            assert f'"OK{number}"' in changed[0]


def test_a_cold_build_is_marked_in_its_first_stage(workshop: Workshop) -> None:
    marked = BASE.sub(r"\g<0>\nENV LAYERS=x", workshop.ours(USUAL).dockerfile, count=1)
    first, *others = marked.split("\nFROM ")[1:]
    assert first.splitlines()[0].endswith(" AS toolchain")
    assert first.splitlines()[1] == "ENV LAYERS=x"
    assert not any("LAYERS" in stage for stage in others)


def test_the_plain_template_emits_what_ours_does(workshop: Workshop, tmp_path: Path) -> None:
    times, emitted = 3, []
    without_python = plain(workshop.template, tmp_path / "plain")
    assert not list(without_python.rglob("*.py"))
    for name, source in (("ours", workshop.template), ("plain", without_python)):
        folder = tmp_path / f"made-{name}"
        large = larger(source, tmp_path / f"{name}-{times}", times)
        render_service(large, folder, service_name="order-apj", smoke="none")
        files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        answers = files.pop(Path(".copier-answers.yml"))
        assert "service_name: order-apj\n" in answers.read_text()
        emitted.append({name: path.read_bytes() for name, path in files.items()})
    ours, others = emitted
    assert ours.keys() == others.keys()
    assert [name for name in ours if ours[name] != others[name]] == []
    assert len(ours) > 9 * times


def test_a_peer_builds_on_bases_that_are_there(workshop: Workshop, tmp_path: Path) -> None:
    names = {**IMAGES, "cargo-chef": "chef"}
    service = workshop.ours(USUAL)
    for number, name in enumerate(name for names in PEERS.values() for name in names):
        subject = peer(name, service.folder, tmp_path / str(number), names)
        bases = BASE.findall(subject.dockerfile)
        assert set(bases) <= {*names.values(), "scratch"}
        assert bases[-1] in {IMAGES["alpine"], IMAGES["debian"], "scratch"}


def test_settings_are_tried_alone_and_left_out_one_at_a_time() -> None:
    found = {variant.name: variant.environment for variant in settings()}
    size, release = found["the size profile"], found["Cargo's release profile"]
    names = [name for name in size if name.startswith("CARGO_PROFILE_RELEASE_")]
    assert len(names) == 5
    for name in names:
        setting = name.removeprefix("CARGO_PROFILE_RELEASE_").lower().replace("_", "-")
        assert found.pop(f"{setting} alone") == {**release, name: size[name]}
        assert found.pop(f"all but {setting}") == {**size, name: release[name]}
    both = {name: size[name] for name in names if name.endswith(("_LTO", "_UNITS"))}
    assert found.pop("lto and codegen-units alone") == {**release, **both}
    assert found.keys() == {"the size profile", "Cargo's release profile"}


def test_each_answer_is_observed_as_a_service_of_its_own(workshop: Workshop) -> None:
    folders = set()
    for way in observability.WAYS:
        folder = workshop.ours(USUAL, observability=way.options).folder
        found = [each for each in OBSERVABILITY if (folder / "src" / each).exists()]
        assert found == [*way.options]
        folders.add(folder)
    assert len(folders) == len(OBSERVABILITY) + 2


def test_what_observed_services_are_told_is_what_they_read() -> None:
    sources = (ROOT / "frameworks" / "shared" / "src").rglob("*.rs")
    text = "".join(source.read_text() for source in sources)
    told = {name for way in observability.WAYS for name in observability.variables(way, 4318)}
    assert [name for name in (*told, "METRICS_PORT") if f'"{name}"' not in text] == []


def test_a_collector_counts_the_spans_of_each_service() -> None:
    with collector.collecting() as port:
        for name, batch in (("a", "url.path"), ("b", "url.path, url.path"), ("b", "url.path")):
            address = urlsplit(f"{collector.endpoint(port, name)}/v1/traces")
            with closing(HTTPConnection(address.netloc)) as connection:
                connection.request("POST", address.path, batch.encode())
                assert connection.getresponse().status == 200
        assert [collector.spans(port, name) for name in ("a", "b", "c")] == [1, 3, 0]


def test_what_is_compiled_otherwise_is_compiled_in_rounds(
    workshop: Workshop, docker: Docker, tmp_path: Path
) -> None:
    vars(workshop)["docker"] = docker  # as if it had found it
    ways = []
    for name in ("shipped", "a", "b", "c", "changed"):
        folder = tmp_path / name
        (folder / "src").mkdir(parents=True)
        manifest = '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2024"\n'
        (folder / "Cargo.toml").write_text(manifest)
        (folder / "Cargo.lock").write_text(
            'version = 4\n[[package]]\nname = "app"\nversion = "1.0.0"\n'
        )
        source = folder / "src" / "main.rs"
        source.write_text(f'fn main() {{\n    println!("{{}} {name}", "OK");\n}}\n')
        ways.append((Variant(name, {"lto": "off"}), Subject("ours", folder, "", source)))
    binaries = variants.measure(workshop, IMAGES["builder-musl"], "tried", ways, edits=1)
    records = workshop.sheet.take()
    assert {(each.group, each.subject, each.what): len(each.values) for each in records} == {
        (f"tried, round {number}", name, what): 1
        for number, names in ((1, ("shipped", "a", "b", "c")), (2, ("shipped", "changed")))
        for name in names
        for what in ("cold", "an edit", "binary")
    }
    said = {name: subprocess.check_output([file], text=True) for name, file in binaries.items()}
    assert said == {variant.name: f"OK1 {variant.name}\n" for variant, _ in ways}
    assert '"OK"' in source.read_text()


def test_an_image_is_weighed_without_its_base(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(1_000_000))
    (tmp_path / "noise").write_bytes(secrets.token_bytes(500_000))
    base = docker.build(tmp_path, dockerfile="FROM scratch\nCOPY zeros /\n").image
    image = docker.build(tmp_path, dockerfile="FROM scratch\nCOPY zeros /\nCOPY noise /\n").image
    try:
        assert megabytes(docker, image) == 1.5
        assert megabytes(docker, image, base) == 0.5
        assert 0.5 < compressed(docker, image, base) < 0.51
        assert 0 < compressed(docker, base) < 0.01
    finally:
        docker("image", "rm", "--force", base, image)


@pytest.mark.slow
def test_a_fleet_is_looked_at_and_moved(workshop: Workshop) -> None:
    few = fleet.Sizes(
        services=(6,), rounds=1, sample=1, updated=1, jobs=(1,), on_workers=1, workers=(1,),
        planned=70,
    )  # fmt: skip
    fleet.measure(workshop, few)
    records = workshop.sheet.take()
    assert {(each.group, each.subject): each.values[0] > 0 for each in records} == dict.fromkeys(
        [
            *(("memory of status", form) for form in ("table", "jsonl")),
            *(
                ("status", name)
                for name in (fleet.LOOP, fleet.ONE_PROCESS, fleet.COLD, fleet.AGAIN)
            ),
            *(("updates", name) for name in ("1 at a time", "Dask, 1 worker")),
            ("plans", "70 services"),
        ],
        True,
    )
    looked, memory, moved, plans = (
        [line.split(" | ") for line in shown.splitlines()] for shown in shown_in("fleet", *records)
    )
    assert [len(each) for each in looked] == [2] * 6
    assert looked[0][1] == "6 services, s |"
    assert looked[2][0] == f"| {fleet.LOOP}"
    # Of so few, none can be so much faster; that it is what the loop is divided by is what counts.
    assert all(re.fullmatch(r"(\S+ / ){2}\S+ \(\S+\) \|", line[1]) for line in looked[3:])
    assert 20 < float(memory[2][1].split()[0]) < 200
    assert [line[1] for line in moved[2:]] == ["1", "1"]
    heads = (DEALT, WRITTEN, "memory to write", READ, SHARED, "memory to read", "file")
    assert [head.partition(",")[0] for head in plans[0][1:]] == [*heads]


def test_two_do_not_measure_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # so that it cannot measure, come what may
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(ADDRESS)
        assert main([]) == 2
    said = capsys.readouterr()
    assert said.err == "bin/bench: another one is measuring on this machine; wait\n"
    assert said.out == ""


def test_one_that_is_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "docker").chmod(0o755)
    folder = tmp_path / "tmp"
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(folder), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-m", "benchmarks"], cwd=ROOT, env=environment) as bench:
        while not list(folder.iterdir()):
            assert bench.poll() is None
            time.sleep(0.05)
        bench.terminate()
        assert bench.wait() == 128 + signal.SIGTERM
    assert list(folder.iterdir()) == []


# -------------------------------------------------------------------------- what is written


def test_results_are_kept_a_part_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text("{}")
    sheet = Sheet()
    sheet.note("group", "ours", "start", 9.123456, "ms")
    sheet.note("group", "ours", "start", 1.5, "ms")
    records = sheet.take()
    assert sheet.take() == []
    for name, found in (("b", records), ("a", []), ("b", records * 2)):
        keep(name, found, "bases", file)
    parts = load(file)
    assert [*parts] == ["a", "b"]
    assert parts["b"]["records"] == [Record("group", "ours", "start", "ms", (9.1235, 1.5))] * 2
    assert parts["b"]["machine"].endswith("processors; bases")


def shown_in(part: str, *records: Record) -> list[str]:
    """Return the tables that show some records."""
    empty = Part(day="", machine="", records=[])
    _, *shown = tables({"budgets": empty, part: Part(day="", machine="", records=[*records])})
    return shown


def table(part: str, *records: Record) -> list[str]:
    """Return the lines of the one table that shows some records."""
    (shown,) = shown_in(part, *records)
    return shown.splitlines()


def test_builds_as_a_table() -> None:
    lines = table(
        "images-actix",
        *(
            Record("images: actix", name, what, unit, values)
            for name, seconds, answers in (("ours", 12.0, 1), ("peer", 24.0, 0))
            for what, unit, values in (
                ("an edit", "s", (seconds, seconds - 1, seconds + 9)),
                ("an edit, compiled", "crates", (1, 1, 1)),
                (ANSWERS, "", (answers,)),
            )
        ),
    )
    assert lines[:2] == ["| build | ours | peer |", "| --- | ---: | ---: |"]
    assert "| an edit | 12.0 s, 1 | 24.0 s, 1 |" in lines
    assert "| cold | - | - |" in lines
    assert "| the image starts and answers what the edit says | yes | **no** |" in lines


def test_what_was_tried_is_set_against_what_was_measured_in_turn_with_it() -> None:
    shipped, rate = "the size profile", "requests/s, 64 connections"
    lines = table(
        "tried",
        *(
            Record(f"tried, round {number}", name, what, unit, values)
            for number, name, seconds in (
                (1, shipped, (10.0, 10.0)),
                (1, "other", (9.0, 11.0)),
                (2, shipped, (20.0, 20.0)),
                (2, "third", (10.0, 10.0)),
            )
            for what, unit, values in (("binary", "MB", (1.05,)), ("an edit", "s", seconds))
        ),
        *(Record("tried", name, rate, "", (n,)) for name, n in ((shipped, 100.0), ("other", 90.0))),
    )
    assert lines[2:] == [
        "| the size profile | 1.05 MB | - | 15.0 s | 1.00 | - | - |",
        "| other | 1.05 MB | - | 10.0 s (1.00) | 0.90 | - | - |",
        "| third | 1.05 MB | - | 10.0 s (0.50) | - | - | - |",
    ]


def test_what_is_observed_is_set_against_none() -> None:
    rate, slowest = "requests/s, 64 connections", "p99, 64 connections"
    lines = table(
        "observability",
        *(
            Record("observability: actix", name, what, unit, (value,))
            for name, what, unit, value in (
                ("none", "binary", "MB", 1.05),
                ("traces", "binary", "MB", 1.5),
                ("none", rate, "", 200),
                ("traces", rate, "", 150),
                ("none", slowest, "ms", 0.5),
                ("traces", slowest, "ms", 1),
                ("none", "idle memory", "MB", 1.5),
                ("traces", "idle memory", "MB", 1.4),
                ("traces", observability.TAKEN, "%", 99.9),
            )
        ),
    )
    assert lines[0].startswith("| framework | observability | binary | requests/s | p99, ms | idle")
    assert lines[2:] == [
        "| actix | none | 1.05 MB | 200 / 200 / 200 | 0.50 / 0.50 / 0.50 | 1.50 MB | - | - |",
        "| actix | traces | 1.50 MB (+0.45) | 150 / 150 / 150 (0.75) | 1.00 / 1.00 / 1.00 (2.00)"
        " | 1.40 MB (\N{MINUS SIGN}0.10) | - | 99.9 % |",
    ]


def test_the_page_is_what_the_results_say() -> None:
    written = page.PAGE.read_text()
    assert page.filled(written, load()) == written
    with pytest.raises(ValueError, match="zip"):
        page.filled(written.replace("\n\n| seconds |", "\n\nseconds |"), load())


def test_the_pictures_are_what_the_results_say() -> None:
    drawn = plots.draw(load())
    for name, picture in drawn.items():
        assert labels((page.PICTURES / name).read_bytes()) == labels(picture)
    linked = re.findall(r"\(images/(\S+)\)", page.PAGE.read_text())
    assert sorted(linked) == sorted(drawn)


def labels(picture: bytes) -> list[str]:
    """Return the labels of a picture: the rest may differ with the version of a library."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.decode())
