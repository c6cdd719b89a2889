"""What a service in each runtime makes of a DNS server's answers; docs/images.md tells it.

The resolver is that of the C library: musl has another than glibc. In a pod of Kubernetes names are
searched in several domains, whose server may fail one question of several.
Source: https://wiki.musl-libc.org/functional-differences-from-glibc.html#Name-Resolver/DNS
"""

import subprocess
from collections.abc import Iterator

import pytest
from dns.rcode import NXDOMAIN, SERVFAIL

from extensions.registry import runtimes
from lab import dns_server
from lab.containers import WITHOUT_LTO, Docker
from tests.answers import RUNTIMES
from tests.conftest import Copy, missing

RESOLVE = """\
use std::net::ToSocketAddrs;

fn main() {
    for name in std::env::args().skip(1) {
        match (name.as_str(), 0).to_socket_addrs() {
            Ok(found) => {
                let found: Vec<String> = found.map(|each| each.ip().to_string()).collect();
                println!("{}", found.join(" "));
            }
            Err(error) => println!("{}", error.to_string().rsplit(": ").next().unwrap()),
        }
    }
}
"""
SEARCHED = ("ours.svc.cluster.local", "svc.cluster.local")
ANSWERS: dns_server.Answers = {
    ("both.example", "A"): ["192.0.2.1"],
    ("both.example", "AAAA"): ["2001:db8::1"],
    ("only-a.example", "A"): ["192.0.2.2"],
    ("aaaa-fails.example", "A"): ["192.0.2.3"],
    ("aaaa-fails.example", "AAAA"): SERVFAIL,
    ("aaaa-unknown.example", "A"): ["192.0.2.4"],
    ("aaaa-unknown.example", "AAAA"): NXDOMAIN,
    ("orders.svc.cluster.local", "A"): ["192.0.2.5"],
    ("search-fails.example", "A"): ["192.0.2.6"],
    (f"search-fails.example.{SEARCHED[0]}", "A"): SERVFAIL,
}
# What is asked for, and what services on glibc and on musl get; a final dot keeps from a search.
EXPECTED = {
    "both.example.": ("192.0.2.1 2001:db8::1", "192.0.2.1 2001:db8::1"),
    "only-a.example": ("192.0.2.2", "192.0.2.2"),
    "orders": ("192.0.2.5", "192.0.2.5"),
    "aaaa-fails.example.": ("192.0.2.3", "Try again"),
    "aaaa-unknown.example.": ("192.0.2.4", "Name does not resolve"),
    "search-fails.example": ("192.0.2.6", "Try again"),
    "search-fails.example.": ("192.0.2.6", "192.0.2.6"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with dns_server.serving(ANSWERS) as address:
            yield address
    except PermissionError:
        missing("only root serves DNS on port 53, until net.ipv4.ip_unprivileged_port_start is 53")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_names_resolve_as_the_docs_say(
    runtime: str, server: str, docker: Docker, render_tiny: Copy
) -> None:
    folder = render_tiny(service_name="resolving", runtime=runtime)
    (folder / "src" / "bin").mkdir()
    (folder / "src" / "bin" / "resolve.rs").write_text(RESOLVE)
    built = docker.build(folder, WITHOUT_LTO, "--build-arg=BIN=resolve")
    network = ["--network=host", f"--dns={server}", "--dns-option=ndots:5"]
    search = [f"--dns-search={domain}" for domain in SEARCHED]
    # The names are asked for at once: musl asks for 5 s until it gives up.
    asked = {
        name: subprocess.Popen(
            [docker.client, "run", "--rm", *network, *search, built.image, name],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in EXPECTED
    }
    got = {name: process.communicate()[0].strip() for name, process in asked.items()}
    which = 0 if runtimes()[runtime].libc == "glibc" else 1
    assert got == {name: each[which] for name, each in EXPECTED.items()}
    docker("image", "rm", "--force", built.image)
