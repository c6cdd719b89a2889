//! The `healthcheck` command: asks the running service for `/health`, so that a container without
//! a shell can be probed by its own binary.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the service that listens on `address`.
///
/// # Errors
///
/// Says why the service is not healthy: nothing answers in time, or what answers is not `200 OK`.
pub fn run(address: SocketAddr) -> Result<(), String> {
    if address.port() == 0 {
        return Err(
            "PORT=0: healthcheck cannot know the port; set PORT to what the service printed"
                .to_owned(),
        );
    }
    let (usual, other) = reachable(address);
    ask(usual)
        .or_else(|error| other.map_or(Err(error), ask))
        .map_err(|error| format!("{address} is unhealthy: {error}"))
}

/// The addresses to ask when the service listens on `address`, which may stand for all interfaces:
/// those of IPv6 stand for IPv4 too, and a machine may lack either.
fn reachable(address: SocketAddr) -> (SocketAddr, Option<SocketAddr>) {
    let v4 = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port());
    let v6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port());
    match address {
        _ if !address.ip().is_unspecified() => (address, None),
        SocketAddr::V4(_) => (v4, None),
        SocketAddr::V6(_) => (v4, Some(v6)),
    }
}

fn ask(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;

    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    if status.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(io::Error::other(format!(
            "answered {:?}",
            status.trim_end()
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Serves one connection on 127.0.0.1 with `response`, and returns what `run` makes of it.
    ///
    /// `listens_on` is the address that the service was told.
    fn answered(listens_on: &str, response: &'static str) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            BufReader::new(&stream).read_line(&mut request).unwrap();
            stream.write_all(response.as_bytes()).unwrap();
            request
        });
        let result = run(SocketAddr::new(listens_on.parse().unwrap(), port));
        assert_eq!(server.join().unwrap(), "GET /health HTTP/1.1\r\n");
        result
    }

    #[test]
    fn ok_is_healthy() {
        for listens_on in ["127.0.0.1", "0.0.0.0", "::"] {
            let result = answered(listens_on, "HTTP/1.1 200 OK\r\n\r\nOK");
            assert_eq!(result, Ok(()), "{listens_on}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        let error = answered("127.0.0.1", "HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap_err();
        assert!(error.contains("503"), "{error}");
    }

    #[test]
    fn nobody_listening_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(run(address).is_err());
    }

    #[test]
    fn a_port_that_the_system_chose_is_not_known() {
        let error = run("127.0.0.1:0".parse().unwrap()).unwrap_err();
        assert!(error.starts_with("PORT=0: "), "{error}");
    }
}
