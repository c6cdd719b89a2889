"""Edits that owners make to their services, as several tests need them."""

from pathlib import Path


def write_answer(folder: Path, expression: str) -> None:
    """Let the health route of the toy answer with what a Rust expression says."""
    routes = folder / "src" / "routes.rs"
    before, start, rest = routes.read_text().partition("fn health() -> &'static str {\n")
    assert start
    _, _, after = rest.partition("\n}\n")
    routes.write_text(f"{before}{start}    {expression}\n}}\n{after}")
