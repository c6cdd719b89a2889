import json
import subprocess
from pathlib import Path

import pytest

from extensions.pins import FRAMEWORKS, ROOT, versions
from extensions.sources import rename_locked
from maintenance.locks import lock_for_glibc, locked
from tests.conftest import Copy


@pytest.mark.parametrize("framework", ["actix", "rocket"])
@pytest.mark.parametrize("runtime", ["scratch", "debian"])
@pytest.mark.parametrize("name", ["order-api", "libc", "url", "zzz"])
def test_cargo_takes_the_lock_as_it_is(
    framework: str, runtime: str, name: str, cargo: Path, render: Copy
) -> None:
    folder = render(framework=framework, runtime=runtime, service_name=name)
    before = (folder / "Cargo.lock").read_text()
    for command in (["--locked"], []):
        metadata = subprocess.run(
            ["cargo", "metadata", "--format-version=1", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert metadata.returncode == 0, metadata.stderr
        root = json.loads(metadata.stdout)["resolve"]["root"]
        assert f"{name}@0.1.0" in root or root.endswith(f"/{name}#0.1.0")
    assert (folder / "Cargo.lock").read_text() == before


def test_a_namesake_of_the_same_version_is_told_apart() -> None:
    lock = """\
version = 4

[[package]]
name = "a"
version = "0.1.0"
source = "registry+https://example.com/index"

[[package]]
name = "b"
version = "2.0.0"
dependencies = [
 "a",
]

[[package]]
name = "service"
version = "0.1.0"
dependencies = [
 "b",
]
"""
    renamed = rename_locked(lock, "a")
    assert '\n "a 0.1.0 (registry+https://example.com/index)",\n' in renamed
    assert renamed.count('name = "a"') == 2
    assert "service" not in renamed


@pytest.mark.parametrize("name", versions()["held"])
def test_a_crate_that_is_held_is_locked_so(name: str) -> None:
    locks = [locked(ROOT / "frameworks" / framework / "Cargo.lock") for framework in FRAMEWORKS]
    assert [lock[name] for lock in locks if name in lock] == [{versions()["held"][name]}]


@pytest.mark.parametrize("framework", ["actix", "rocket"])
def test_the_second_lock_is_in_step_with_the_first(framework: str, cargo: Path) -> None:
    stored = ROOT / "frameworks" / framework / "Cargo.glibc.lock"
    assert stored.read_text() == lock_for_glibc(framework)
