//! The client that sends spans to the collector. It has a thread of its own, so it may wait.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

use crate::NAME;

/// How long the collector may take for each step.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest answer that is read, in bytes; there is nothing in it but an error.
const ANSWER_BYTES: u64 = 64 * 1024;

#[derive(Debug)]
pub struct Collector {
    is_lost: AtomicBool,
}

impl Collector {
    pub fn new() -> Self {
        let is_lost = AtomicBool::new(false);
        Self { is_lost }
    }

    /// Says that the collector is lost, once until it is found again.
    fn tell(&self, request: &Request<Bytes>, result: &io::Result<Response<Bytes>>) {
        let cause = match result {
            Ok(response) if response.status().is_success() => {
                self.is_lost.store(false, Ordering::Relaxed);
                return;
            }
            Ok(response) => format!("answered {}", response.status()),
            Err(error) => error.to_string(),
        };
        if !self.is_lost.swap(true, Ordering::Relaxed) {
            let line = format!("cannot send traces to {}: {cause}", request.uri());
            tracing::warn!("{NAME}: {line}");
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let result = send(&request);
        self.tell(&request, &result);
        Ok(result?)
    }
}

fn send(request: &Request<Bytes>) -> io::Result<Response<Bytes>> {
    let url = request.uri();
    let host = url.host().unwrap_or_default();
    let port = url.port_u16().unwrap_or(80);
    let mut stream = connect(host.trim_matches(['[', ']']), port)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;

    let mut message = format!(
        "POST {} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nContent-Length: {}\r\n",
        url.path_and_query().map_or("/", |path| path.as_str()),
        request.body().len()
    )
    .into_bytes();
    for (name, value) in request.headers() {
        message.extend_from_slice(name.as_str().as_bytes());
        message.extend_from_slice(b": ");
        message.extend_from_slice(value.as_bytes());
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"\r\n");
    message.extend_from_slice(request.body());
    stream.write_all(&message)?;

    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5));
    let response = Response::builder().status(status.unwrap_or_default());
    response.body(Bytes::new()).map_err(io::Error::other)
}

/// Connects to the first address of a host that takes it.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut result = Err(io::ErrorKind::NotFound.into());
    for address in (host, port).to_socket_addrs()? {
        result = TcpStream::connect_timeout(&address, TIMEOUT);
        if result.is_ok() {
            break;
        }
    }
    result
}
