"""The CI of a service on both forges: what linters say of it, and its own commands, really run."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.pins import versions
from extensions.registry import frameworks
from extensions.rules import OBSERVABILITY
from lab import buildx, image_registry, pipelines, private_registry
from lab.containers import WITHOUT_LTO, Docker
from lab.forges import Failed, Forge, lend_public_crates
from lab.pipelines import BRANCH, PUSH, Event
from lab.private_registry import CRATE, TOKEN, Registry
from lab.repository import commit, git
from tests.conftest import Copy, need
from tests.owners import lock

FORGES = ("github", "gitlab")
ALL_WELL = "advisories ok, bans ok, licenses ok, sources ok"
VARIABLE = "CARGO_REGISTRIES_ACME_PRIVATE_TOKEN"
PRIVATE: dict[str, Any] = {
    "cargo_registry": "acme-private",
    "cargo_registry_index": "sparse+https://cargo.example.com/index/",
}
MIRRORED: dict[str, Any] = {**PRIVATE, "image_registry": "r.example.com:5000/mirror"}
SERVICES = [
    pytest.param({"ci": ci, **answers}, id=f"{ci}-{name}")
    for ci in FORGES
    for name, answers in (
        ("defaults", {}),
        ("most", {"framework": "rocket", "runtime": "alpine", **MIRRORED}),
    )
]
HERE = Path(sys.executable).parent


# -------------------------------------------------------------------------------- what is said


def is_clean(folder: Path, *command: str | Path, text: str = "") -> None:
    ended = subprocess.run(
        command, cwd=folder, input=text, capture_output=True, check=False, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("answers", SERVICES)
def test_linters_find_nothing(answers: dict[str, Any], render: Copy) -> None:
    need("shellcheck", "apt-get install shellcheck")
    folder = render(**answers)
    check = (HERE / "check-jsonschema", "--builtin-schema")
    is_clean(folder, *check, "vendor.renovate", "renovate.json")
    if answers["ci"] == "github":
        files = sorted((folder / pipelines.WORKFLOWS).iterdir())
        is_clean(folder, *check, "vendor.github-workflows", *files)
        is_clean(folder, HERE / "zizmor", "--offline", "--no-config", "--persona=pedantic", *files)
    else:
        is_clean(folder, *check, "vendor.gitlab-ci", pipelines.GITLAB)
    for _, shell, script in pipelines.scripts(folder):
        assert "${{" not in script
        is_clean(folder, "shellcheck", f"--shell={shell}", "-", text=f"set -e\n{script}\n")


@pytest.mark.parametrize("forge", FORGES)
def test_an_event_starts_what_it_concerns(forge: str, render: Copy) -> None:
    folder = render(ci=forge)
    test, image, dependencies = {
        "github": ("test", "image", "dependencies"),
        "gitlab": ("test", "build-image", "check-dependencies"),
    }[forge]
    for event, wanted in (
        (PUSH, {test, image}),
        (Event("pull"), {test, image}),
        (Event("pull", changed=("Cargo.lock", "Cargo.toml")), {test, image, dependencies}),
        (Event("push", changed=("deny.toml",)), {test, image, dependencies}),
        (Event("push", tag="v1.2.3"), {test, image}),
        (Event("push", tag="nightly"), set()),
        (Event("schedule"), {dependencies}),
    ):
        assert set(pipelines.started(folder, event)) == wanted, event


@pytest.mark.parametrize("forge", FORGES)
def test_jobs_are_bounded_and_run_on_what_is_named(forge: str, render: Copy) -> None:
    folder = render(ci=forge)
    jobs = pipelines.started(folder, Event("push", changed=("Cargo.lock",)))
    assert len(jobs) == 3
    (image,) = (str(job.whole) for name, job in jobs.items() if "image" in name)
    # What the engine of our tests cannot do is looked at here alone, and by the schemas.
    for part in ("linux/amd64,linux/arm64", "mode=max", "provenance", "sbom", "cache"):
        assert part in image
    for job in jobs.values():
        if forge == "gitlab":
            images = [job.whole["image"], *(each["name"] for each in job.whole.get("services", ()))]
            assert all(re.search(r":\d+\.\d+", image) for image in images)
            assert job.whole["timeout"].endswith(" minutes")
        else:
            assert re.fullmatch(r"ubuntu-\d\d\.\d\d", job.whole["runs-on"])
            assert int(job.whole["timeout-minutes"]) <= 60
    if forge == "github":
        assert jobs["image"].whole["needs"] == "test", "no image of what fails is pushed"
        permissions = {name: job.whole["permissions"] for name, job in jobs.items()}
        assert permissions.pop("image") == {"contents": "read", "packages": "write"}
        assert [*permissions.values()] == [{"contents": "read"}] * 2
        for file in (folder / pipelines.WORKFLOWS).iterdir():
            assert yaml.safe_load(file.read_text())["permissions"] == {}
            for action, digest, version in re.findall(
                r"uses: (\S+?)@(\S+) # (\S+)\n", file.read_text()
            ):
                assert versions()["actions"][action] == {"digest": digest, "version": version}


@pytest.mark.parametrize("framework", frameworks())
@pytest.mark.parametrize("runtime", ["scratch", "alpine", "debian", "distroless"])
def test_renovate_leaves_alone_what_it_cannot_update(
    framework: str, runtime: str, render: Copy
) -> None:
    folder = render(framework=framework, runtime=runtime, image_registry="r.example.com/mirror")
    renovate = json.loads((folder / "renovate.json").read_text())
    *_, copier, dockerfile = renovate["packageRules"]
    assert (copier["matchManagers"], copier["enabled"]) == (["copier"], False)
    # https://docs.renovatebot.com/modules/manager/dockerfile/: one argument can be the whole tag.
    images = re.findall(r"^FROM .*?(\S+):\S*\$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    assert (dockerfile["matchPackageNames"], dockerfile["enabled"]) == (images, False)
    locked = tomllib.loads((folder / "Cargo.lock").read_text())["package"]
    held = {package["name"] for package in locked} & versions()["held"].keys()
    # `cargo update` knows no crate to leave alone.
    assert (":maintainLockFilesMonthly" in renovate["extends"]) == (not held)
    for name in held:
        command = f"cargo update --package {name} --precise {versions()['held'][name]}`"
        assert command in renovate["description"]


# ---------------------------------------------------------------------------------- what is done


def repository(folder: Path) -> Path:
    """Make a repository of a service, with the branch and the tags that events name."""
    git(folder, "init", "--quiet", f"--initial-branch={BRANCH}")
    commit(folder)
    for tag in ("v1.2.3", "v2.0.0-rc.1"):
        git(folder, "tag", tag)
    return folder


EDITS = {
    "fn  main() {}\n": "Diff in",
    "\nfn unused() {}\n": "function `unused` is never used",
    "\n#[test]\nfn fails() {\n    panic!();\n}\n": "test result: FAILED",
}


@pytest.mark.slow
@pytest.mark.parametrize("ci", FORGES)
def test_the_service_is_tested(ci: str, cargo: Path, render_tiny: Copy, tmp_path: Path) -> None:
    forge = Forge(repository(render_tiny(ci=ci)), tmp_path / "forge")
    forge.run("test")
    assert "test result: ok" in forge.output
    main = forge.service / "src" / "main.rs"
    text = main.read_text()
    # In a job of GitLab, crates are elsewhere each time, so that Cargo compiles all of them anew.
    for edit in EDITS if ci == "github" else [*EDITS][:1]:
        main.write_text(text + edit)
        commit(forge.service)
        with pytest.raises(Failed, match=EDITS[edit]):
            forge.run("test")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new CARGO_HOME, with public crates and an advisory that concerns nobody."""
    folder = tmp_path / "cargo"
    lend_public_crates(folder)
    monkeypatch.setenv("CARGO_HOME", str(folder))
    publish(folder, "nobody-has-this", "RUSTSEC-2026-9998")
    return folder


