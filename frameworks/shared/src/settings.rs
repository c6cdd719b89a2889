//! Where the service listens: `HOST` and `PORT` of the environment.

use std::env::{self, VarError};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

const DEFAULT_HOST: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
// template:begin port=8080
const DEFAULT_PORT: u16 = 8080;
// template:end port

/// Reads the address to listen on; port 0 asks the system for a free one.
///
/// # Errors
///
/// Names the variable whose value is no IP address or no port.
pub fn listen_address() -> Result<SocketAddr, String> {
    let host = parse("HOST", env::var("HOST"), DEFAULT_HOST)?;
    let port = parse("PORT", env::var("PORT"), DEFAULT_PORT)?;
    Ok(SocketAddr::new(host, port))
}

fn parse<T>(name: &str, value: Result<String, VarError>, default: T) -> Result<T, String>
where
    T: FromStr,
    T::Err: Display,
{
    match value {
        Ok(value) => value
            .parse()
            .map_err(|error| format!("{name}={value}: {error}")),
        Err(VarError::NotPresent) => Ok(default),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_variable_takes_the_default() {
        assert_eq!(
            parse("PORT", Err(VarError::NotPresent), DEFAULT_PORT),
            Ok(DEFAULT_PORT)
        );
    }

    #[test]
    fn a_set_variable_wins() {
        assert_eq!(
            parse("HOST", Ok("::1".to_owned()), DEFAULT_HOST),
            Ok("::1".parse().unwrap())
        );
    }

    #[test]
    fn a_bad_value_is_named() {
        let error = parse("PORT", Ok("http".to_owned()), DEFAULT_PORT).unwrap_err();
        assert!(error.starts_with("PORT=http: "), "{error}");
    }
}
