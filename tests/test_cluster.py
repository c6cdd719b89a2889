"""Services that are moved by the workers of a Dask cluster, over mutual TLS."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from extensions.pins import ROOT
from lab.cluster import cluster
from tests.moves import World, hook, pushed_once

pytestmark = pytest.mark.slow

# Ends the worker of Dask that git pushes for; once, and after the branch is there.
KILL = """[ -e {done} ] || {{
    touch {done}
    number=$$
    until tr '\\0' ' ' </proc/$number/cmdline | grep -q 'dask worker'; do
        number=$(cut -d ' ' -f 4 /proc/$number/stat)
    done
    kill -9 $number
}}"""


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a scheduler and two workers, and return what `--engine` takes."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION", "true")
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", str(tmp_path / "ca.pem"))
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        for part in ("CERT", "KEY"):
            name = f"DASK_DISTRIBUTED__COMM__TLS__{role}__{part}"
            monkeypatch.setenv(name, str(tmp_path / "own.pem"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{ROOT / 'bin'}:{os.environ['PATH']}")
    with cluster(tmp_path / "dask", 2, protocol="tls") as engine:
        yield engine


def test_a_worker_that_is_killed_loses_nothing_and_pushes_nothing_twice(
    world: World, workers: str
) -> None:
    world.planned()
    hook(world.remote(0), "post-receive", KILL.format(done=world.folder / "killed"))
    world.update(f"--engine={workers}")
    assert (world.folder / "killed").exists()
    assert {each.outcome for each in world.outcomes().values()} == {"merged"}
    assert world.outcomes()[world.members[0].name].already
    pushed_once(world, world.members)
    logs = [each.read_text() for each in world.file.with_suffix(".run").glob("logs/*.log")]
    assert sum("update: merged, 2.0.0 to 3.0.0" in log for log in logs) == len(world.members) - 1


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        ("spark://127.0.0.1:1", "must be dask://HOST:PORT"),
        ("dask://cluster.example.com:8786", "needs TLS, since it is another machine"),
        ("dask://127.0.0.1:1", "cannot be reached: "),
    ],
)
def test_a_cluster_that_cannot_be_used_is_told(engine: str, reason: str, world: World) -> None:
    world.planned()
    printed = world.update(f"--engine={engine}", code=1)
    (line,) = printed.splitlines()
    assert line.startswith(f"catalog: --engine {engine}: {reason}")
    assert world.pushes == []
