//! The port of the metrics, which is another than that of the service, so that it can stay private.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{NAME, settings};

const DEFAULT_PORT: u16 = 9090;

/// How long a scrape may take; the next one waits meanwhile.
const TIMEOUT: Duration = Duration::from_secs(2);

const HEAD_BYTES: usize = 8 * 1024;

/// Serves the metrics from now on, on a thread of their own: at `METRICS_PORT`, whose 0 asks the
/// system for a free one.
///
/// # Errors
///
/// Names the variable if its value is no port; says why nobody can listen there.
pub fn open(address: IpAddr) -> Result<(), String> {
    let port = settings::read("METRICS_PORT", "a port from 0 to 65535", |text| {
        text.parse().ok()
    })?;
    let address = SocketAddr::new(address, port.unwrap_or(DEFAULT_PORT));
    listen(address).map_err(|error| format!("cannot serve metrics on {address}: {error}"))
}

fn listen(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    tracing::info!("{NAME} serves metrics on {address}");
    let serve = move || {
        for stream in listener.incoming() {
            match stream {
                // A client that goes away has no answer to miss.
                Ok(stream) => drop(answer(stream)),
                // There are no more files to open; they may be closed again.
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    };
    let thread = thread::Builder::new().name("metrics".to_owned());
    thread.spawn(serve).map(drop)
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let head = head(&mut stream)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let path = head
        .strip_prefix("GET ")
        .and_then(|rest| rest.split(' ').next());
    let (status, kind, body) = match path.map(|path| path.split('?').next()) {
        Some(Some("/metrics")) => (
            "200 OK",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            super::to_text().map_err(io::Error::other)?,
        ),
        _ => ("404 Not Found", "text/plain", "GET /metrics\n".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Reads a request up to its empty line.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let deadline = Instant::now() + TIMEOUT;
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > HEAD_BYTES {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => head.extend_from_slice(&part[..read]),
        }
    }
    String::from_utf8(head).map_err(io::Error::other)
}
