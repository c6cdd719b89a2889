"""What versions of the template make of the answers of services, without a copy of each.

Every service has a name of its own, so no two copies are the same. Most of their files are: a file
is rendered once for all services that have the same answers, as far as it reads them. What it reads
is seen while Jinja looks its variables up.

This does for a template such as ours what Copier's loops do, and leans on its inside for that.
`catalog status --verify` compares it with real copies, and the pinned Copier keeps it so.
"""

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from copier import Phase
from copier._jinja_ext import get_yield_context
from copier._main import Worker
from copier._settings import SettingsModel
from copier._tools import cast_to_bool
from copier._types import MISSING
from copier._user_data import AnswersMap, Question
from copier.errors import CopierError
from copier_template_extensions import ContextHook
from jinja2 import TemplateError
from jinja2.runtime import Context

from extensions.images import DOCKERFILE
from extensions.registry import LOCK
from hooks.command_line import ANSWERS_FILE
from hooks.pinned import bases

# The owner keeps the lock file, and the answers are what is asked with.
APART = frozenset({LOCK, ANSWERS_FILE})
# From so many results of a file on, those are dropped that nobody asked for again: no other service
# has the same name.
MOST_RESULTS = 24
REGULAR, EXECUTABLE = 0o100644, 0o100755


class NotRendered(Exception):
    """A version cannot be made of some answers; the message is one line that says why."""


@dataclass(frozen=True)
class File:
    """A file as git stores it.

    Attributes:
        mode: Its mode in a tree.
        sha1: The name of its blob in most repositories.
        sha256: The name of its blob in repositories of that object format.
        images: What a Dockerfile is built from and on.
    """

    mode: int
    sha1: str
    sha256: str
    images: tuple[str, ...] = ()


@dataclass
class _Known:
    """What is known of a render: the variable that it looks up next, or its result."""

    variable: str = ""
    by_value: dict[str, "_Known"] = field(default_factory=dict)
    result: Any = None
    is_used: bool = False

    def forget(self) -> None:
        """Drop what nobody asked for since this was last done."""
        self.by_value = {value: each for value, each in self.by_value.items() if each.is_used}
        for each in self.by_value.values():
            each.is_used = False


@dataclass(frozen=True)
class _Source:
    """A file of the template.

    Attributes:
        file: It.
        name: How Jinja knows it.
        parts: Those of its path in the folder that is copied, without the suffix of templates.
        mode: Its mode in a tree.
        is_rendered: Whether Jinja renders it; any other is copied.
    """

    file: Path
    name: str
    parts: tuple[str, ...]
    mode: int
    is_rendered: bool


class _Recording(Context):
    """A context of Jinja that notes which variables are looked up."""

    looked_up: list[str] = []  # noqa: RUF012 (one render at a time)

    def resolve_or_missing(self, key: str) -> Any:
        self.looked_up.append(key)
        return super().resolve_or_missing(key)


