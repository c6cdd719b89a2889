//! The service: its routes, and what carries them.

pub mod answers;
pub mod command;
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

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};

use shutdown::Signals;

const NAME: &str = env!("CARGO_PKG_NAME");

/// Does what the command line says: serves, or asks a running service for its health.
pub fn run() -> ExitCode {
    command::run(serve)
}

/// Serves until SIGTERM or SIGINT, and `drain_time` longer.
fn serve(address: SocketAddr, drain_time: Duration) -> Result<(), String> {
    actix_web::rt::System::new()
        .block_on(launch(address, drain_time))
        .map_err(|error| format!("cannot serve on {address}: {error}"))
}

async fn launch(address: SocketAddr, drain_time: Duration) -> std::io::Result<()> {
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
