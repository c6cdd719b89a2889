"""The policy of an organisation: what it says counts on a copy, on an update, and at a prompt."""

import datetime
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml
from copier.errors import UserMessageError

from catalog.offer.schema import of_answers, of_policy
from extensions.pins import ROOT
from extensions.policy import BadPolicy, Policy, current, violations
from extensions.policy_file import BESIDE, VARIABLE
from lab.rendering import COPIER, render_service
from lab.repository import commit, git
from tests.conftest import Make
from tests.test_schema import takes

TODAY = datetime.date(2026, 11, 26)
ACME: dict[str, Any] = {
    "name": "Acme",
    "contact": "#platform",
    "template": "https://github.com/acme/rust-service-template",
    "minimum_version": "1.2.0",
    "locked": {"image_registry": "registry.acme.example/mirror"},
    "allowed": {
        "service_name": ["acme-*"],
        "owner": ["group:default/*"],
        "port": ["9000-9099", 8443],
        "runtime": ["distroless", "debian"],
        "platforms": ["linux/arm64"],
        "catalog": [True],
    },
    "presets": {"api": {"help": "What most take.", "answers": {"port": 9001, "profile": "speed"}}},
    "end_of_life": {"debian:*": datetime.date(2026, 11, 26)},
}
SAYS_SO = r"; the policy Acme says so \(.*policy\.yaml, ask #platform\)"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a policy, which counts."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "policy.yaml"))
    without_version = {name: value for name, value in ACME.items() if name != "minimum_version"}
    return write(tmp_path / "policy.yaml", without_version)


def write(file: Path, policy: object) -> Path:
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    return file


def changed(part: str, value: object) -> dict[str, Any]:
    return {"name": "Acme", part: value}


BAD: list[tuple[str, object]] = [
    ("must be a mapping", ["name"]),
    ("name: must say", {"locked": {}}),
    ("name: must be text, not True", {"name": True}),
    ("alowed: is none of name, contact", changed("alowed", {})),
    ("minimum_version: 'soon' must be a version", changed("minimum_version", "soon")),
    ("minimum_version: must be text, not 1.2", changed("minimum_version", 1.2)),
    ("locked: must be a mapping", changed("locked", ["runtime"])),
    ("locked.flavour: no question", changed("locked", {"flavour": "mild"})),
    ("locked.port: 80 must be from 1024", changed("locked", {"port": 80})),
    ("locked.service_name: each service", changed("locked", {"service_name": "order-api"})),
    ("allowed.runtime: must be a list", changed("allowed", {"runtime": "scratch"})),
    ("allowed.runtime: must be a list", changed("allowed", {"runtime": []})),
    ("allowed.runtime: 'ubuntu' must be one of", changed("allowed", {"runtime": ["ubuntu"]})),
    ("allowed.port: 9 must be from 1024", changed("allowed", {"port": ["9-10"]})),
    ("allowed.port: '9099-9000' must be from", changed("allowed", {"port": ["9099-9000"]})),
    ("allowed.platforms: 'linux' must be", changed("allowed", {"platforms": ["linux"]})),
    ("allowed.observability: 'x' must be", changed("allowed", {"observability": ["logs", "x"]})),
    ("allowed.owner: 1 must be text", changed("allowed", {"owner": [1]})),
    (
        "allowed.port: is locked already",
        {"name": "Acme", "locked": {"port": 8080}, "allowed": {"port": [8080]}},
    ),
    ("presets.api: must say help and answers", changed("presets", {"api": {"help": "x"}})),
    (
        "presets.api.answers.port: 80 must be",
        changed("presets", {"api": {"help": "x", "answers": {"port": 80}}}),
    ),
    (
        "presets.api.answers.port: 9000 must be one of 8080",
        {
            "name": "Acme",
            "allowed": {"port": [8080]},
            "presets": {"api": {"help": "x", "answers": {"port": 9000}}},
        },
    ),
    ("end_of_life.x: 'soon' must be a day", changed("end_of_life", {"x": "soon"})),
]  # fmt: skip
# A schema cannot compare two parts of a document.
BY_CODE_ALONE = (
    "is locked already",
    "9000 must be one of",
    "'9099-9000'",
    "9 must be from",
    "'soon' must",
)


