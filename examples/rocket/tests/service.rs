//! The service from outside: the program is started, and asked over TCP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

/// The running service; it ends with the test.
struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    /// Starts the service on a free port, and waits until it listens.
    fn start() -> Self {
        let mut process = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))))
            .env("LISTEN_ADDRESS", "127.0.0.1")
            .env("PORT", "0")
            .env("LOG_FORMAT", "text")
            .env("LOG_LEVEL", "info")
            .env("METRICS_PORT", "0")
            .env("OTEL_SDK_DISABLED", "true")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = process.stdout.as_mut().unwrap();
        let mut lines = BufReader::new(stdout).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("http://")).unwrap();
        let (_, address) = line.split_once("http://").unwrap();
        let address = address.parse().unwrap();
        Self { process, address }
    }

    /// Asks once and returns the whole answer: its head, an empty line, and its body.
    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn it_is_healthy_alive_and_ready() {
    let service = Service::start();
    for path in ["/health", "/livez", "/readyz"] {
        let answer = service.ask("GET", path);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[test]
fn an_error_is_a_problem() {
    let service = Service::start();
    for (method, path, status, problem) in [
        (
            "GET",
            "/unknown",
            "404 Not Found",
            r#"{"type":"about:blank","title":"Not Found","status":404}"#,
        ),
        (
            "POST",
            "/health",
            "405 Method Not Allowed",
            r#"{"type":"about:blank","title":"Method Not Allowed","status":405}"#,
        ),
    ] {
        let answer = service.ask(method, path);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
        assert!(
            answer.contains("\r\ncontent-type: application/problem+json\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with(&format!("\r\n\r\n{problem}")), "{answer}");
    }
}