def publish(home: Path, crate: str, name: str) -> None:
    """Let cargo-deny find an advisory of which no release of a crate is free."""
    # The name has a digest of the URL, https://github.com/RustSec/advisory-db.
    database = home / "advisory-dbs" / "advisory-db-3157b0e258782691"
    file = database / "crates" / crate / f"{name}.md"
    file.parent.mkdir(parents=True)
    file.write_text(
        f'```toml\n[advisory]\nid = "{name}"\npackage = "{crate}"\ndate = "2026-01-01"\n\n'
        "[versions]\npatched = []\n```\n\n# It is bad\n"
    )
    git(database, "init", "--quiet")
    commit(database)


@pytest.mark.slow
@pytest.mark.parametrize("ci", FORGES)
@pytest.mark.parametrize("framework", frameworks())
def test_the_crates_are_checked(
    ci: str, framework: str, cargo: Path, render: Copy, home: Path, tmp_path: Path
) -> None:
    folder = render(ci=ci, framework=framework, observability=[*OBSERVABILITY])
    forge = Forge(repository(folder), tmp_path / "forge", Event("schedule"))
    forge.run()
    assert ALL_WELL in forge.output
    assert "warning" not in forge.output
    publish(home, "itoa", "RUSTSEC-2026-9999")
    with pytest.raises(Failed, match="RUSTSEC-2026-9999"):
        forge.run()


