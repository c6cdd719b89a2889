"""The manifests of a service, built by Kustomize for each environment and held to standards."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from hooks.toolchain import numbers
from tests.conftest import missing, need, renderer

# It has an environment of its own: it holds several packages below the releases that others need.
CHECKOV = ("--from=checkov==3.3.30", "--exclude-newer=2026-11-26")
# The checks that are not made, each with the reason.
SKIPPED = {
    "CKV_K8S_11": "a limit of CPU slows answers down on an idle node; the request shares it out",
    "CKV_K8S_43": "the owner names what is deployed, by a tag of CI or by a digest",
}
# `includeTemplates` came with it: https://github.com/kubernetes-sigs/kustomize/releases
OLDEST_KUSTOMIZE = (4, 5, 0)
ENVIRONMENTS = {"staging": (2, 4), "production": (3, 10)}
COMBINATIONS: dict[str, dict[str, Any]] = {
    "nothing": {"observability": []},
    "metrics": {"observability": ["metrics"], "ci": "gitlab"},
    "traces": {"observability": ["traces"], "ci": "none"},
    # Without quotes YAML would read no name there.
    "everything": {"observability": ["logs", "metrics", "traces"], "service_name": "null"},
    "a long name": {"service_name": "a" * 63, "owner": "group:default/" + "b" * 63},
}
KINDS = {
    "Deployment",
    "HorizontalPodAutoscaler",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
}
# The newest that is known, and one that is no longer supported, as clusters are.
CLUSTERS = ("1.31", "1.37")
PROBES = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
Objects = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def kubectl() -> str:
    need("kubectl", "https://kubernetes.io/docs/tasks/tools/")
    command = ["kubectl", "version", "--client", "--output=json"]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    version = json.loads(said).get("kustomizeVersion", "v0")
    if numbers(version) < OLDEST_KUSTOMIZE:
        missing(f"kubectl has Kustomize {version}; https://kubernetes.io/docs/tasks/tools/")
    return "kubectl"


@pytest.fixture(scope="module")
def built(kubectl: str, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what each combination is for each environment, a file each."""
    folder = tmp_path_factory.mktemp("built")
    render = renderer(template, tmp_path_factory.mktemp("services"))
    for name, answers in COMBINATIONS.items():
        service = render(deploy=["kubernetes"], port=3000, **answers)
        for environment in ENVIRONMENTS:
            overlay = f"deploy/kubernetes/overlays/{environment}"
            file = folder / f"{name}.{environment}.yaml"
            # As the README has it.
            command = [kubectl, "kustomize", overlay, f"--output={file}"]
            subprocess.run(command, cwd=service, check=True)
    return folder


@pytest.fixture(params=product(COMBINATIONS, ENVIRONMENTS), ids="-".join)
def objects(request: pytest.FixtureRequest, built: Path) -> Objects:
    """Return the objects of one combination in one environment, by their kind."""
    text = (built / f"{'.'.join(request.param)}.yaml").read_text()
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


@pytest.mark.parametrize("version", CLUSTERS)
def test_old_and_new_clusters_know_every_field(version: str, built: Path) -> None:
    program = Path(sys.executable).with_name("kubernetes-validate")
    options = ("--strict", f"--kubernetes-version={version}")
    ended = subprocess.run(
        [program, *options, *built.iterdir()], capture_output=True, check=False, text=True
    )
    assert ended.returncode == 0, ended.stdout
    # A kind without a schema would be a warning.
    passed = ended.stdout.count(f" against version {version}\n")
    assert passed == len(KINDS) * len(COMBINATIONS) * len(ENVIRONMENTS)


def test_they_belong_together(objects: Objects, request: pytest.FixtureRequest) -> None:
    combination, environment = request.node.callspec.params["objects"]
    answers = {"service_name": "order-api", "owner": "platform", **COMBINATIONS[combination]}
    told = answers.get("observability", [])
    name, own = answers["service_name"], {"app.kubernetes.io/name": answers["service_name"]}
    deployment = objects["Deployment"]["spec"]
    pod = deployment["template"]
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    variables = {each["name"]: each["value"] for each in container["env"]}

    assert {*objects} == KINDS
    for each in objects.values():
        metadata = each["metadata"]
        assert (metadata["name"], metadata["namespace"]) == (name, environment)
        assert metadata["labels"].items() >= own.items()
        assert metadata["annotations"]["owner"] == answers["owner"]
    assert pod["metadata"]["labels"].items() >= own.items()
    assert deployment["selector"]["matchLabels"] == own
    assert objects["Service"]["spec"]["selector"] == own
    assert objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == own
    assert objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == own
    for each in pod["spec"]["topologySpreadConstraints"]:
        assert each["labelSelector"]["matchLabels"] == own

    assert ports == {"http": 3000, **({"metrics": 9090} if "metrics" in told else {})}
    (port,) = objects["Service"]["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, "http")
    probes = {probe: container[probe]["httpGet"]["path"] for probe in PROBES}
    assert probes == PROBES
    allowed = objects["NetworkPolicy"]["spec"]
    entries = [port["port"] for rule in allowed["ingress"] for port in rule["ports"]]
    exits = [port["port"] for rule in allowed["egress"] for port in rule["ports"]]
    assert entries == [*ports]
    assert exits == [53, 53, *([4318] if "traces" in told else [])]
    assert ("OTEL_EXPORTER_OTLP_ENDPOINT" in variables) == ("traces" in told)
    assert variables.get("LOG_FORMAT") == ("json" if "logs" in told else None)
    scraped = pod["metadata"]["annotations"].get("prometheus.io/port")
    assert scraped == ("9090" if "metrics" in told else None)

    # The autoscaler counts replicas, and two are the least that can replace each other.
    scale = objects["HorizontalPodAutoscaler"]["spec"]
    assert scale["scaleTargetRef"]["name"] == name
    assert (scale["minReplicas"], scale["maxReplicas"]) == ENVIRONMENTS[environment]
    assert "replicas" not in deployment
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    # The service ends within 9 s after the drain, as its README says.
    assert pod["spec"]["terminationGracePeriodSeconds"] > int(variables["DRAIN_SECONDS"]) + 9

    image = container["image"]
    assert image.rpartition("/")[2].partition(":")[0] == name
    # No cluster takes capitals: https://github.com/distribution/reference
    assert image != image.lower()


def test_pods_keep_to_the_standard_for_what_is_restricted(objects: Objects) -> None:
    """Checkov knows most of it: https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # The rest of the standard forbids what is said in no other place than these.
    assert pod.keys().isdisjoint({"volumes", "hostNetwork", "hostPID", "hostIPC", "initContainers"})
    assert container.keys().isdisjoint({"lifecycle", "volumeMounts"})
    assert all(port.keys() <= {"name", "containerPort"} for port in container["ports"])
    assert all(container[probe]["httpGet"].keys() <= {"path", "port"} for probe in PROBES)


def test_checkov_finds_nothing(built: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    options = ["--skip-download", "--quiet", "--compact", f"--skip-check={','.join(SKIPPED)}"]
    ended = subprocess.run(
        [
            *(uv, "tool", "run", "--quiet", *CHECKOV),
            *("checkov", "--framework=kubernetes", f"--directory={built}", "--output=json"),
            *options,
        ],
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = json.loads(ended.stdout)["summary"]
    assert (summary["failed"], summary["parsing_errors"]) == (0, 0)
    assert summary["passed"] > 50 * len(list(built.iterdir()))
