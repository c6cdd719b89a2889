//! The service: its routes, and what carries them.

pub mod answers;
pub mod error;
pub mod failures;
pub mod healthcheck;
pub mod limits;
pub mod probes;
pub mod problem;
pub mod routes;
pub mod settings;
pub mod shutdown;

// More modules go here.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};

use shutdown::Signals;

const NAME: &str = env!("CARGO_PKG_NAME");

/// Does what the command line says: serves, or asks a running service for its health.
pub fn run() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Result<(), String> {
    let address = settings::listen_address()?;
    match env::args().nth(1).as_deref() {
        None => {
            let drain_time = settings::drain_time()?;
            actix_web::rt::System::new()
                .block_on(serve(address, drain_time))
                .map_err(|error| format!("cannot serve on {address}: {error}"))
        }
        Some("healthcheck") => healthcheck::run(address),
        Some(other) => Err(format!(
            "unknown command {other:?}, expected healthcheck or none"
        )),
    }
}

/// Serves until SIGTERM or SIGINT, and `drain_time` longer.
async fn serve(address: SocketAddr, drain_time: Duration) -> std::io::Result<()> {
    let server = HttpServer::new(|| {
        App::new()
            .configure(answers::configure)
            .configure(probes::configure)
            .configure(routes::configure)
            .wrap(from_fn(answers::guard))
    })
    .client_request_timeout(limits::HEAD_TIME)
    .shutdown_signal(Signals::catch()?.drained(drain_time))
    .shutdown_timeout(limits::SHUTDOWN_SECONDS)
    .bind(address)?;
    for address in server.addrs() {
        println!("{NAME} listening on http://{address}");
    }
    server.run().await
}