@pytest.fixture(scope="module")
def crates(tmp_path_factory: pytest.TempPathFactory, cargo: Path) -> Iterator[Registry]:
    with private_registry.running(tmp_path_factory.mktemp("private")) as registry:
        yield registry


# Cargo runs it where it also runs those of dependencies.
BUILD_SCRIPT = f"""\
fn main() {{
    let token = "{TOKEN}";
    for (name, value) in std::env::vars_os() {{
        assert!(!value.to_string_lossy().contains(token), "{{name:?}}");
    }}
}}
"""


@pytest.fixture(params=FORGES)
def private(
    request: pytest.FixtureRequest, crates: Registry, render_tiny: Copy, tmp_path: Path
) -> Forge:
    """Return a forge that has a token, and a service that takes a crate from where it is wanted."""
    folder = render_tiny(ci=request.param, **{**PRIVATE, "cargo_registry_index": crates.index})
    manifest = folder / "Cargo.toml"
    dependency = f'[dependencies]\n{CRATE} = {{ version = "1", registry = "acme-private" }}\n'
    manifest.write_text(manifest.read_text().replace("[dependencies]\n", dependency))
    (folder / "build.rs").write_text(BUILD_SCRIPT)
    # It has no licence, and cargo-deny allows no registry by a number; the test below has a name.
    deny = folder / "deny.toml"
    deny.write_text(
        deny.read_text().replace('unknown-registry = "deny"', 'unknown-registry = "allow"')
        + f'\n[[licenses.clarify]]\ncrate = "{CRATE}"\nexpression = "MIT"\nlicense-files = []\n'
    )
    secrets = {VARIABLE: TOKEN}
    more = {"CARGO_HTTP_CAINFO": str(crates.bundle), "CARGO_NET_OFFLINE": "false"}
    lock(folder, **secrets, **more)
    return Forge(repository(folder), tmp_path / "forge", secrets=secrets, more=more)


