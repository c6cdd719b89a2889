"""To add a framework or a runtime to the template takes one folder, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hooks import service
from lab.containers import WITHOUT_LTO, Docker
from tests.conftest import Copy
from tests.test_frameworks import cargo_in
from tests.test_smoke import copy

ANSWERS = {"framework": "tiny", "runtime": "slim"}


def test_it_is_offered_and_taken(toys: Path, tmp_path: Path) -> None:
    refused = copy(toys, tmp_path / "refused", framework="axum")
    assert "framework: 'axum' must be one of actix, rocket, tiny" in refused.stderr
    refused = copy(toys, tmp_path / "refused", service_name="tiny-http", runtime="busybox")
    assert "must be one of scratch, distroless, alpine, debian, slim" in refused.stderr
    refused = copy(toys, tmp_path / "refused", service_name="signal-hook")
    assert "'signal-hook' is a crate that the service depends on" in refused.stderr
    made = copy(toys, tmp_path / "made", **ANSWERS, smoke="none")
    assert made.returncode == 0, made.stderr
    recorded = yaml.safe_load((tmp_path / "made" / ".copier-answers.yml").read_text())
    assert recorded.items() >= {**ANSWERS, "port": 8090, "ca_certificates": False}.items()
    readme = (tmp_path / "made" / "README.md").read_text()
    assert "Answers are in `src/routes.rs`." in readme
    assert "The image is a toy" in readme


@pytest.mark.slow
def test_what_is_emitted_is_clean(toys: Path, cargo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    made = copy(toys, folder, **ANSWERS, smoke="build")
    assert made.returncode == 0, made.stderr
    assert "made is proven:" in made.stdout
    cargo_in(folder, "fmt", "--check")
    cargo_in(folder, "clippy", "--locked", "--all-targets", "--", "-D", "warnings")
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint
    subprocess.run([hadolint, "--no-color", folder / "Dockerfile"], check=True)


def test_its_image_answers(docker: Docker, render_tiny: Copy) -> None:
    folder = render_tiny(service_name="toy-api", runtime="slim", ca_certificates=True)
    built = docker.build(folder, WITHOUT_LTO)
    with docker.started(built.image, 8080) as container:
        assert service.ask_health(int(docker("port", container.name, "8080").rpartition(":")[2]))
        assert docker("exec", container.name, "sh", "-c", "echo $((40 + 2))") == "42"
        docker("stop", "--time=2", container.name)
        assert container.exit_code() == 0
    docker("image", "rm", "--force", built.image)


@pytest.mark.slow
def test_the_doctor_and_an_update_know_it(toys: Path, cargo: Path) -> None:
    doctor = [sys.executable, str(toys / "hooks" / "doctor.py"), "--smoke=check"]
    said = subprocess.run(doctor, capture_output=True, text=True, check=False).stdout
    assert "ok     crates: all are here" in said
    listed = subprocess.run(
        [sys.executable, "-c", "from hooks.check_mergeable import emitted; print(*emitted())"],
        cwd=toys,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "src/routes.rs" in listed


@pytest.mark.parametrize(
    ("file", "line", "instead", "reason"),
    [
        ("frameworks/tiny/framework.toml", "port = 8090\n", "", " must say port"),
        ("runtimes/slim/runtime.toml", "shell = true", "shel = true", " must say shell"),
        ("runtimes/slim/runtime.toml", "musl", "newlib", ": libc must be one of musl, glibc"),
        ("runtimes/slim/runtime.toml", "ALPINE_VERSION", "DEBIAN_SUITE", ": image names DEBIAN"),
    ],
)
def test_what_is_wrong_in_a_folder_is_named(
    file: str, line: str, instead: str, reason: str, broken: Path, tmp_path: Path
) -> None:
    text = (broken / file).read_text()
    assert line in text
    (broken / file).write_text(text.replace(line, instead))
    ended = copy(broken, tmp_path / "made")
    assert ended.returncode != 0
    assert f"{file}{reason}" in ended.stderr
    assert not (tmp_path / "made").exists()
