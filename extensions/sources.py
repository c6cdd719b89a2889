"""What is emitted from the crates in `services/`, which are built and tested in place."""

import re
from functools import cache

from jinja2 import pass_context
from jinja2.runtime import Context

from .pins import ROOT, parse_release

# The name and version of the crates in `services/`.
PLACEHOLDER, VERSION = "service", "0.1.0"
# One lock file for each set of dependencies; Cargo itself uses the first, in place.
LOCKS = {"musl": "Cargo.lock", "glibc": "Cargo.glibc.lock"}

DEFAULT_PORT = re.compile(r"(?<=const DEFAULT_PORT: u16 = )[0-9]+(?=;)")
MUSL_ALLOCATOR = re.compile(
    r'(?:^///.*\n)*^#\[cfg\(target_env = "musl"\)\]\n#\[global_allocator\]\n.*\n\n', re.MULTILINE
)


@cache
def _read(framework: str, path: str) -> str:
    return (ROOT / "services" / framework / path).read_text("utf-8")


def _substitute(pattern: re.Pattern[str], new: str, text: str, path: str) -> str:
    text, count = pattern.subn(new, text)
    if count != 1:
        raise ValueError(f"{path} must match {pattern.pattern!r} once, not {count} times")
    return text


@pass_context
def rust(context: Context, path: str) -> str:
    """Return a Rust source of the chosen framework's crate, for this service.

    Args:
        context: The answers.
        path: The file below `services/<framework>/src`.
    """
    text = _read(context["framework"], f"src/{path}")
    if path == "settings.rs":
        text = _substitute(DEFAULT_PORT, str(context["port"]), text, path)
    if path == "main.rs" and context["libc"] != "musl":
        text = _substitute(MUSL_ALLOCATOR, "", text, path)
    return text


@pass_context
def dependencies(context: Context) -> str:
    """Return the dependency tables of the service's manifest."""
    return dependency_tables(context["framework"], context["libc"])


def dependency_tables(framework: str, libc: str) -> str:
    """Return the dependency tables of a framework's crate, less those for another C library."""
    text = _read(framework, "Cargo.toml")
    tables = re.split(r"\n(?=\[)", text[text.index("[dependencies]") :].strip())
    if libc != "musl":
        tables = [table for table in tables if 'target_env = "musl"' not in table]
    return "\n".join(tables).strip()


@pass_context
def lock(context: Context) -> str:
    """Return the tested lock file of the chosen dependencies, for a crate of the service's name."""
    text = _read(context["framework"], LOCKS[context["libc"]])
    return rename_locked(text, context["service_name"])


def rename_locked(text: str, name: str) -> str:
    """Give the root package of a lock file another name, in the order and form that Cargo writes.

    Args:
        text: A lock file of format 4 whose root package is `service`.
        name: The new name. A dependency may have it too; other packages then say which they mean.

    Returns:
        The lock file of the same crate under that name.

    Source: rust-lang/cargo, src/cargo/core/resolver/encode.rs
    """
    header, *packages = text.rstrip("\n").split("\n\n[[package]]\n")
    namesakes = [package for package in packages if _field(package, "name") == name]
    if len(namesakes) == 1:
        version = _field(namesakes[0], "version")
        meant = f"{name} {version}"
        if version == VERSION:
            meant += f" ({_field(namesakes[0], 'source')})"
        packages = [package.replace(f'\n "{name}",', f'\n "{meant}",') for package in packages]
    packages = [
        package.replace(f'name = "{PLACEHOLDER}"', f'name = "{name}"', 1)
        if _field(package, "name") == PLACEHOLDER
        else package
        for package in packages
    ]
    packages.sort(key=lambda package: (_field(package, "name"), _release(package)))
    return "\n\n[[package]]\n".join([header, *packages]) + "\n"


def _field(package: str, key: str) -> str:
    match = re.search(rf'^{key} = "(.*)"$', package, re.MULTILINE)
    return match[1] if match else ""


def _release(package: str) -> tuple[int, int, int]:
    core = re.split(r"[-+]", _field(package, "version"))[0]
    return parse_release(core) or (0, 0, 0)