@pytest.mark.slow
def test_downloads_have_the_token_and_nothing_else_has(private: Forge, home: Path) -> None:
    token, private.secrets = private.secrets, {VARIABLE: ""}
    jobs = [name for name in pipelines.started(private.service, PUSH) if "image" not in name]
    with pytest.raises(Failed, match="acme-private"):
        private.run(*jobs)
    private.secrets = token
    private.run(*jobs)
    assert "test result: ok" in private.output
    private.run(event=Event("schedule"))
    assert ALL_WELL in private.output
    assert TOKEN not in private.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("index", "source"),
    [
        ("sparse+https://cargo.example.com/index/", "sparse+https://cargo.example.com/index/"),
        ("https://git.example.com/index", "registry+https://git.example.com/index"),
        ("https://git.example.com/index.git", "registry+https://git.example.com/index.git"),
    ],
)
def test_crates_of_the_private_registry_are_allowed(
    index: str, source: str, cargo: Path, render_tiny: Copy
) -> None:
    folder = render_tiny(**{**PRIVATE, "cargo_registry_index": index})
    command = ["cargo", "metadata", "--locked", "--format-version=1"]
    text = subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout
    # Let a public crate come from there, without a licence.
    public = "registry+https://github.com/rust-lang/crates.io-index"
    metadata = json.loads(text.replace(f"{public}#ascii@", f"{source}#ascii@"))
    (package,) = (each for each in metadata["packages"] if each["name"] == "ascii")
    manifest = folder.parent / "private" / "Cargo.toml"
    manifest.parent.mkdir()
    shutil.copy(package["manifest_path"], manifest)
    package |= {"source": source, "license": None, "manifest_path": str(manifest)}
    file = folder.parent / "metadata.json"
    deny = [str(HERE / "cargo-deny"), "--offline", f"--metadata-path={file}", "check"]
    for publish, verdict in (
        (["acme-private"], "licenses ok, sources ok"),
        (["acme-other"], "licenses FAILED, sources ok"),
        (None, "licenses FAILED, sources ok"),
    ):
        package["publish"] = publish
        file.write_text(json.dumps(metadata))
        ended = subprocess.run(
            [*deny, "licenses", "sources"], cwd=folder, capture_output=True, check=False, text=True
        )
        assert ended.stdout.strip() == verdict, ended.stderr


@pytest.fixture
def images(docker: Docker, tmp_path: Path) -> Iterator[str]:
    """Return an empty registry; what is named after it goes from the engine with it."""
    need("docker-registry", "apt-get install docker-registry")
    folder = tmp_path / "images"
    folder.mkdir()
    with image_registry.running(folder) as address:
        yield address
    form = ("--format={{.Repository}}:{{.Tag}}", f"--filter=reference={address}/*/*")
    if left := docker("image", "ls", *form).split():
        docker("image", "rm", "--force", *left)


def on_engine(forge: Forge, docker: Docker, images: str, *options: str) -> None:
    """Give a forge an engine and a registry of images."""
    dockerfile = forge.service / "Dockerfile"
    dockerfile.write_text(docker.readable(dockerfile.read_text()))
    forge.registry = images
    lent = {buildx.CLIENT: docker.client, buildx.OPTIONS: " ".join([WITHOUT_LTO, *options])}
    forge.more = {**forge.more, **lent}


def image_job(forge: Forge) -> str:
    return next(name for name in pipelines.started(forge.service, forge.event) if "image" in name)


@pytest.mark.parametrize("ci", FORGES)
def test_the_image_is_pushed_by_the_names_that_git_has(
    ci: str, docker: Docker, images: str, render_tiny: Copy, tmp_path: Path
) -> None:
    forge = Forge(render_tiny(ci=ci), tmp_path / "forge")
    on_engine(forge, docker, images)
    repository(forge.service)
    image, short = "acme/order-api", forge.sha[: 7 if ci == "github" else 8]
    pushed: set[str] = set()
    for event, names in (
        (Event("pull"), set()),
        (PUSH, {"edge", f"sha-{short}"}),
        (Event("push", tag="v2.0.0-rc.1"), {"2.0.0-rc.1"}),
        (Event("push", tag="v1.2.3"), {"1.2.3", "1.2", "latest"}),
    ):
        forge.run(image_job(forge), event=event)
        pushed |= names
        assert image_registry.tags(images, image) == pushed
    labels = docker.inspect(f"{images}/{image}:1.2")["Config"]["Labels"]
    of_git = {
        "created": forge.time,
        "revision": forge.sha,
        "source": f"https://{ci}.com/acme/order-api",
        "version": "1.2.3",
    }
    assert {name: labels[f"org.opencontainers.image.{name}"] for name in of_git} == of_git


def test_the_image_of_a_private_crate_is_built(
    private: Forge, crates: Registry, docker: Docker, images: str
) -> None:
    bundle = f"--secret=id=ca_bundle,src={crates.bundle}"
    on_engine(private, docker, images, "--network=host", bundle)
    commit(private.service)
    private.run(image_job(private))
    assert TOKEN not in private.output
    assert "edge" in image_registry.tags(images, "acme/order-api")
