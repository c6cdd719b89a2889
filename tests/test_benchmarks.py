"""What benchmarks/ computes and makes; never how long anything takes."""

import re
import secrets
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import page, plots, tables
from benchmarks.__main__ import NotAlone, alone, main, report
from benchmarks.alternatives import TRIED, smallest
from benchmarks.budgets import (
    BARE,
    BUDGETS,
    OURS,
    OURS_WITHOUT_LTO,
    PEER,
    PEER_ON_OURS,
    Verdict,
    judge,
)
from benchmarks.budgets import IMAGES as BUILDS
from benchmarks.figures import Record, ratio, rounded
from benchmarks.full import PEERS
from benchmarks.images import ANSWERS, BASE
from benchmarks.results import keep, load
from benchmarks.results import measured as measured_here
from benchmarks.run_time import parse_load
from benchmarks.sizes import compressed, megabytes
from benchmarks.template_cost import larger, plain
from benchmarks.variants import (
    LTO_AND_ONE_UNIT,
    RELEASE,
    SETTINGS,
    STRIP,
    WHOLE,
    Compiler,
    Variant,
)
from lab.containers import Docker
from lab.rendering import render_service
from lab.stand_ins import IMAGES
from lab.subjects import FOLDER, Subject, ours, peer
from maintenance.locks import locked

