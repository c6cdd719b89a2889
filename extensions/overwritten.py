"""Which files a copy would overwrite, known before it writes the first one."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from copier.errors import UserMessageError
from jinja2 import Environment
from pathspec import GitIgnoreSpec

from .pins import ROOT

SUFFIX = ".jinja"


def check_overwritten(environment: Environment, context: Mapping[str, Any]) -> None:
    """Make sure that a copy overwrites nothing that somebody has, where nobody can be asked.

    Args:
        environment: The one that Copier renders with.
        context: What Copier renders with, once all is answered and before anything is written.

    Raises:
        UserMessageError: Files with another content are in the way. Copier itself would ask for
            each, and end halfway without a terminal.
    """
    conf = context["_copier_conf"]
    if conf["overwrite"] or sys.stdin.isatty() or not Path(conf["dst_path"]).is_dir():
        return
    settings = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    skipped = GitIgnoreSpec.from_lines([*settings["_skip_if_exists"], *conf["skip_if_exists"]])
    excluded = GitIgnoreSpec.from_lines(conf["exclude"])
    found = [
        name
        for name, template, more in _emitted(environment, context)
        if not skipped.match_file(name) and not excluded.match_file(name)
        if _differs(Path(conf["dst_path"]) / name, environment, template, {**context, **more})
    ]
    if found:
        raise UserMessageError(
            f"{', '.join(found)}: would be overwritten; --overwrite allows it, --skip FILE does not"
        )


def _emitted(
    environment: Environment, context: Mapping[str, Any]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield each file that is emitted: its name, its template, and what is added to the context."""
    folder = ROOT / "template"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place, template = path.relative_to(folder).as_posix(), path.relative_to(ROOT).as_posix()
        if "{% yield " in place:
            yield from ((name, template, {"path": name}) for name in context["crate"])
        elif "answers_file" not in place:
            parts = [environment.from_string(part).render(context) for part in place.split("/")]
            if all(part.removesuffix(SUFFIX) for part in parts):
                yield "/".join(parts).removesuffix(SUFFIX), template, {}


def _differs(
    file: Path, environment: Environment, template: str, context: Mapping[str, Any]
) -> bool:
    if not file.is_file():
        return file.exists()
    if not template.endswith(SUFFIX):
        return file.read_bytes() != (ROOT / template).read_bytes()
    return file.read_bytes() != environment.get_template(template).render(context).encode()