class Expected:
    """What one version of the template makes of answers; it keeps what services share."""

    def __init__(self, template: Path) -> None:
        """Read a version.

        Args:
            template: Its files, unpacked; its Python is run.

        Raises:
            NotRendered: It is no template that Copier can read.
        """
        try:
            self._worker = Worker(
                src_path=str(template),
                dst_path=Path(tempfile.gettempdir()) / "nothing-is-written-here",
                defaults=True,
                quiet=True,
                settings=SettingsModel(),
                skip_tasks=True,
                unsafe=True,
            )
            self._worker.answers = AnswersMap()
            self._environment = self._worker.jinja_env
            self._questions = self._worker.template.questions_data
            self._base = self._worker._render_context()
        except (CopierError, TemplateError, ValueError, OSError) as reason:
            raise NotRendered(_line(reason)) from reason
        extensions = self._environment.extensions.values()
        self._hooks = [each for each in extensions if isinstance(each, ContextHook)]
        # The hooks see each service once, instead of each render.
        self._environment.context_class = _Recording
        self._environment.auto_reload = False
        self._sources = list(self._read_sources())
        self._known: dict[str, _Known] = {}

    def files(
        self, answers: Mapping[str, Any], only: Collection[str] | None = None
    ) -> dict[str, File]:
        """Return the files that this version makes of the answers of a service, by their paths.

        Args:
            answers: As an answers file records them.
            only: Leave out all other paths.

        Raises:
            NotRendered: It cannot be made of them.
        """
        try:
            context = self._context(answers)
            return {
                path: self._file(path, source, {**context, **more} if more else context)
                for source in self._sources
                for path, more in self._paths(source, context)
                if path not in APART and (only is None or path in only)
            }
        except (CopierError, TemplateError, ValueError, TypeError, LookupError) as reason:
            raise NotRendered(_line(reason)) from reason

    def _context(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return what Copier renders with once all is answered."""
        recorded = {name: answers[name] for name in answers if name.startswith("_")}
        found: dict[str, Any] = {**self._base}
        for name, question in self._questions.items():
            is_asked = self._value(question.get("when", True), found)
            if is_asked and name in answers:
                found[name] = recorded[name] = answers[name]
                continue
            default = self._default(name, question, found)
            if default is not MISSING:
                found[name] = default
                if is_asked:
                    recorded[name] = default
        found["_copier_answers"] = recorded
        with Phase.use(Phase.RENDER):
            for hook in self._hooks:
                hook.hook(found)
        return found

    def _value(self, value: Any, context: Mapping[str, Any]) -> bool:
        """Return a condition as Copier takes it."""
        if not isinstance(value, str):
            return bool(value)
        text = self._shared(
            f"when {value}",
            context,
            lambda with_: self._environment.from_string(value).render(with_),
        )
        return bool(cast_to_bool(text))

    def _default(self, name: str, question: Mapping[str, Any], context: dict[str, Any]) -> Any:
        default = question.get("default", MISSING)
        if not isinstance(default, str) or "{" not in default:
            return default
        asked = Question(
            answers=AnswersMap(),
            context=context,
            jinja_env=self._environment,
            settings=self._worker.settings,
            var_name=name,
            **{**question, "validator": "", "when": False},
        )
        return asked.get_default()

    def _read_sources(self) -> Iterator[_Source]:
        """Yield the files of the template, in order."""
        top, root = self._worker.template.local_abspath, self._worker.template_copy_root
        suffix = self._worker.template.templates_suffix
        for file in sorted(each for each in root.rglob("*") if each.is_file()):
            *folders, last = file.relative_to(root).parts
            name = file.relative_to(top).as_posix()
            mode = EXECUTABLE if file.stat().st_mode & 0o100 else REGULAR
            is_rendered = name.endswith(suffix)
            yield _Source(file, name, (*folders, last.removesuffix(suffix)), mode, is_rendered)

    def _paths(
        self, source: _Source, context: Mapping[str, Any]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return where a file of the template is emitted, each with what its name adds."""
        found: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), {})]
        for part in source.parts:
            found = [
                ((*before, name), {**more, **added})
                for before, more in found
                for name, added in self._names(part, {**context, **more} if more else context)
                if name
            ]
        for names, more in found:
            yield "/".join(names), more

    def _names(self, part: str, context: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Return what one part of a path stands for, once for each value that it yields."""
        if "{" not in part:
            return [(part, {})]

        def render(context: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
            name = self._environment.from_string(part).render(context)
            yielded = get_yield_context(self._environment)
            if not (variable := yielded.yield_name):
                return [(name, {})]
            added: list[dict[str, Any]] = [
                {variable: value} for value in yielded.yield_iterable or ()
            ]
            # Each reading of the text begins anew; Copier does the same.
            return [
                (self._environment.from_string(part).render({**context, **each}), each)
                for each in added
            ]

        found: list[tuple[str, dict[str, Any]]] = self._shared(f"name {part}", context, render)
        return found

    def _file(self, path: str, source: _Source, context: Mapping[str, Any]) -> File:
        def render(context: Mapping[str, Any]) -> File:
            if not source.is_rendered:
                return stored(source.file.read_bytes(), source.mode)
            text = self._environment.get_template(source.name).render(context)
            made = stored(text.encode(), source.mode)
            return replace(made, images=tuple(bases(text))) if path == DOCKERFILE else made

        found: File = self._shared(f"file {source.name}", context, render)
        return found

    def _shared(
        self, what: str, context: Mapping[str, Any], render: Callable[[Mapping[str, Any]], Any]
    ) -> Any:
        """Render something, unless what it looks up had the same values before.

        Args:
            what: Tells apart what is rendered.
            context: What may be looked up.
            render: Renders it.
        """
        known = self._known.setdefault(what, _Known())
        while known.variable:
            value = self._named(context, known.variable)
            if value not in known.by_value:
                break
            known = known.by_value[value]
            known.is_used = True
        if known.result is not None:
            return known.result
        _Recording.looked_up.clear()
        result = render(context)
        # Names that are not in the context are Jinja's own, or set in the template.
        read = [name for name in dict.fromkeys(_Recording.looked_up) if name in context]
        known = self._known[what]
        for name in read:
            known.variable = name
            if len(known.by_value) >= MOST_RESULTS:
                known.forget()
            known = known.by_value.setdefault(self._named(context, name), _Known())
        known.result = result
        return result

    def _named(self, context: Mapping[str, Any], name: str) -> str:
        """Return a text that is another one for another value of a variable."""
        return "" if name == "_copier_conf" else repr(context.get(name))


def stored(content: bytes, mode: int) -> File:
    """Return a file as git stores it.

    Args:
        content: What it has.
        mode: Its mode in a tree.

    Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    blob = b"blob %d\0%b" % (len(content), content)
    return File(mode, hashlib.sha1(blob).hexdigest(), hashlib.sha256(blob).hexdigest())  # noqa: S324


def _line(reason: Exception) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__
