"""Makes the services in `examples/` anew, as a person makes one: by Copier, from a URL.

They record the URL that the docs of the portal take as an example, and a version that says that
they are of no version: they are what this checkout emits.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from catalog.offer.portal import EXAMPLE
from extensions.pins import ROOT
from extensions.policy_file import VARIABLE
from lab.rendering import COPIER, copy_template
from lab.repository import commit, git

FOLDER = ROOT / "examples"
VERSION = "0.0.0"
# The answers by the folder, which is called as the framework; what is not here is the default.
ANSWERS: dict[str, dict[str, object]] = {
    "actix": {"service_name": "order-api"},
    "rocket": {
        "service_name": "stock-api",
        "description": "Knows how many of each article are in stock, and where.",
        "owner": "warehouse",
        "framework": "rocket",
        "profile": "speed",
        "observability": ["logs", "metrics", "traces"],
        "runtime": "distroless",
        "ci": "gitlab",
        "deploy": ["compose", "kubernetes"],
        "catalog": True,
    },
}


def make(folder: Path) -> None:
    """Make every example in a folder, which is made too; nothing is built or started.

    Raises:
        CalledProcessError: Copier or git failed, and has said why.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        template = copy_template(scratch / "template")
        git(template, "init", "--quiet")
        commit(template)
        git(template, "tag", VERSION)
        settings = scratch / "settings.yml"
        settings.write_text("{}\n")
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            # Git reads the URL from the copy; Copier adds .git to what is on GitHub.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{template}.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{EXAMPLE}.git",
            # Nothing that the person has set for services of their own.
            "COPIER_CACHE_DIR": str(scratch / "cache"),
            "COPIER_SETTINGS_PATH": str(settings),
            VARIABLE: "",
        }
        for each, answers in ANSWERS.items():
            data = scratch / f"{each}.json"
            data.write_text(json.dumps(answers), "utf-8")
            command = [COPIER, "copy", "--trust", "--quiet", "--defaults", "--skip-tasks"]
            subprocess.run(
                [*command, f"--data-file={data}", EXAMPLE, folder / each],
                env=environment,
                check=True,
            )


def write() -> None:
    """Make the examples of this checkout anew, in place of those that are there."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        make(made)
        for each in ANSWERS:
            shutil.rmtree(FOLDER / each, ignore_errors=True)
            shutil.copytree(made / each, FOLDER / each)