@pytest.mark.parametrize(("line", "policy"), BAD, ids=str)
def test_a_bad_policy_is_refused_in_a_line(
    line: str, policy: object, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "policy.yaml", policy)
    monkeypatch.setenv(VARIABLE, str(file))
    with pytest.raises(UserMessageError) as refused:
        render_service(template, tmp_path / "made", service_name="order-api")
    assert str(refused.value).startswith(f"policy {file}: ")
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "made").exists()
    as_json = json.loads(json.dumps(policy, default=str))
    assert takes(of_policy(), as_json) == any(part in line for part in BY_CODE_ALONE)


@pytest.mark.parametrize("text", ["a: [", "\udce9", "x" * 1_000_001])
def test_a_file_that_is_no_policy_is_refused_in_a_line(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    monkeypatch.setenv(VARIABLE, str(file))
    with pytest.raises(BadPolicy, match=rf"\Apolicy {file}: .+\Z"):
        current()


def test_a_good_policy_is_legal_by_its_schema() -> None:
    assert takes(of_policy(), json.loads(json.dumps(ACME, default=str)))


def test_a_copy_is_held_to_the_policy(acme: Path, template: Path, tmp_path: Path) -> None:
    with pytest.raises(UserMessageError) as refused:
        render_service(
            template, tmp_path / "made", service_name="order-api", owner="group:default/x",
            port=9100, runtime="scratch", image_registry="", platforms=["linux/amd64"],
            catalog=False,
        )  # fmt: skip
    wanted = [
        "service_name: 'order-api' must be one of acme-*",
        "port: 9100 must be one of 9000-9099, 8443",
        "runtime: 'scratch' must be one of distroless, debian",
        "image_registry: '' must be registry.acme.example/mirror",
        "platforms: ['linux/amd64'] must be one of linux/arm64",
        "catalog: False must be one of yes",
    ]
    lines = str(refused.value).splitlines()
    assert len(lines) == len(wanted)
    for line in lines:
        assert any(re.fullmatch(re.escape(each) + SAYS_SO, line) for each in wanted), line
    assert not (tmp_path / "made").exists()


def test_its_answers_are_the_defaults(acme: Path, template: Path, tmp_path: Path) -> None:
    made, given = tmp_path / "made", {"service_name": "acme-orders"}
    with pytest.raises(UserMessageError, match=r"\Aowner: needs an answer; 'platform' must be .*"):
        render_service(template, made, **given)
    render_service(template, made, **given, owner="group:default/shop")
    recorded = yaml.safe_load((made / ".copier-answers.yml").read_text())
    wanted = {
        "port": 9000,
        "runtime": "distroless",
        "image_registry": "registry.acme.example/mirror",
        "platforms": ["linux/arm64"],
        "catalog": True,
        "profile": "size",
    }
    assert {name: recorded[name] for name in wanted} == wanted
    schema = of_answers(current())
    answers = {name: value for name, value in recorded.items() if not name.startswith("_")}
    assert takes(schema, answers)
    for name, value in {"port": 9100, "image_registry": "", "owner": "shop"}.items():
        assert not takes(schema, {**answers, name: value})


def test_a_base_after_its_end_is_refused(acme: Path, template: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserMessageError, match=r"\Aimage: debian:\S+ came to its end on 2026-11-26"
    ):
        render_service(
            template, tmp_path / "made", service_name="acme-x", owner="group:default/x",
            runtime="debian",
        )  # fmt: skip
    assert not (tmp_path / "made").exists()


def test_it_may_lie_beside_the_template(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    ours = tmp_path / "template"
    shutil.copytree(template, ours, symlinks=True)
    write(ours / BESIDE, {"name": "Ours", "allowed": {"runtime": ["alpine"]}})
    refused = r"runtime: 'debian' must be one of alpine; the policy Ours says so"
    with pytest.raises(UserMessageError, match=refused):
        render_service(ours, tmp_path / "made", service_name="order-api", runtime="debian")


@pytest.mark.slow
def test_an_update_is_held_to_the_policy(make: Make, tmp_path: Path) -> None:
    folder = make()
    policy = {"name": "Acme", "allowed": {"runtime": ["alpine"]}, "minimum_version": "1.5"}
    variables = {VARIABLE: str(write(tmp_path / "policy.yaml", policy)), "SMOKE": "none"}

    def update(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [COPIER, "update", "--trust", "--defaults", *arguments]
        environment = {**os.environ, **variables}
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False, text=True
        )

    refused = update()
    assert refused.returncode == 1
    assert "runtime: 'scratch' must be one of alpine; the policy Acme says so" in refused.stderr
    assert "-d decides it" in refused.stderr
    assert git(folder, "status", "--short") == ""
    ended = update("--vcs-ref=1.0.0", "--data=runtime=alpine")
    assert "template: 1.0.0 must be 1.5 or later; the policy Acme says so" in ended.stderr
    assert git(folder, "status", "--short") == ""
    # The version that is left behind stays as it was: it takes the answer that is not allowed now.
    assert update("--data=runtime=alpine").returncode == 0
    assert "alpine:" in (folder / "Dockerfile").read_text()
    commit(folder)
    assert update().returncode == 0


def test_a_copy_of_an_old_version_is_refused(
    two_versions: Path, acme: Path, tmp_path: Path
) -> None:
    write(acme, {"name": "Acme", "minimum_version": "1.1"})
    data = "--data=service_name=order-api"
    command = [COPIER, "copy", "--trust", "--defaults", data, str(two_versions)]
    for version, code in (("1.0.0", 1), ("2.0.0", 0)):
        ended = subprocess.run(
            [*command, f"--vcs-ref={version}", "--skip-tasks", str(tmp_path / "made")],
            capture_output=True, check=False, text=True,
        )  # fmt: skip
        assert ended.returncode == code, ended.stderr
        assert ("template: 1.0.0 must be 1.1 or later" in ended.stderr) == bool(code)
        assert (tmp_path / "made").exists() == (code == 0)


def test_violations_are_found_in_what_is_recorded() -> None:
    policy = Policy(
        Path("policy.yaml"),
        "Acme",
        minimum_version="1.2.0",
        locked={"profile": "size"},
        allowed={"port": ("9000-9099",)},
        end_of_life={"alpine:3.2?": TODAY},
    )
    says_so = "; the policy Acme says so (policy.yaml)"
    answers = {"port": 8080, "profile": "size", "service_name": "fn", "_commit": "1.1.0"}
    images = ["rust:1.98.0-alpine3.24", "alpine:3.24", "alpine:3.24"]
    assert violations(policy, answers, "1.1.0-3-g0123456", images, TODAY) == [
        f"port: 8080 must be one of 9000-9099{says_so}",
        f"template: 1.1.0-3-g0123456 must be 1.2.0 or later{says_so}",
        f"image: alpine:3.24 came to its end on 2026-11-26{says_so}",
    ]
    fine = {**answers, "port": 9000, "profile": "size"}
    before = TODAY - datetime.timedelta(days=1)
    assert violations(policy, fine, "1.2.0", images, before) == []
    for unknown in (None, "0123456789abcdef"):
        assert violations(policy, fine, unknown, [], TODAY)[0].startswith("template: ")


def test_a_prompt_shows_what_is_not_allowed(acme: Path, template: Path, tmp_path: Path) -> None:
    terminal = pexpect.spawn(
        COPIER, ["copy", "--trust", str(template), str(tmp_path / "made")],
        encoding="utf-8", dimensions=(50, 200), timeout=30,
    )  # fmt: skip
    terminal.expect("Name of the service")
    terminal.send("order-api\r")
    terminal.expect_exact("'order-api' must be one of acme-*; the policy Acme says so")
    terminal.send("\x15acme-orders\r")
    terminal.expect("What the service is for")
    terminal.send("\r")
    terminal.expect("Team or person")
    terminal.send("group:default/shop\r")
    terminal.expect("Web framework")
    terminal.send("\r")
    terminal.expect("Port that")
    terminal.expect("9000")
    terminal.send("\r")
    terminal.expect("Release profile")
    terminal.send("\r")
    terminal.expect("What the service tells of itself")
    terminal.send("\r")
    terminal.expect("Rust release")
    terminal.send("\r")
    terminal.expect("Base of the image")
    terminal.expect_exact("'scratch' must be one of distroless, debian; the policy Acme says so")
    terminal.close(force=True)


def test_it_is_explained(acme: Path) -> None:
    def explained(*arguments: str) -> str:
        command = [str(ROOT / "bin" / "catalog"), "policy", *arguments]
        environment = {**os.environ, "COLUMNS": "200"}
        return subprocess.run(
            command, env=environment, capture_output=True, check=True, text=True
        ).stdout

    told = explained()
    for words in ("Acme", "9000-9099, 8443", "What most take.", "2026-11-26", "#platform"):
        assert words in told
    data = json.loads(explained("--format=json"))
    assert data["locked"] == ACME["locked"]
    assert data["defaults"]["port"] == 9000
    acme.write_text("name: [")
    ended = subprocess.run(
        [ROOT / "bin" / "catalog", "policy"], capture_output=True, check=False, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr == f"catalog: policy {acme}: is no YAML at line 1\n"
