"""What is set around Copier and may not decide what it does: git's variables and settings.

A setting in the environment wins over every file of git's configuration; see GIT_CONFIG_COUNT in
https://git-scm.com/docs/git-config#ENVIRONMENT.
"""

import os
import subprocess
from collections.abc import Mapping, MutableMapping
from pathlib import Path

# Git sets these for hooks and aliases, and they name a repository, whatever the current folder is.
# `git rev-parse --local-env-vars` lists them; those that only carry settings stay.
REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
FORMAT = "GIT_DEFAULT_HASH"
# If it names a file, hooks/outcome.py writes there how an update ended.
OUTCOME_FILE = "OUTCOME_FILE"
# A repository shall run no program, and no hook of a person stop what Copier commits. Copier marks
# the conflicts that it finds as untracked files, which fails with SHA-256; hooks/merge.py does it.
SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "status.showUntrackedFiles": "no",
}


def neutral(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which git goes by the current folder, and by `SETTINGS`.

    Args:
        environment: The one to start from. What else it sets for git stays.

    Returns:
        Another one. To do this twice is to do it once. No entry of its PYTHONPATH is relative, so
        that Python imports nothing from the current folder.
    """
    made = {name: value for name, value in environment.items() if name not in REPOSITORY}
    count = int(made.get("GIT_CONFIG_COUNT") or 0)
    keys = {made.get(f"GIT_CONFIG_KEY_{number}"): number for number in range(count)}
    for key, value in SETTINGS.items():
        number = keys.setdefault(key, count)
        count = max(count, number + 1)
        made[f"GIT_CONFIG_KEY_{number}"] = key
        made[f"GIT_CONFIG_VALUE_{number}"] = value
    made["GIT_CONFIG_COUNT"] = str(count)
    if "PYTHONPATH" in made:
        folders = made["PYTHONPATH"].split(os.pathsep)
        made["PYTHONPATH"] = os.pathsep.join(filter(os.path.isabs, folders))
    return made


def settle(environment: MutableMapping[str, str], service: Path | None) -> None:
    """Make the environment of what Copier runs from now on `neutral`, in place.

    Args:
        environment: The one that Copier gives to git and to tasks.
        service: The service that is updated, where there is one. What it is compared with must have
            its object format: https://git-scm.com/docs/git-init, GIT_DEFAULT_HASH.
    """
    made = neutral(environment)
    if OUTCOME_FILE in made:
        # Tasks run elsewhere.
        made[OUTCOME_FILE] = str(Path(made[OUTCOME_FILE]).absolute())
    if service is not None and FORMAT not in made:
        asked = ["git", "-C", str(service), "rev-parse", "--show-object-format"]
        answered = subprocess.run(asked, env=made, capture_output=True, text=True, check=False)
        made |= {FORMAT: answered.stdout.strip()} if answered.stdout.strip() else {}
    # Not of the environment itself: that of plumbum iterates over pairs.
    for name in dict(environment.items()).keys() - made.keys():
        del environment[name]
    environment.update(made)
