//! Our service by hyper alone; its settings and its health check are those of `frameworks/`.

mod healthcheck;
mod routes;
mod settings;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::{env, io};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let address = settings::listen_address()?;
    match env::args().nth(1).as_deref() {
        None => runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .and_then(|runtime| runtime.block_on(serve(address)))
            .map_err(|error| error.to_string()),
        Some(_) => healthcheck::run(address),
    }
}

async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let stream = TokioIo::new(accepted?.0);
                let service = service_fn(routes::answer);
                let connection = http1::Builder::new().serve_connection(stream, service);
                tokio::spawn(graceful.watch(connection));
            }
            _ = terminate.recv() => break,
        }
    }
    graceful.shutdown().await;
    Ok(())
}
