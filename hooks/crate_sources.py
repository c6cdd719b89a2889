"""Lets Cargo resolve a service's crates without reading what could make it run a program.

Cargo takes its settings from `.cargo/config.toml` in the current folder and above, where
`build.rustc-wrapper` and credential providers name programs, and rustup takes a toolchain from
`rust-toolchain.toml` there. A service's own say in an update is where its crates come from.
"""

import json
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Source: https://doc.rust-lang.org/cargo/reference/config.html and
# https://doc.rust-lang.org/cargo/reference/source-replacement.html
TABLES = ("patch", "registries", "registry", "source")
KEYS = frozenset(
    """
    branch default directory git index local-registry package path registry replace-with rev tag
    version
    """.split()
)
PATHS = frozenset({"directory", "local-registry", "path"})


@contextmanager
def neutral_folder(service: Path) -> Iterator[Path]:
    """Give a folder to run Cargo in, with `--manifest-path`, for a service.

    Args:
        service: The folder of the service. What its settings and those above it say of where crates
            come from counts in the folder that is given; nothing else does.

    Yields:
        A temporary folder, which goes with the block.
    """
    settings: dict[str, str] = {}
    for above in (service.resolve(), *service.resolve().parents):
        for key, value in _settings(above):
            settings.setdefault(key, value)
    with tempfile.TemporaryDirectory(prefix="cargo-") as name:
        file = Path(name) / ".cargo" / "config.toml"
        file.parent.mkdir()
        file.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()), "utf-8")
        yield Path(name)


def _settings(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what the settings in a folder say of where crates come from, as TOML."""
    for file in (folder / ".cargo" / "config", folder / ".cargo" / "config.toml"):
        try:
            found = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        yield from _leaves(folder, (), {name: found.get(name) for name in TABLES})


def _leaves(folder: Path, keys: tuple[str, ...], value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(folder, (*keys, key), below)
    elif isinstance(value, str) and keys[-1] in KEYS:
        # A relative path is one from the folder that has `.cargo`.
        text = str(folder / value) if keys[-1] in PATHS else value
        # A string of JSON in ASCII is one of TOML.
        yield ".".join(map(json.dumps, keys)), json.dumps(text)
