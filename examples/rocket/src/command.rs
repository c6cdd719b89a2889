//! The command line: nothing serves, and `healthcheck` asks a running service.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use crate::{NAME, healthcheck, settings};

/// Does what the command line says; `serve` takes where to listen and how long to drain. What goes
/// wrong is one line on stderr.
pub fn run(serve: impl FnOnce(SocketAddr, Duration) -> Result<(), String>) -> ExitCode {
    match command(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command(serve: impl FnOnce(SocketAddr, Duration) -> Result<(), String>) -> Result<(), String> {
    let address = settings::listen_address()?;
    match env::args().nth(1).as_deref() {
        None => serve(address, settings::drain_time()?),
        Some("healthcheck") => healthcheck::run(address),
        Some(other) => Err(format!(
            "unknown command {other:?}, expected healthcheck or none"
        )),
    }
}
