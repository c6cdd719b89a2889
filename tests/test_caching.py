"""What a build compiles again and what it does not, and that the last edit ships.

The tests build one service in turn, in the order of this file: each build finds in the engine
what the last one left there.
"""

import itertools
import os
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from lab.containers import WITHOUT_LTO, Docker
from lab.rendering import render_service
from lab.repository import commit, git
from tests.conftest import Answer, Copy
from tests.owners import lock, write_answer

NAME = "signal"  # begins like the names of two dependencies, whose objects must survive it
LONG_AGO = 946_684_800  # the first second of 2000
# BuildKit sends a file again when its size or its time has changed, so no two may be the same.
OLD_TIMES = itertools.count(LONG_AGO)


@pytest.fixture(scope="module")
def service(docker: Docker, toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a service that was never built on this engine, as a git repository."""
    folder = tmp_path_factory.mktemp("caching") / NAME
    # Cargo.toml says when, so that the layers of an earlier run are no use.
    render_service(
        toys,
        folder,
        service_name=NAME,
        framework="tiny",
        port=8080,
        description=f"Made at {time.time()}.",
    )
    docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
    git(folder, "init", "--quiet")
    commit(folder, "first")
    return folder


def make_old(folder: Path) -> None:
    """Give the sources the times of an old checkout."""
    for path in [*(folder / "src").iterdir(), folder / "src"]:
        old = next(OLD_TIMES)
        os.utime(path, (old, old))


def test_a_cold_build_compiles_every_dependency_once(
    service: Path, docker: Docker, answer: Answer
) -> None:
    built = docker.build(service, "--no-cache")
    counted = Counter(built.compiled)
    assert counted.pop(NAME) == 2  # the stub and the service
    assert counted["libmimalloc-sys"] == 1  # has C code, and a build script that compiles it
    assert {crate for crate, times in counted.items() if times > 1} == set()
    assert len(counted) > 10
    assert len(built.compiled) - 2 <= (service / "Cargo.lock").read_text().count("[[package]]")
    assert answer(built) == "OK"


def test_nothing_changed_builds_nothing(service: Path, docker: Docker) -> None:
    assert docker.build(service).compiled == []


def test_a_changed_readme_builds_nothing(service: Path, docker: Docker) -> None:
    (service / "README.md").write_text("# Mine\n")
    assert docker.build(service).compiled == []


def test_an_edit_compiles_one_crate(service: Path, docker: Docker, answer: Answer) -> None:
    write_answer(service, '"edited"')
    built = docker.build(service)
    assert built.compiled == [NAME]
    assert answer(built) == "edited"


def test_an_edit_without_lto_has_a_cache_of_its_own(
    service: Path, docker: Docker, answer: Answer
) -> None:
    whole = docker.build(service)
    assert whole.compiled == []
    first = docker.build(service, WITHOUT_LTO)
    assert len(first.compiled) > 10
    write_answer(service, '"quick"')
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == [NAME]
    assert answer(built) == "quick"
    sizes = [docker.inspect(image.image)["Size"] for image in (whole, built)]
    assert sizes[0] < sizes[1]
    # What ships is as before, and knows nothing of the other objects.
    write_answer(service, '"again"')
    again = docker.build(service)
    assert again.compiled == [NAME]
    assert answer(again) == "again"
    assert docker.inspect(again.image)["Size"] == sizes[0]


def test_an_edit_in_a_second_module(service: Path, docker: Docker, answer: Answer) -> None:
    words = service / "src" / "words.rs"
    main = service / "src" / "main.rs"
    main.write_text(main.read_text().replace("mod settings;", "mod settings;\nmod words;"))
    write_answer(service, "crate::words::WORD")
    for word in ("one", "two"):
        words.write_text(f'pub const WORD: &str = "{word}";\n')
        built = docker.build(service, WITHOUT_LTO)
        assert built.compiled == [NAME]
        assert answer(built) == word


def test_an_edit_in_a_library(service: Path, docker: Docker, answer: Answer) -> None:
    library = service / "src" / "lib.rs"
    write_answer(service, f"{NAME}::word()")
    for word in ("three", "four"):
        library.write_text(f'pub fn word() -> &\'static str {{\n    "{word}"\n}}\n')
        built = docker.build(service, WITHOUT_LTO)
        assert built.compiled == [NAME]
        assert answer(built) == word


def test_an_edit_with_an_old_time_ships(service: Path, docker: Docker, answer: Answer) -> None:
    (service / "src" / "lib.rs").write_text('pub fn word() -> &\'static str {\n    "old"\n}\n')
    make_old(service)
    assert answer(docker.build(service, WITHOUT_LTO)) == "old"


def test_an_edit_ships_whatever_the_mount_holds(
    service: Path, docker: Docker, answer: Answer
) -> None:
    """Dependencies change with the sources, so that both steps run on a mount of newer objects."""
    manifest = service / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('version = "0.1.0"', 'version = "0.1.1"'))
    lock = service / "Cargo.lock"
    lock.write_text(
        lock.read_text().replace(
            f'name = "{NAME}"\nversion = "0.1.0"', f'name = "{NAME}"\nversion = "0.1.1"'
        )
    )
    (service / "src" / "lib.rs").write_text('pub fn word() -> &\'static str {\n    "new"\n}\n')
    make_old(service)
    built = docker.build(service, WITHOUT_LTO)
    assert set(built.compiled) == {NAME}
    assert answer(built) == "new"


def test_an_edit_ships_with_a_source_date_epoch(
    service: Path, docker: Docker, answer: Answer
) -> None:
    write_answer(service, '"epoch"')
    epoch = str(LONG_AGO)
    built = docker.build(
        service, WITHOUT_LTO, f"--build-arg=SOURCE_DATE_EPOCH={epoch}", SOURCE_DATE_EPOCH=epoch
    )
    assert answer(built) == "epoch"


def test_a_reverted_edit_is_gone(service: Path, docker: Docker, answer: Answer) -> None:
    routes = service / "src" / "routes.rs"
    before = routes.read_text()
    write_answer(service, '"mistake"')
    assert answer(docker.build(service, WITHOUT_LTO)) == "mistake"
    routes.write_text(before)
    make_old(service)
    assert answer(docker.build(service, WITHOUT_LTO)) == "epoch"


def test_an_older_commit_ships_the_older_answer(
    service: Path, docker: Docker, answer: Answer
) -> None:
    commit(service, "second")
    git(service, "checkout", "--quiet", "HEAD~1")
    write_answer(service, '"older"')
    make_old(service)
    assert answer(docker.build(service, WITHOUT_LTO)) == "older"
    git(service, "checkout", "--quiet", "--force", "-")
    assert answer(docker.build(service, WITHOUT_LTO)) == "epoch"


def test_another_dependency_compiles_little_more(
    service: Path, docker: Docker, cargo: Path, answer: Answer
) -> None:
    subprocess.run(["cargo", "add", "--quiet", "fastrand@2"], cwd=service, check=True)
    lock(service)
    write_answer(service, 'if fastrand::u8(1..2) == 1 { "random" } else { "not" }')
    built = docker.build(service, WITHOUT_LTO)
    assert set(built.compiled) == {"fastrand", NAME}
    assert built.downloaded == ["fastrand"]
    assert answer(built) == "random"


def test_a_fresh_runner_compiles_one_crate(service: Path, docker: Docker, answer: Answer) -> None:
    docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
    write_answer(service, '"fresh"')
    built = docker.build(service, WITHOUT_LTO)
    assert built.compiled == [NAME]
    assert answer(built) == "fresh"


def test_what_was_downloaded_and_is_gone_is_downloaded_again(
    service: Path, docker: Docker, answer: Answer
) -> None:
    """The step that downloads is cached, and the one that compiles is not, as after a failure."""
    docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
    dockerfile = (service / "Dockerfile").read_text()
    step = 'cp -a "$CARGO_TARGET_DIR" /dependencies'
    assert dockerfile.count(step) == 1
    dockerfile = dockerfile.replace(step, f"{step} # {time.time()}")
    write_answer(service, '"downloaded"')
    built = docker.build(service, WITHOUT_LTO, dockerfile=dockerfile)
    assert "tiny_http" in built.downloaded
    assert answer(built) == "downloaded"


def test_a_fresh_checkout_compiles_nothing_again(
    service: Path, docker: Docker, tmp_path: Path
) -> None:
    """Its files are newer than all that was compiled; the README alone is another."""
    for number in range(3):
        checkout = tmp_path / str(number)
        git(service, "worktree", "add", "--quiet", "--detach", str(checkout))
        (checkout / "README.md").write_text(f"# {time.time()}\n")
        built = docker.build(checkout, WITHOUT_LTO)
        # The sources of the commit were not the last ones that were built.
        assert built.compiled == ([NAME] if number == 0 else [])


def test_two_cold_builds_of_one_commit_make_the_same_program(
    service: Path, docker: Docker, tmp_path: Path
) -> None:
    """The C code of mimalloc compiles in when it was compiled."""
    programs = []
    for number in range(2):
        # With --no-cache, mounts are empty as well; the one build of it is seconds after the other.
        built = docker.build(service, "--no-cache", WITHOUT_LTO)
        assert built.compiled.count("libmimalloc-sys") == 1
        path = f"/usr/local/bin/{NAME}"
        programs.append(docker.file(built.image, path, tmp_path / str(number)).read_bytes())
        docker("image", "rm", "--force", built.image)
    assert programs[0] == programs[1]


def test_the_build_folder_of_cargo_1_100(docker: Docker, render_tiny: Copy, answer: Answer) -> None:
    """Cargo lays it out anew since 1.100; with this switch the Cargo that is here does as well.

    Source: https://doc.rust-lang.org/cargo/reference/unstable.html#build-dir-new-layout
    """
    folder = render_tiny(service_name=f"{NAME}-anew", description=f"Made at {time.time()}.")
    switch = "\nENV RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_DIR_NEW_LAYOUT=true\nWORKDIR /app\n"
    dockerfile = (folder / "Dockerfile").read_text()
    assert dockerfile.count("\nWORKDIR /app\n") == 1
    dockerfile = dockerfile.replace("\nWORKDIR /app\n", switch)
    first = docker.build(folder, WITHOUT_LTO, dockerfile=dockerfile)
    assert first.compiled.count("tiny_http") == 1
    write_answer(folder, '"anew"')
    make_old(folder)
    built = docker.build(folder, WITHOUT_LTO, dockerfile=dockerfile)
    assert built.compiled == [f"{NAME}-anew"]
    assert answer(built) == "anew"
    builder = docker.build(folder, WITHOUT_LTO, "--target=builder", dockerfile=dockerfile)
    look = "cd /dependencies/*-musl/release && ls -d build/tiny_http && ! ls -d .fingerprint"
    docker("run", "--rm", builder.image, "sh", "-c", look)
    docker("image", "rm", "--force", builder.image)
