"""A private crate registry on 127.0.0.1: a sparse index over TLS that demands its token.

Sources: https://doc.rust-lang.org/cargo/reference/registry-index.html#sparse-protocol and
https://doc.rust-lang.org/cargo/reference/registry-authentication.html
"""

import hashlib
import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import trustme

from lab import servers
from lab.stand_ins import CERTIFICATES

CRATE, VERSION = "acme-words", "1.2.3"
TOKEN = "Bearer-0123456789abcdef-of-acme"  # noqa: S105


# In an image build it looks for the token, and leaves something that Cargo would read.
BUILD_SCRIPT = """\
use std::{env, fs, path::Path};

fn main() {
    let home = env::var("CARGO_HOME").unwrap_or_default();
    if home != "/var/cache/cargo" {
        return;
    }
    for (name, value) in env::vars_os() {
        assert!(!value.to_string_lossy().contains("of-acme"), "{name:?} has the token");
    }
    let secrets = Path::new("/run/secrets");
    let found = secrets.read_dir().map(|entries| entries.count()).unwrap_or(0);
    assert_eq!(found, 0, "the secrets are here");
    fs::write(Path::new(&home).join("config.toml"), "[alias]\\nplanted = \\"build\\"\\n").unwrap();
}
"""


@dataclass(frozen=True)
class Registry:
    """A registry that runs."""

    index: str
    authority: Path
    """The CA certificate of its server, alone."""
    bundle: Path
    """The CA certificates of this machine and its own."""


@contextmanager
def running(folder: Path) -> Iterator[Registry]:
    """Serve one crate, `acme_words::HELLO`; its build script is curious.

    Args:
        folder: Gets the crate and the certificates.
    """
    crate = _packaged(folder)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != TOKEN:
                self._answer(401, b"the token is missing or wrong")
            elif self.path == "/index/config.json":
                config = {"dl": f"{origin}/crates", "auth-required": True}
                self._answer(200, json.dumps(config).encode())
            elif self.path == f"/index/{CRATE[:2]}/{CRATE[2:4]}/{CRATE}":
                self._answer(200, _line(crate))
            elif self.path == f"/crates/{CRATE}/{VERSION}/download":
                self._answer(200, crate)
            else:
                self._answer(404, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    own, bundle = folder / "authority.pem", folder / "bundle.pem"
    authority.cert_pem.write_to_path(own)
    bundle.write_bytes(CERTIFICATES.read_bytes() + own.read_bytes())
    with servers.serving(Handler, context) as port:
        origin = f"https://127.0.0.1:{port}"
        yield Registry(f"sparse+{origin}/index/", own, bundle)


def _packaged(folder: Path) -> bytes:
    """Return the `.crate` file that `cargo package` makes."""
    source = folder / CRATE
    (source / "src").mkdir(parents=True)
    (source / "src" / "lib.rs").write_text('pub const HELLO: &str = "private";\n')
    (source / "build.rs").write_text(BUILD_SCRIPT)
    (source / "Cargo.toml").write_text(
        f'[package]\nname = "{CRATE}"\nversion = "{VERSION}"\nedition = "2021"\n'
    )
    subprocess.run(
        ["cargo", "package", "--quiet", "--offline", "--no-verify", "--target-dir=target"],
        cwd=source,
        check=True,
        capture_output=True,
    )
    return (source / "target" / "package" / f"{CRATE}-{VERSION}.crate").read_bytes()


def _line(crate: bytes) -> bytes:
    entry = {
        "name": CRATE,
        "vers": VERSION,
        "deps": [],
        "cksum": hashlib.sha256(crate).hexdigest(),
        "features": {},
        "yanked": False,
    }
    return json.dumps(entry).encode() + b"\n"
