"""What a portal is given: a form that judges as the rules do, a workflow that makes a service."""

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given

from catalog.offer import portal
from catalog.offer.answers import BadAnswers
from catalog.offer.answers import given as answers_of_the_environment
from catalog.offer.form import settled, steps
from catalog.offer.schema import of_answers
from extensions.pins import ROOT
from extensions.policy import Policy
from extensions.questions import condition, questions
from extensions.rules import CHOICES, SEVERAL
from lab.git_server import TOKEN, GitServer, serving
from lab.rendering import render_service
from lab.repository import commit, git
from tests.answers import GOOD_INDEXES
from tests.strategies import Answers, tries
from tests.test_schema import SCHEMA, Validator, partial, takes
from tests.test_text import assert_arrives

pytestmark = pytest.mark.slow

CATALOG = ROOT / "bin" / "catalog"
WORKFLOW = ROOT / ".github" / "workflows" / "new-service.yml"
PUBLISHED = ROOT / "catalog" / "published" / "template.yaml"
OWNER, NAME = "acme", "rust-service-template"

# ------------------------------------------------------------------------------------ the form

Draft7: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft7Validator, {"pattern": Validator.VALIDATORS["pattern"]}
)
FORM = steps()
# What the form and the schema of answers judge differently: why, the answers, and who takes them.
DIFFERENCES: list[tuple[str, Answers, str]] = [
    ("a form does not ask", {"runtime": "debian", "ca_certificates": "maybe"}, "form"),
    ("nor without an answer that decides", {"ca_certificates": "maybe"}, "form"),
    ("each step sees the answers of all", {"port2": 1}, "form"),
    ("a box is ticked once", {"platforms": ["linux/amd64", "linux/amd64"]}, "schema"),
]
POLICIES = [
    Policy(file=Path("policy.yaml"), name="Acme", **parts)
    for parts in (
        {"locked": {"runtime": "scratch", "cargo_registry": "acme", "catalog": True}},
        {"locked": {"runtime": "debian", "cargo_registry": ""}},
        {"allowed": {"runtime": ("debian", "alpine"), "platforms": ("linux/amd64",)}},
        {"allowed": {"port": ("9000-9099", 8080), "cargo_registry": ("acme-*", "")}},
        {"allowed": {"observability": ("logs",)}},
        {"allowed": {"service_name": ("order-*",), "runtime": ("scratch", "debian")}},
    )
]


def form_takes(form: list[dict[str, object]], answers: Answers) -> bool:
    """Judge answers as the backend of Backstage does: by each step for itself."""
    return all(Draft7(step).is_valid(answers) for step in form)


def asked(answers: Answers, policy: Policy | None) -> Answers:
    """Return the answers that a form asks for; it asks nothing that a policy has settled."""

    def is_asked(name: str) -> bool:
        when = condition(name) if name in questions() else None
        decided = {**answers, **settled(policy)}
        return name in questions() and (
            when is None or (when.question in decided and when.holds(decided))
        )

    return {name: answer for name, answer in answers.items() if is_asked(name)}


def is_repeated(answers: Answers) -> bool:
    lists = [found for name in SEVERAL if isinstance(found := answers.get(name), list)]
    return any(len({*map(str, found)}) < len(found) for found in lists)


def conditions() -> Iterator[Answers]:
    """Yield answers around the conditions: what decides and is decided, legal, bad and missing."""
    tried: dict[str, list[object]] = {
        "runtime": [None, *CHOICES["runtime"], "ubuntu"],
        "ca_certificates": [None, True, "maybe"],
        "cargo_registry": [None, "", "acme", "9x"],
        "cargo_registry_index": [None, GOOD_INDEXES[0], "no URL"],
    }
    for answers in itertools.product(*tried.values()):
        given = dict(zip(tried, answers, strict=True))
        yield {
            "service_name": "order-api",
            **{name: answer for name, answer in given.items() if answer is not None},
        }


@pytest.mark.parametrize(("reason", "answers", "who"), DIFFERENCES, ids=str)
def test_the_differences_are_differences(reason: str, answers: Answers, who: str) -> None:
    named: Answers = {"service_name": "order-api", **answers}
    assert form_takes(FORM, named) == (who == "form")
    assert takes(SCHEMA, named) == (who == "schema")
    assert is_repeated(named) or asked(named, None) != named


