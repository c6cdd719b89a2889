"""The names of `lab/versions.py`, under which tests found them before benchmarks had them too."""

from lab.versions import (
    NEW_LINE,
    NOTES,
    VERSIONS,
    add_crate,
    replace,
    with_a_past,
    with_two_versions,
)

__all__ = [
    "NEW_LINE",
    "NOTES",
    "VERSIONS",
    "add_crate",
    "replace",
    "with_a_past",
    "with_two_versions",
]