PRINTED = """\
Running 2s test @ http://127.0.0.1:8080/health
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.91ms   74.16us   3.36ms   92.25%
    Req/Sec    70.55k     1.17k   72.59k    70.00%
  Latency Distribution
     50%    0.89ms
     75%    0.93ms
     90%    0.98ms
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


@pytest.mark.parametrize(
    "more",
    ["  Non-2xx or 3xx responses: 7\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"],
)
def test_a_load_that_was_not_answered_is_no_figure(more: str) -> None:
    with pytest.raises(ValueError, match=r"Non-2xx|Socket errors"):
        parse_load(PRINTED.format(slowest="1.17ms", more=more))


def test_a_ratio_is_that_of_the_pairs() -> None:
    # The machine is three times slower for the last two pairs; the medians alone would say 3.
    assert ratio([2, 6, 6], [1, 3, 3]) == 2
    assert ratio([1, 2, 30], [2, 4, 3]) == 0.5
    assert ratio([3], [1, 2, 6]) == 1.5


@pytest.mark.parametrize(("ours", "peers"), [([], [1]), ([1], []), ([1], [0])])
def test_a_ratio_to_nothing_is_an_error(ours: list[float], peers: list[float]) -> None:
    with pytest.raises(ValueError, match="needs figures on both sides"):
        ratio(ours, peers)


def test_a_record_shows_its_spread() -> None:
    record = Record("group", "ours", "start", "ms", (9.0, 1.0, 2.0, 3.0))
    assert record.median == 2.5
    assert record.spread == "1.00 / 2.50 / 9.00"
    assert str(record) == "group: ours: start: 1.00 / 2.50 / 9.00 ms"
    assert replace(record, values=(2.0,)).spread == "2.00"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.054, "1.05"), (12.34, "12.3"), (160.7, "161"), (70191.88, "70\u202f192")],
)
def test_digits_that_say_something(value: float, text: str) -> None:
    assert rounded(value) == text


def measured(**changes: float) -> list[Record]:
    """Return figures with which every budget holds, but for those that are given."""
    figures = {
        "sizes / actix scratch size / image": 1.05,
        "sizes / rocket scratch size / image": 1.78,
        f"{BUILDS} / {OURS} / cold": 59,
        f"{BUILDS} / {PEER} / cold": 100,
        f"{BUILDS} / {PEER_ON_OURS} / cold": 58,
        f"{BUILDS} / {OURS} / an edit": 12,
        f"{BUILDS} / {PEER_ON_OURS} / an edit": 13,
        f"{BUILDS} / {OURS_WITHOUT_LTO} / an edit": 5,
        f"{BUILDS} / {PEER} / an edit": 10,
        f"{BUILDS} / {OURS} / an edit, mounts gone": 12,
        "template / ours / copy": 0.5,
        "template / plain / copy": 0.4,
    }
    for framework in ("actix", "rocket"):
        group = f"run time: {framework}"
        figures[f"{group} / {OURS}, speed / requests/s, 64 connections"] = 97
        figures[f"{group} / {BARE} / requests/s, 64 connections"] = 100
        for profile in ("size", "speed"):
            figures[f"{group} / {OURS}, {profile} / start"] = 3
            figures[f"{group} / {OURS}, {profile} / idle memory"] = 3
    assert changes.keys() <= figures.keys()
    records = []
    for name, value in {**figures, **changes}.items():
        group, subject, what = name.split(" / ")
        records.append(Record(group, subject, what, "", (value,)))
    return records


def test_budgets_that_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(measured()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(BUDGETS) + 1
    assert all(line.startswith("holds ") for line in lines[:-1])
    assert lines[-1] == f"{len(BUDGETS)} of {len(BUDGETS)} budgets hold"


@pytest.mark.parametrize(
    ("name", "value", "missed"),
    [
        ("sizes / actix scratch size / image", 1.26, "Actix on scratch"),
        ("sizes / rocket scratch size / image", 2.31, "Rocket on scratch"),
        (f"{BUILDS} / {OURS} / cold", 61, "cold image build, to docker init's of the example"),
        (
            f"{BUILDS} / {PEER_ON_OURS} / cold",
            53,
            "cold image build, to docker init's of our service",
        ),
        (
            f"{BUILDS} / {OURS} / an edit",
            13.1,
            "one-line edit, to docker init's of our service with its warm mount",
        ),
        (
            f"{BUILDS} / {OURS_WITHOUT_LTO} / an edit",
            10.1,
            "one-line edit without LTO, to docker init's of the example, which has none",
        ),
        (
            f"{BUILDS} / {OURS} / an edit, mounts gone",
            20.1,
            "edit on a fresh runner, docker init's to ours",
        ),
        (
            f"run time: rocket / {OURS}, speed / requests/s, 64 connections",
            94,
            "requests a second of rocket, to the bare framework on glibc",
        ),
        (f"run time: actix / {OURS}, size / start", 20.1, "start to the first 200"),
        (f"run time: rocket / {OURS}, speed / idle memory", 4.1, "memory when idle"),
        ("template / ours / copy", 0.61, "copier copy, to a template without Python"),
    ],
)
def test_a_budget_that_is_missed_is_named(
    name: str, value: float, missed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(measured(**{name: value})) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.startswith("MISSED") for line in lines].count(True) == 1
    assert last == f"{len(BUDGETS) - 1} of {len(BUDGETS)} budgets hold; not: {missed}"


def test_a_figure_that_is_lacking_holds_no_budget(capsys: pytest.CaptureFixture[str]) -> None:
    for budget in BUDGETS:
        assert not Verdict(budget, None).held
    assert [verdict.value for verdict in judge([])] == [None] * len(BUDGETS)
    assert report([]) == 1
    assert "NOT MEASURED" in capsys.readouterr().out


def test_without_its_mounts_the_peer_is_cold(capsys: pytest.CaptureFixture[str]) -> None:
    of_its_own = Record(BUILDS, PEER, "an edit, mounts gone", "s", (24,))
    assert report([*measured(), of_its_own]) == 1  # 24 / 12, where a cold build was 100 / 12
    assert "docker init's to ours: 2.00 (at least 5)" in capsys.readouterr().out


# -------------------------------------------------------------------------- what is built


PROJECTS = [FOLDER / "projects" / name for name in ("example", "rocket", "hyper")]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_project_is_locked(project: Path, cargo: Path) -> None:
    assert "app" in _locked(project)


def test_an_edit_is_one_line(template: Path, tmp_path: Path) -> None:
    service = ours(template, tmp_path / "ours")
    example = peer("docker init", PROJECTS[0], tmp_path / "example", IMAGES)
    same = peer("docker init", service.folder, tmp_path / "same", IMAGES)
    for subject in (service, example, same):
        before = subject.source.read_text().splitlines()
        for number in (1, 2):
            assert subject.edit(number) == f"OK{number}"
            after = subject.source.read_text().splitlines()
            changed = [new for old, new in zip(before, after, strict=True) if old != new]
            assert len(changed) == 1
            assert f'"OK{number}"' in changed[0]
    assert "{" not in same.dockerfile.replace("${UID}", "")
    assert same.dockerfile.count(IMAGES["builder-musl"]) == 1


def test_a_cold_build_is_marked_in_its_first_stage(template: Path, tmp_path: Path) -> None:
    service = ours(template, tmp_path / "ours")
    marked = BASE.sub(r"\g<0>\nENV LAYERS=x", service.dockerfile, count=1)
    first, second = marked.split("\nFROM ", 2)[1:]
    assert first.splitlines()[0].endswith(" AS builder")
    assert first.splitlines()[1] == "ENV LAYERS=x"
    assert "LAYERS" not in second


@pytest.fixture(scope="module")
def pair(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return our template without a past, and the plain one that is as large."""
    return template, plain(template, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("times", [1, 3])
def test_the_plain_template_emits_what_ours_does(
    times: int, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    emitted = []
    for number, source in enumerate(pair):
        folder = tmp_path / f"made-{number}"
        large = larger(source, tmp_path / f"source-{number}", times)
        render_service(large, folder, service_name="order-apj", smoke="none")
        files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        answers = files.pop(Path(".copier-answers.yml"))
        assert "service_name: order-apj\n" in answers.read_text()
        emitted.append({name: path.read_bytes() for name, path in files.items()})
    assert emitted[0].keys() == emitted[1].keys()
    assert [name for name in emitted[0] if emitted[0][name] != emitted[1][name]] == []
    assert len(emitted[0]) > 9 * times
    (python,) = (list(source.rglob("*.py")) for source in pair[1:])
    assert python == []


@pytest.mark.parametrize("peer_name", sorted({name for names in PEERS.values() for name in names}))
def test_a_peer_builds_on_bases_that_are_there(
    peer_name: str, template: Path, tmp_path: Path
) -> None:
    names = {**IMAGES, "cargo-chef": "chef"}
    service = ours(template, tmp_path / "ours")
    subject = peer(peer_name, service.folder, tmp_path / "peer", names)
    bases = BASE.findall(subject.dockerfile)
    assert set(bases) <= {*names.values(), "chef", "scratch"}
    assert bases[-1] in {IMAGES["alpine"], IMAGES["debian"], "scratch"}


def test_one_dependency_more_is_locked(template: Path, tmp_path: Path, cargo: Path) -> None:
    service = ours(template, tmp_path / "ours")
    before = _locked(service.folder)
    service.add_dependency()
    assert _locked(service.folder) - before == {"hex"}


def _locked(folder: Path) -> set[str]:
    """Return the names in a lock file, which must be in step; no crate is downloaded for it."""
    in_step = ["cargo", "update", "--quiet", "--workspace", "--locked"]
    subprocess.run(in_step, cwd=folder, check=True)
    return set(locked(folder / "Cargo.lock"))


@pytest.mark.parametrize("variant", [v for v in TRIED if v.change], ids=lambda v: v.name)
def test_a_change_of_the_sources_leaves_them_locked_and_sound(
    variant: Variant, template: Path, tmp_path: Path, cargo: Path
) -> None:
    service = ours(template, tmp_path / "ours")
    assert variant.change
    variant.change(service.folder)
    service.edit(1)
    assert _locked(service.folder)
    for source in (service.folder / "src").glob("*.rs"):
        subprocess.run(["rustfmt", "--check", "--edition=2024", source], check=True)


def test_hyper_alone_is_sound(template: Path, tmp_path: Path, cargo: Path) -> None:
    service = ours(template, tmp_path / "ours")
    smallest(service.folder)
    command = ["cargo", "clippy", "--quiet", "--locked", "--", "--deny=warnings"]
    subprocess.run(command, cwd=service.folder, check=True)


def test_settings_are_tried_alone_and_left_out_one_at_a_time() -> None:
    found = {variant.name: variant.environment for variant in SETTINGS}
    size, release = found["the size profile"], found["Cargo's release profile"]
    settings = [name for name in size if name.startswith("CARGO_PROFILE_RELEASE_")]
    assert len(settings) == 5
    for name in settings:
        setting = name.removeprefix("CARGO_PROFILE_RELEASE_").lower().replace("_", "-")
        assert found[f"{setting} alone"] == {**release, name: size[name]}
        assert found[f"all but {setting}"] == {**size, name: release[name]}
    assert found["lto and codegen-units alone"] == {
        **release,
        **{name: size[name] for name in settings if name.endswith(("_LTO", "_UNITS"))},
    }
    assert len(SETTINGS) == 13


def test_what_is_compiled_otherwise_is_compiled_in_rounds(docker: Docker, tmp_path: Path) -> None:
    folder = tmp_path / "service"
    (folder / "src").mkdir(parents=True)
    manifest = '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2024"\n'
    (folder / "Cargo.toml").write_text(manifest)
    source = folder / "src" / "main.rs"
    source.write_text('fn main() {\n    println!("{} as it is", "OK");\n}\n')
    subprocess.run(["cargo", "generate-lockfile", "--quiet"], cwd=folder, check=True)

    def change(folder: Path) -> None:
        main = folder / "src" / "main.rs"
        main.write_text(main.read_text().replace("as it is", "otherwise"))

    variants = [Variant(name, {"lto": "off"}) for name in ("shipped", "a", "b", "c")]
    variants.append(Variant("changed", {"lto": "off"}, change=change))
    compiler = Compiler(docker, IMAGES["builder-musl"], tmp_path / "compiled")
    subject = Subject("ours", folder, "", source)
    records, binaries = compiler.measure("tried", subject, variants, edits=2)
    rounds = {(record.group, record.subject) for record in records}
    assert rounds == {
        *(("tried, round 1", name) for name in ("shipped", "a", "b", "c")),
        *(("tried, round 2", name) for name in ("shipped", "changed")),
    }
    counts = {record.what: len(record.values) for record in records}
    assert counts == {"binary": 1, "cold": 1, "an edit": 2}
    said = {name: subprocess.check_output([file], text=True) for name, file in binaries.items()}
    assert said == {
        **dict.fromkeys(("shipped", "a", "b", "c"), "OK2 as it is\n"),
        "changed": "OK2 otherwise\n",
    }
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


def test_two_do_not_measure_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with alone():
        with pytest.raises(NotAlone), alone():
            pass
        assert main([]) == 2
    said = capsys.readouterr()
    assert said.err == ("bin/bench: another bin/bench is measuring on this machine; wait for it\n")
    assert said.out == ""
    with alone():
        pass


# -------------------------------------------------------------------------- what is written


def test_results_are_kept_a_part_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert load(file) == {}
    record = Record("group", "ours", "start", "ms", (9.0, 1.5))
    for name, records in (("b", [record]), ("a", []), ("b", [record, record])):
        keep(measured_here(name, records, "bases"), file)
    parts = load(file)
    assert [*parts] == ["a", "b"]
    assert parts["b"].records == (record, record)
    assert parts["b"].machine.endswith("processors; bases")


def test_builds_as_a_table() -> None:
    found = [
        Record("images: actix", name, what, "", values)
        for name, seconds, answers in (("ours", 12.0, 1), ("peer", 24.0, 0))
        for what, values in (
            ("an edit", (seconds, seconds - 1, seconds + 9)),
            ("an edit, compiled", (1, 1, 1)),
            (ANSWERS, (answers,)),
        )
    ]
    lines = tables.builds(found, "images: actix").splitlines()
    assert lines[0] == "| build | ours | peer |"
    assert lines[1] == "| --- | ---: | ---: |"
    assert "| an edit | 12.0 s, 1 | 24.0 s, 1 |" in lines
    assert "| cold | - | - |" in lines
    assert "| the image starts and answers what the edit says | yes | **no** |" in lines


def test_settings_as_a_table() -> None:
    found = [
        Record(f"settings: actix, round {number}", name, what, "", (value,))
        for number, name, size, seconds in (
            (1, "Cargo's release profile", 4.0, 60.0),
            (1, "strip alone", 2.12, 30.0),
            (2, "Cargo's release profile", 4.0, 70.0),
            (2, "panic alone", 3.0, 77.0),
        )
        for what, value in (("binary", size), ("cold", seconds))
    ]
    assert tables.settings(found).splitlines()[2:] == [
        "| Cargo's release profile | 4.00 MB | - | 65.0 s |",
        "| strip alone | 2.12 MB | \N{MINUS SIGN}47% | 30.0 s (0.50) |",
        "| panic alone | 3.00 MB | \N{MINUS SIGN}25% | 77.0 s (1.10) |",
    ]


def test_claims_beside_what_was_found() -> None:
    found = [
        Record("settings: rocket, round 1", variant.name, what, "", (value,))
        for variant, *values in ((RELEASE, 4.0, 60.0), (STRIP, 2.0, 60.0),
                                 (LTO_AND_ONE_UNIT, 3.0, 150.0), (WHOLE, 1.0, 90.0))
        for what, value in zip(("binary", "cold"), values, strict=True)
    ]  # fmt: skip
    assert tables.claims(found).splitlines()[2:] == [
        "| stripping | 47% smaller | 50% smaller |",
        "| LTO and one codegen unit | 20 to 40% smaller | 25% smaller |",
        "| LTO and one codegen unit | 2 to 3 times the seconds | 2.5 times the seconds |",
        "| all five settings | up to 60% smaller | 75% smaller |",
    ]


def test_running_services_as_a_table() -> None:
    found = [
        Record("run time: actix", "bare", "start", "ms", (2.0, 4.0, 3.0)),
        Record("run time: actix", "ours, size", "start", "ms", (1.0, 2.0, 1.5)),
    ]
    assert tables.spreads(found, "run time: actix", "bare").splitlines()[2:] == [
        "| start, ms | 2.00 / 3.00 / 4.00 | 1.00 / 1.50 / 2.00 (0.50) |"
    ]


def test_alternatives_as_a_table() -> None:
    found = [
        Record(group, name, what, unit, values)
        for group, name, seconds in (
            ("tried, round 1", "shipped", (10.0, 10.0)),
            ("tried, round 1", "other", (9.0, 11.0)),
            ("tried, round 2", "shipped", (20.0, 20.0)),
            ("tried, round 2", "third", (10.0, 10.0)),
        )
        for what, unit, values in (("binary", "MB", (1.05,)), ("an edit", "s", seconds))
    ]
    found += [
        Record("tried", name, "requests/s, 64 connections", "", (rate, rate))
        for name, rate in (("shipped", 100.0), ("other", 90.0))
    ]
    assert tables.tried(found, "tried", "shipped").splitlines() == [
        "|  | binary | an edit | requests/s, to shipped |",
        "| --- | ---: | ---: | ---: |",
        "| shipped | 1.05 MB | 15.0 s | 1.00 |",
        "| other | 1.05 MB | 10.0 s (1.00) | 0.90 |",
        "| third | 1.05 MB | 10.0 s (0.50) | - |",
    ]


def test_the_page_is_what_the_results_say() -> None:
    assert (page.DOCS / page.PAGE).read_text() == page.render(load())


def test_the_pictures_are_what_the_results_say() -> None:
    drawn = plots.draw(load())
    committed = page.DOCS / page.PICTURES
    assert {path.name for path in committed.iterdir()} == {*drawn}
    for name, picture in drawn.items():
        assert _texts((committed / name).read_bytes()) == _texts(picture)
    linked = re.findall(r"\(images/(\S+)\)", (page.DOCS / page.PAGE).read_text())
    assert sorted(linked) == sorted(drawn)


def _texts(picture: bytes) -> list[str]:
    """Return the labels of a picture: the rest may differ with the version of a library."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.decode())
