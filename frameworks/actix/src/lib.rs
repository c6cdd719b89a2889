//! The service: its routes, and what carries them.

pub mod answers;
pub mod command;
pub mod error;
pub mod failures;
pub mod healthcheck;
pub mod limits;
// template:begin logs
pub mod logs;
// template:end logs
// template:begin metrics
pub mod metrics;
// template:end metrics
pub mod probes;
pub mod problem;
pub mod routes;
pub mod settings;
pub mod shutdown;
// template:begin spans
pub mod spans;
// template:end spans
// template:begin traces
pub mod traces;
// template:end traces

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
    // template:begin spans
    spans::subscribe()?;
    // template:end spans
    // template:begin traces
    let _flush = traces::FlushAtEnd;
    // template:end traces
    // template:begin metrics
    metrics::port::open(address.ip())?;
    // template:end metrics
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
            // template:begin metrics
            .wrap(from_fn(metrics::count::count))
            // template:end metrics
            // template:begin spans
            .wrap(from_fn(spans::follow::follow))
        // template:end spans
    })
    .client_request_timeout(limits::HEAD_TIME)
    .shutdown_signal(Signals::catch()?.drained(drain_time))
    .shutdown_timeout(limits::SHUTDOWN_SECONDS)
    .bind(address)?;
    for address in server.addrs() {
        // template:begin logs
        tracing::info!("{NAME} listening on http://{address}");
        // template:end logs
        // template:begin no_logs
        println!("{NAME} listening on http://{address}");
        // template:end no_logs
    }
    server.run().await
}
