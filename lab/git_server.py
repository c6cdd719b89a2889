"""A git server on 127.0.0.1 that speaks HTTPS and demands a token, as GitHub does.

Source: https://git-scm.com/docs/git-http-backend, which does the work.
"""

import base64
import email.parser
import http
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from lab import servers
from lab.repository import git

TOKEN = "ghs_0123456789abcdef0123456789abcdef"  # noqa: S105


@dataclass(frozen=True)
class GitServer:
    """A server that runs.

    Attributes:
        url: Where it answers, `https://127.0.0.1:PORT`.
        root: The folder of its repositories, which are bare.
        authority: The CA certificate of its server.
    """

    url: str
    root: Path
    authority: Path

    def create(self, name: str) -> Path:
        """Create an empty repository and return its folder."""
        folder = self.root / name
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
        return folder


@contextmanager
def serving(folder: Path, user: str = "x-access-token") -> Iterator[GitServer]:
    """Serve the repositories that are made in a folder, to a user with the token."""
    root = folder / "repositories"
    root.mkdir()
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    expected = f"Basic {base64.b64encode(f'{user}:{TOKEN}'.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected:
                self.send_response(http.HTTPStatus.UNAUTHORIZED)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            url = urlsplit(self.path)
            length = self.headers.get("Content-Length", "0")
            ended = subprocess.run(
                ["git", "http-backend"],
                input=self.rfile.read(int(length)),
                stdout=subprocess.PIPE,
                check=True,
                env={
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(root),
                    "GIT_HTTP_EXPORT_ALL": "",
                    "REMOTE_USER": "somebody",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": url.path,
                    "QUERY_STRING": url.query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": length,
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                },
            )
            head, _, body = ended.stdout.partition(b"\r\n\r\n")
            fields = email.parser.BytesParser().parsebytes(head)
            self.send_response(int(fields.get("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with servers.serving(Handler, context) as port:
        yield GitServer(f"https://127.0.0.1:{port}", root, folder / "authority.pem")