@pytest.mark.parametrize("policy", [None, *POLICIES], ids=range(len(POLICIES) + 1))
def test_the_form_judges_as_the_schema(
    policy: Policy | None, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, schema, fixed = steps(policy), of_answers(policy), settled(policy)

    def judge(answers: Answers) -> None:
        sent = {name: answer for name, answer in answers.items() if name not in fixed}
        counts = asked(sent, policy)
        legal = takes(schema, {**counts, **fixed})
        assert form_takes(form, sent) == (legal and not is_repeated(counts)), sent
        # The program of the workflow takes what is sent.
        if legal and not any(isinstance(answer, float) for answer in counts.values()):
            monkeypatch.setenv("ANSWERS", json.dumps(counts))
            assert answers_of_the_environment(policy).keys() == counts.keys()

    for answers in conditions():
        judge(answers)

    @tries(pytestconfig, 60)
    @given(partial())
    def holds(answers: Answers) -> None:
        judge(answers)

    holds()


def test_a_policy_narrows_what_is_asked() -> None:
    def names(policy: Policy) -> set[str]:
        found: set[str] = set()
        for step in steps(policy):
            found |= {*re.findall(r"'title': '([^']+)', 'type'", str(step))}
        return found

    everything = {"Runtime", "CA certificates", "Cargo registry", "Cargo registry index", "Catalog"}
    everything |= {"Observability"}
    without = [everything - names(policy) for policy in POLICIES]
    assert without == [
        {"Runtime", "Cargo registry", "Catalog"},
        {"Runtime", "CA certificates", "Cargo registry", "Cargo registry index"},
        {"CA certificates"},
        set(),
        set(),
        set(),
    ]
    # No default is allowed, so a person must say.
    (what, *_) = steps(Policy(Path("policy.yaml"), "Acme", allowed={"owner": ("team-*",)}))
    assert what["required"] == ["service_name", "owner"]
    assert "default" not in what["properties"]["owner"]  # type: ignore[index]
    assert "Allowed: team-*." in str(what)
    assert "OwnerPicker" not in str(what)


# ------------------------------------------------------------------------ what Backstage is given


def catalog(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [CATALOG, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def entity(policy: Policy | None = None) -> Any:
    found = portal.repository("https://git.acme.example/acme/templates.git")
    return yaml.safe_load(portal.software_template(found, "group:default/platform", policy))


def test_backstage_can_read_the_template() -> None:
    schema = json.loads((ROOT / "lab" / "schemas" / "template.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for made in (yaml.safe_load(PUBLISHED.read_text()), *map(entity, [None, *POLICIES])):
        jsonschema.Draft202012Validator(schema).validate(made)
        for step in made["spec"]["parameters"]:
            jsonschema.Draft7Validator.check_schema(step)
            listed = [*step["properties"]]
            for each in step.get("dependencies", {}).values():
                listed += [name for branch in each["oneOf"] for name in branch["properties"]]
            assert {*listed} == {*step.get("ui:order", listed)}
    made = entity()
    assert made["spec"]["parameters"] == FORM
    create, dispatch, register = made["spec"]["steps"]
    assert dispatch["input"]["repoUrl"] == "git.acme.example?owner=acme&repo=templates"
    assert create["input"]["repoUrl"].startswith("git.acme.example?owner=acme&repo=${{")
    assert register["if"] == "${{ parameters.catalog }}"
    assert dispatch["input"]["workflowId"] == WORKFLOW.name


@pytest.mark.parametrize(("locked", "actions"), [(True, 3), (False, 2)])
def test_a_policy_decides_what_is_listed(locked: bool, actions: int) -> None:
    found = entity(Policy(Path("policy.yaml"), "Acme", locked={"catalog": locked}))["spec"]["steps"]
    assert len(found) == actions
    assert not any("if" in step for step in found)


def test_text_is_text_to_every_reader_of_yaml() -> None:
    policy = Policy(Path("policy.yaml"), "Acme", allowed={"owner": ("1e3", "x")})
    made = portal.software_template(portal.repository(portal.EXAMPLE), "0o17", policy)
    assert 'owner: "0o17"' in made
    assert 'default: "1e3"' in made
    assert made.isascii()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme/templates",
        "http://github.com/acme/templates",
        "git@github.com:acme/templates.git",
        "https://user:secret@github.com/acme/templates",
        "https://github.com/acme",
        "https://github.com/acme/..",
        "https://github.com/acme/a/b",
        "https://github.com/acme/templates?ref=x",
        "https://github.com/acme/${{ x }}",
        "https://github.com/acme/templates\n",
    ],
)
def test_a_template_that_is_not_on_github(url: str) -> None:
    with pytest.raises(portal.NoRepository, match=r"must be the https:// URL") as refused:
        portal.repository(url)
    assert "\n" not in str(refused.value)


def test_what_the_command_must_be_told(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "name: Acme\ntemplate: https://github.com/acme/templates\nlocked: {owner: core}\n"
    )
    told = catalog("backstage", CATALOG_POLICY=str(policy))
    assert told.returncode == 0
    made = yaml.safe_load(told.stdout)
    assert made["metadata"]["links"][0]["url"] == "https://github.com/acme/templates"
    assert made["spec"]["owner"] == "core"
    policy.write_text("name: Acme\ntemplate: our template\n")
    wrong = catalog("backstage", CATALOG_POLICY=str(policy))
    assert wrong.stderr.startswith(f"catalog: template of {policy}: 'our template' must be")
    for arguments, line in (
        ([], "--template must say where you have the template"),
        (["--template", "github.com"], "--template: 'github.com' must be"),
        (["--template", portal.EXAMPLE, "--owner", "a b"], "--owner: 'a b' must be"),
    ):
        ended = catalog("backstage", *arguments, CATALOG_POLICY="")
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"catalog: {line}")
        assert ended.stderr.count("\n") == 1


# ---------------------------------------------------------------------------------- the workflow


JOB = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["service"]
RUNS = [step for step in JOB["steps"] if "run" in step]


def test_only_the_push_has_the_secret() -> None:
    with_token = [step["name"] for step in RUNS if "secrets" in str(step.get("env"))]
    assert with_token == ["Push it to its repository"]
    assert RUNS[-1]["name"] == with_token[0]


@dataclass(frozen=True)
class Run:
    """How a run of the workflow ended.

    Attributes:
        failed: The step that failed, "" if none did.
        output: What all steps printed.
        folder: Where it left something: the home of the runner and its temporary files.
    """

    failed: str
    output: str
    folder: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def checkout(toys: Path, bin_copier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of the template as actions/checkout leaves it, with the version 1.0.0.

    What was committed after that version stops every copy.
    """
    folder = tmp_path_factory.mktemp("workspace") / NAME
    shutil.copytree(toys, folder, symlinks=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    git(folder, "tag", "1.0.0")
    (folder / "template" / "README.md.jinja").write_text("{{ no_such_name }}\n")
    commit(folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture
def run(checkout: Path, server: GitServer, tmp_path: Path) -> Callable[..., Run]:
    """Return a function that runs the steps of the workflow as GitHub's runner does.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
    """

    def run(
        answers: object,
        token: str = TOKEN,
        steps: Sequence[dict[str, Any]] = RUNS,
        **more: str,
    ) -> Run:
        home, temporary = tmp_path / "home", tmp_path / "temporary"
        home.mkdir(exist_ok=True)
        temporary.mkdir(exist_ok=True)
        text = answers if isinstance(answers, str) else json.dumps(answers)
        values = {"${{ inputs.answers }}": text, "${{ secrets.SERVICES_TOKEN }}": token}
        environment = {
            **{name: value for name, value in os.environ.items() if name.startswith("CARGO_")},
            "CARGO_HOME": os.environ.get("CARGO_HOME", str(Path.home() / ".cargo")),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "RUNNER_TEMP": str(temporary),
            "GITHUB_SERVER_URL": server.url,
            "GITHUB_REPOSITORY": f"{OWNER}/{NAME}",
            "GITHUB_REPOSITORY_OWNER": OWNER,
            "GITHUB_ACTOR": "portal[bot]",
            "GITHUB_ACTOR_ID": "42",
            "GIT_SSL_CAINFO": str(server.authority),
            "GIT_TRACE": str(temporary / "trace"),
            "SMOKE": "none",
            **more,
        }
        output = ""
        for number, step in enumerate(steps):
            script = temporary / f"{number}.sh"
            script.write_text(step["run"])
            own = {name: values[value] for name, value in step.get("env", {}).items()}
            ended = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
                cwd=checkout,
                env={**environment, **own},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            output += ended.stdout
            if ended.returncode:
                return Run(step["name"], output, tmp_path)
        return Run("", output, tmp_path)

    return run


def fetched(repository: Path, folder: Path) -> Path:
    """Return a clone of what was pushed."""
    git(folder, "clone", "--quiet", str(repository), str(folder / "clone"))
    return folder / "clone"


def test_a_service_is_made_pushed_and_builds(
    run: Callable[..., Run], server: GitServer, toys: Path, tmp_path: Path, cargo: Path
) -> None:
    repository = server.create(f"{OWNER}/stock-api")
    answers = {
        "service_name": "stock-api",
        "description": "Counts what is in stock.",
        "owner": "group:default/stock",
        "framework": "tiny",
        "runtime": "scratch",
        "ca_certificates": True,
        "platforms": ["linux/arm64"],
        "port": 9090,
        "catalog": True,
    }
    result = run({**answers, "smoke": "check"}, SMOKE="")
    assert not result.failed, result.output
    assert "service is proven:" in result.output

    clone = fetched(repository, tmp_path)
    assert git(clone, "log", "--format=%an <%ae>").splitlines() == [
        "portal[bot] <42+portal[bot]@users.noreply.github.com>"
    ]
    recorded = yaml.safe_load((clone / ".copier-answers.yml").read_text())
    assert recorded["_src_path"] == f"{server.url}/{OWNER}/{NAME}.git"
    assert recorded["_commit"] == "1.0.0"
    assert {name: recorded[name] for name in answers} == answers

    render_service(toys, tmp_path / "rendered", **answers)
    # These name the template, the rest does not.
    same = shutil.ignore_patterns(".git", ".copier-answers.yml", "catalog-info.yaml")
    for folder, name in ((clone, "pushed"), (tmp_path / "rendered", "copied")):
        shutil.copytree(folder, tmp_path / "compared" / name, ignore=same)
    git(tmp_path, "diff", "--no-index", "--exit-code", "compared/pushed", "compared/copied")
    info = yaml.safe_load((clone / "catalog-info.yaml").read_text())
    schema = json.loads((ROOT / "lab" / "schemas" / "component.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(info)
    assert info["metadata"]["links"][0]["url"] == f"{server.url}/{OWNER}/{NAME}"
    assert info["spec"]["scaffoldedFrom"] == f"template:default/{entity()['metadata']['name']}"
    subprocess.run(["cargo", "check", "--locked", "--quiet"], cwd=clone, check=True)

    assert TOKEN not in result.output
    trace = (result.folder / "temporary" / "trace").read_text()
    assert "git-remote-https" in trace
    assert nowhere(TOKEN, result.folder)


def nowhere(text: str, folder: Path) -> bool:
    """Tell whether no file in a folder has a text, the trace of git's arguments among them."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files
    return not any(text.encode() in path.read_bytes() for path in files)


HOSTILE = (
    "$(touch pwned) `touch pwned` ${{ secrets.SERVICES_TOKEN }} ; touch pwned & '\" | > x \\ ::x"
)


def test_text_that_means_something_elsewhere_arrives(
    run: Callable[..., Run], server: GitServer, tmp_path: Path, checkout: Path
) -> None:
    repository = server.create(f"{OWNER}/odd-api")
    stale = {"runtime": "debian", "ca_certificates": "maybe", "cargo_registry_index": "\n"}
    result = run({"service_name": "odd-api", "description": HOSTILE, **stale})
    assert not result.failed, result.output
    clone = fetched(repository, tmp_path)
    assert_arrives(clone, HOSTILE)
    assert not list(tmp_path.rglob("pwned"))
    assert not (checkout / "pwned").exists()
    # No answer to what was not asked.
    recorded = yaml.safe_load((clone / ".copier-answers.yml").read_text())
    assert not {"ca_certificates", "cargo_registry_index"} & recorded.keys()


BAD: list[tuple[object, str]] = [
    ("", "ANSWERS of the environment must have the answers"),
    ("not JSON", "ANSWERS must be a JSON object"),
    ("[" * 60_000, "ANSWERS must be a JSON object"),
    (["order-api"], "ANSWERS must be a JSON object"),
    ("x" * 70_000, "ANSWERS must have at most 65535 characters"),
    ({}, "service_name: needs an answer"),
    ({"service_name": "../elsewhere"}, "service_name: '../elsewhere' must be"),
    ({"service_name": "acme/other"}, "service_name: 'acme/other' must be"),
    ({"service_name": "x", "description": "two\nlines"}, "description: must be one line"),
    ({"service_name": "x", "description": "\ud800"}, "description: must be one line"),
    (
        {"service_name": "x", "prot": 8080},
        "prot: no question has this name; did you mean port?",
    ),
    ({"service_name": "x", "_src_path": "y"}, "_src_path: no question has this name"),
    ({"service_name": "x", "port": 80, "owner": "\n::stop::"}, "owner: '\\n::stop::' must be"),
    ('{"service_name": "x", "port": NaN}', "port: nan must be"),
]


@pytest.mark.parametrize(("answers", "line"), BAD, ids=lambda value: str(value)[:40])
def test_bad_answers_are_refused_in_a_line(
    answers: object, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = answers if isinstance(answers, str) else json.dumps(answers)
    monkeypatch.setenv("ANSWERS", text)
    with pytest.raises(BadAnswers) as refused:
        answers_of_the_environment(None)
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("answers", "line"), BAD[3:6] + BAD[7:8] + BAD[10:13], ids=lambda value: str(value)[:40]
)
def test_nothing_is_made_of_bad_answers(
    answers: object, line: str, run: Callable[..., Run]
) -> None:
    result = run(answers)
    assert result.failed == "Check the answers"
    assert result.output.count("\n") == 1
    assert line in result.output
    assert result.output.startswith("catalog: ")
    assert not (result.folder / "temporary" / "answers.yml").exists()
    assert not (result.folder / "temporary" / "service").exists()


@pytest.fixture
def push(run: Callable[..., Run], tmp_path: Path) -> Callable[..., Run]:
    """Return a function that runs the last step alone, for a service of one file."""

    def push(name: str, token: str = TOKEN) -> Run:
        service = tmp_path / "temporary" / "service"
        service.mkdir(parents=True)
        (service / "README.md").write_text("A service.\n")
        (tmp_path / "temporary" / "name").write_text(f"{name}\n")
        return run({}, token, RUNS[-1:])

    return push


def test_a_repository_that_has_something_keeps_it(
    push: Callable[..., Run], server: GitServer, tmp_path: Path
) -> None:
    repository = server.create(f"{OWNER}/kept-api")
    first = tmp_path / "first"
    first.mkdir()
    git(first, "init", "--quiet", "--initial-branch=main")
    commit(first)
    git(first, "push", "--quiet", str(repository), "main")
    before = git(repository, "rev-parse", "main")
    result = push("kept-api")
    assert result.failed
    assert result.output.startswith(f"::error::{server.url}/{OWNER}/kept-api: must be empty")
    assert result.output.count("\n") == 1
    assert "stale info" in result.output
    assert git(repository, "rev-parse", "main") == before


@pytest.mark.parametrize(
    ("token", "line"),
    [("ghs_wrong", "Authentication failed"), ("", "the secret SERVICES_TOKEN is missing")],
    ids=["wrong", "missing"],
)
def test_a_token_that_does_not_open_the_repository(
    token: str, line: str, push: Callable[..., Run], server: GitServer
) -> None:
    name = f"closed-to-{token.replace('_', '-') or 'nothing'}"
    repository = server.create(f"{OWNER}/{name}")
    result = push(name, token)
    assert result.failed
    assert result.output.count("\n") == 1
    assert line in result.output
    assert git(repository, "for-each-ref") == ""
    assert not token or nowhere(token, result.folder)


def test_a_repository_that_is_not_there(push: Callable[..., Run]) -> None:
    result = push("nobodys-api")
    assert result.failed
    assert result.output.count("\n") == 1
    assert "not found" in result.output


def test_the_policy_of_the_checkout_decides(
    run: Callable[..., Run], checkout: Path, tmp_path: Path
) -> None:
    policy = checkout / "policy.yaml"
    policy.write_text("name: Acme\nlocked: {runtime: debian}\n")
    try:
        result = run({"service_name": "ruled-api"}, steps=RUNS[:-1])
        assert not result.failed, result.output
        recorded = (tmp_path / "temporary" / "service" / ".copier-answers.yml").read_text()
        assert yaml.safe_load(recorded)["runtime"] == "debian"
        result = run({"service_name": "ruled-api", "runtime": "scratch"})
        assert result.failed == "Check the answers"
        assert "runtime: 'scratch' must be debian; the policy Acme says so" in result.output
        assert result.output.count("\n") == 1
    finally:
        policy.unlink()
