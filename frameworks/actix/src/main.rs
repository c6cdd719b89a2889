mod healthcheck;
mod routes;
mod settings;

// More modules go here.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;

use actix_web::{App, HttpServer};

// template:begin musl
/// musl's own allocator is slow under concurrent load.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// template:end musl
const NAME: &str = env!("CARGO_PKG_NAME");

/// Requests in flight get this many seconds to finish after SIGTERM; Docker kills after 10.
const SHUTDOWN_SECONDS: u64 = 8;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let address = settings::listen_address()?;
    match env::args().nth(1).as_deref() {
        None => actix_web::rt::System::new()
            .block_on(serve(address))
            .map_err(|error| format!("cannot serve on {address}: {error}")),
        Some("healthcheck") => {
            healthcheck::run(address).map_err(|error| format!("{address} is unhealthy: {error}"))
        }
        Some(other) => Err(format!(
            "unknown command {other:?}, expected healthcheck or none"
        )),
    }
}

/// Serves until SIGTERM or SIGINT.
async fn serve(address: SocketAddr) -> std::io::Result<()> {
    let server = HttpServer::new(|| App::new().configure(routes::configure))
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .bind(address)?;
    for address in server.addrs() {
        println!("{NAME} listening on http://{address}");
    }
    server.run().await
}
