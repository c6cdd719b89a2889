//! What the environment decides: where the service listens, and how long it drains.

use std::env;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const DEFAULT_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const DEFAULT_PORT: u16 = 8000;

/// Reads where to listen: `LISTEN_ADDRESS`, whose `[::]` takes IPv4 too, and `PORT`, whose 0 asks
/// the system for a free one.
///
/// # Errors
///
/// Names the variable whose value is no IP address or no port.
pub fn listen_address() -> Result<SocketAddr, String> {
    let address = read(
        "LISTEN_ADDRESS",
        "an IP address such as 127.0.0.1, 0.0.0.0 or [::]",
        parse_address,
    )?;
    let port = read("PORT", "a port from 0 to 65535", |text| text.parse().ok())?;
    Ok(SocketAddr::new(
        address.unwrap_or(DEFAULT_ADDRESS),
        port.unwrap_or(DEFAULT_PORT),
    ))
}

/// Reads how long to go on listening after SIGTERM: `DRAIN_SECONDS`, none where it is not set.
///
/// # Errors
///
/// Names the variable if its value is no number of seconds.
pub fn drain_time() -> Result<Duration, String> {
    let seconds = read("DRAIN_SECONDS", "whole seconds such as 0 or 15", |text| {
        text.parse().ok()
    })?;
    Ok(Duration::from_secs(seconds.unwrap_or(0)))
}

/// Reads a variable; `expected` says in words what `parse` takes.
///
/// # Errors
///
/// Names the variable if `parse` does not take its value.
pub fn read<T>(
    name: &str,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    env::var_os(name)
        .map(|value| parsed(name, value, expected, parse))
        .transpose()
}

fn parsed<T>(
    name: &str,
    value: OsString,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, String> {
    value.to_str().and_then(parse).ok_or_else(|| {
        let value = value.to_string_lossy();
        format!("{name}={}: expected {expected}", value.escape_debug())
    })
}

/// Takes an IP address; one of IPv6 may have brackets, as in a URL.
fn parse_address(text: &str) -> Option<IpAddr> {
    match text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        Some(text) => text.parse().map(IpAddr::V6).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_brackets() {
        for text in ["::1", "[::1]"] {
            assert_eq!(parse_address(text), Some("::1".parse().unwrap()), "{text}");
        }
        assert_eq!(parse_address("127.0.0.1"), Some(Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "localhost", "[::1", "[127.0.0.1]", "127.0.0.1:80"] {
            assert_eq!(parse_address(text), None, "{text}");
        }
    }

    #[test]
    fn a_bad_value_is_named_in_a_line() {
        let error = parsed("PORT", "http\n".into(), "a port", |text| {
            text.parse::<u16>().ok()
        });
        assert_eq!(error.unwrap_err(), r"PORT=http\n: expected a port");
    }
}
