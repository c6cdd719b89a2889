"""Filters that put text from a person into a file: one for each language."""

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .rules import RULES


def toml(text: str) -> str:
    """Return the text as a TOML basic string with its quotes.

    Source: https://toml.io/en/v1.0.0#string
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rust(text: str) -> str:
    r"""Return the text as a string literal of Rust with its quotes; `\` and `"` are special in it.

    Source: https://doc.rust-lang.org/reference/tokens.html#string-literals
    """
    return toml(text)


def dockerfile(text: str) -> str:
    r"""Return the text as a quoted word of a Dockerfile, in which `\`, `"` and `$` are special.

    Source: https://docs.docker.com/reference/dockerfile/#escape and #environment-replacement there.
    """
    return '"' + re.sub(r'(["\\$])', r"\\\1", text) + '"'


def yaml_text(text: str) -> str:
    """Return the text as a double-quoted scalar of YAML, on one line.

    Source: https://yaml.org/spec/1.2.2/#double-quoted-style; it takes all that JSON writes.
    """
    return json.dumps(text, ensure_ascii=False)


def markdown(text: str) -> str:
    """Return the text as a paragraph of Markdown that shows it unchanged.

    Source: https://spec.commonmark.org/0.31.2/#backslash-escapes; GitHub adds `~` and `$`.
    """
    escaped = re.sub(r"([\\`*_\[\]<>&~$])", r"\\\1", text)
    return re.sub(r"^([#+=-]|[0-9]+(?=[.)]))", _escape_block_start, escaped)


def _escape_block_start(match: re.Match[str]) -> str:
    start = match[1]
    return f"{start}\\" if start.isdigit() else f"\\{start}"


def code_owner(owner: str) -> str:
    """Return an owner of the catalog as CODEOWNERS names it.

    Args:
        owner: `[kind:][namespace/]name`; of a namespace, the portal's default one goes.

    Source: https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-syntax
    and https://docs.gitlab.com/user/project/codeowners/reference/
    """
    return "@" + owner.rpartition(":")[2].removeprefix("default/")


def shell(text: object) -> str:
    """Return the text as one word of a POSIX shell."""
    return shlex.quote(str(text))


def recorded_folder(source: object) -> str:
    """Return the absolute path that is recorded for a template on this machine, "" for a URL."""
    return str(Path(str(source)).resolve()) if source and Path(str(source)).is_dir() else ""


def answers_yaml(answers: Mapping[str, Any]) -> str:
    """Return Copier's answers as the YAML of the answers file.

    Answers are recorded in the type of their question. A relative path of a template is
    recorded as an absolute one, since an update may run in another folder.

    Source: https://copier.readthedocs.io/en/stable/configuring/#the-copier-answersyml-file
    """
    recorded = {
        name: RULES[name](value) if name in RULES else value for name, value in answers.items()
    }
    if folder := recorded_folder(recorded.get("_src_path")):
        recorded["_src_path"] = folder
    return yaml.safe_dump(recorded, allow_unicode=True, sort_keys=False, width=10_000)
