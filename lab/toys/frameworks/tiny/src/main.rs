mod command;
mod healthcheck;
mod routes;
mod settings;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tiny_http::{Response, Server};

// template:begin musl
/// musl's own allocator is slow under concurrent load.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// template:end musl
const NAME: &str = env!("CARGO_PKG_NAME");

fn main() -> ExitCode {
    command::run(|address, drain_time| {
        serve(address, drain_time).map_err(|error| format!("cannot serve on {address}: {error}"))
    })
}

/// Serves until SIGTERM or SIGINT, and `drain_time` longer.
fn serve(address: SocketAddr, drain_time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = Arc::new(Server::http(address)?);
    println!("{NAME} listening on http://{}", server.server_addr());
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let stopped = Arc::clone(&server);
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            thread::sleep(drain_time);
            stopped.unblock();
        }
    });
    for request in server.incoming_requests() {
        let (status, body) = routes::answer(request.url());
        request.respond(Response::from_string(body).with_status_code(status))?;
    }
    Ok(())
}
