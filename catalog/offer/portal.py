"""The entry of Backstage's portal, and the workflow that it starts to make a service.

Sources: https://backstage.io/docs/features/software-catalog/descriptor-format#kind-template,
https://backstage.io/docs/features/software-templates/writing-templates, and the actions' schemas in
backstage/backstage, `plugins/scaffolder-backend` and `plugins/scaffolder-backend-module-github`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from catalog.offer.form import settled, steps
from extensions.pins import action
from extensions.policy import Policy
from extensions.portal import TEMPLATE_NAME
from extensions.registry import frameworks
from extensions.rules import shown

# The one in what is published here; nobody has the repository.
EXAMPLE = "https://github.com/example-org/rust-service-template"
WORKFLOW = "new-service.yml"
BRANCH = "main"
# https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
# says what the name of an owner has; an underscore is in those of managed users.
GITHUB = re.compile(
    r"https://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)"
    r"/(?P<owner>[A-Za-z0-9][A-Za-z0-9_-]*)/(?P<name>(?!\.{1,2}/?\Z)[A-Za-z0-9._-]+?)(?:\.git)?/?"
)


class NoRepository(ValueError):
    """A URL of no repository on GitHub; the message is one line that says what would be right."""


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub or GitHub Enterprise."""

    host: str
    owner: str
    name: str

    @property
    def url(self) -> str:
        """Its web page, which git can clone."""
        return f"https://{self.host}/{self.owner}/{self.name}"

    @property
    def in_a_step(self) -> str:
        """How the steps of Backstage name it.

        Source: `parseRepoUrl` of https://www.npmjs.com/package/@backstage/plugin-scaffolder-node
        """
        return f"{self.host}?owner={self.owner}&repo={self.name}"


def repository(url: str) -> Repository:
    """Read the URL of a repository.

    Raises:
        NoRepository: It is no https:// URL with an owner and a name, or has credentials.
    """
    found = GITHUB.fullmatch(url)
    if found is None:
        raise NoRepository(
            f"{shown(url)} must be the https:// URL of a repository on GitHub, such as {EXAMPLE}"
        )
    return Repository(found["host"], found["owner"], found["name"])


def software_template(template: Repository, owner: str, policy: Policy | None) -> str:
    """Return the Software Template, as YAML that Backstage reads.

    Args:
        template: Where the organisation has this template. New services get repositories of the
            same owner.
        owner: Who answers for the template, as an entity reference.
        policy: What the organisation narrows the questions to.
    """
    entity = {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {
            "name": TEMPLATE_NAME,
            "title": "Rust web service",
            "description": "A web service in Rust, with tests and a small image that really runs.",
            "tags": ["rust", *frameworks()],
            "links": [{"url": template.url, "title": "The template"}],
        },
        "spec": {
            "owner": owner,
            "type": "service",
            "parameters": steps(policy),
            **_what_follows(template, settled(policy).get("catalog")),
        },
    }
    text = yaml.dump(
        entity, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=False, indent=2
    )
    return f"# Made by `catalog backstage`, which has it from copier.yml and the policy.\n{text}"


def _what_follows(template: Repository, is_listed: object) -> dict[str, Any]:
    """Return what Backstage does with the answers, and what it shows in the end.

    Args:
        template: Where the template is.
        is_listed: Whether every service is in the portal's catalog; None if that is asked.
    """
    service = Repository(template.host, template.owner, "${{ parameters.service_name }}")
    actions: list[dict[str, Any]] = [
        {
            "id": "repository",
            "name": "Create an empty repository",
            "action": "github:repo:create",
            "input": {
                "repoUrl": service.in_a_step,
                "description": "${{ parameters.description }}",
            },
        },
        {
            "id": "service",
            "name": "Start the workflow that makes the service",
            "action": "github:actions:dispatch",
            "input": {
                "repoUrl": template.in_a_step,
                "workflowId": WORKFLOW,
                "branchOrTagName": BRANCH,
                "workflowInputs": {"answers": "${{ parameters | dump }}"},
            },
        },
    ]
    if is_listed is not False:
        register: dict[str, Any] = {
            "id": "catalog",
            "name": "List the service in the catalog",
            "action": "catalog:register",
            "if": "${{ parameters.catalog }}",
            # The file is there once the workflow has ended; the catalog looks for it again.
            "input": {
                "catalogInfoUrl": f"{service.url}/blob/{BRANCH}/catalog-info.yaml",
                "optional": True,
            },
        }
        if is_listed:
            del register["if"]
        actions.append(register)
    runs = f"{template.url}/actions/workflows/{WORKFLOW}"
    return {
        "steps": actions,
        "output": {
            "links": [
                {"title": "The repository", "url": service.url, "icon": "github"},
                {"title": "The workflow that fills it", "url": runs, "icon": "github"},
            ],
            "text": [
                {
                    "title": "What comes next",
                    "content": "The workflow makes the service, proves it and pushes it, which "
                    "takes minutes. If it fails, its log says why in one line.",
                }
            ],
        },
    }


def workflow() -> str:
    """Return the workflow of GitHub that makes a service from the answers of a form."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "files"),
        undefined=StrictUndefined,
        # Expressions of GitHub are in braces.
        variable_start_string="<<",
        variable_end_string=">>",
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 # it makes YAML of what is here alone
    )
    return environment.get_template(f"{WORKFLOW}.jinja").render(action=action)


class _Dumper(yaml.SafeDumper):
    """Writes YAML that is read alike by the rules of YAML 1.1 and 1.2."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write everything out."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Quote what could be a number: 1.1 takes `1e3` for text, and 1.2 takes it for a number.

    Source: https://yaml.org/spec/1.2.2/#103-core-schema
    """
    style = '"' if re.match(r"[-+.]?[0-9]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
