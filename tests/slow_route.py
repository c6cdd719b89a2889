"""An owner's edit that tests share: a route that takes 2 s, so that a request can be in flight."""

from pathlib import Path

_ROUTE = {
    "actix": (
        '#[get("/slow")]\nasync fn slow() -> impl Responder {\n'
        "    actix_web::rt::time::sleep(std::time::Duration::from_secs(2)).await;\n"
        '    "finished"\n}\n\n'
    ),
    "rocket": (
        '#[get("/slow")]\nasync fn slow() -> &\'static str {\n'
        "    rocket::tokio::time::sleep(std::time::Duration::from_secs(2)).await;\n"
        '    "finished"\n}\n\n'
    ),
}
_REGISTERED = {
    "actix": ("config.service(health)", "config.service(slow).service(health)"),
    "rocket": ("routes![health]", "routes![slow, health]"),
}


def add(folder: Path, framework: str) -> None:
    """Add `GET /slow`, which answers `finished`, to a service."""
    routes = folder / "src" / "routes.rs"
    text = routes.read_text()
    health = '#[get("/health")]'
    for old, new in [(health, _ROUTE[framework] + health), _REGISTERED[framework]]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    routes.write_text(text)
