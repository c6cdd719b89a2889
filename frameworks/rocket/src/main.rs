mod healthcheck;
mod routes;
mod settings;

// More modules go here.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;

use rocket::config::{LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::{Build, Config, Rocket};

// template:begin musl
/// musl's own allocator is slow under concurrent load.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// template:end musl
const NAME: &str = env!("CARGO_PKG_NAME");

/// Requests in flight get this many seconds to finish after SIGTERM; Docker kills after 10.
const SHUTDOWN_SECONDS: u32 = 7;

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
        None => rocket::execute(service(address).launch())
            .map(|_| ())
            .map_err(|error| format!("cannot serve on {address}: {error}")),
        Some("healthcheck") => {
            healthcheck::run(address).map_err(|error| format!("{address} is unhealthy: {error}"))
        }
        Some(other) => Err(format!(
            "unknown command {other:?}, expected healthcheck or none"
        )),
    }
}

/// The service, ready to listen on `address` until SIGTERM or SIGINT; `ROCKET_*` variables set
/// what is not set here, such as `ROCKET_LOG_LEVEL`.
fn service(address: SocketAddr) -> Rocket<Build> {
    let config = Config {
        log_level: LogLevel::Off,
        shutdown: Shutdown {
            grace: SHUTDOWN_SECONDS,
            mercy: 1,
            ..Shutdown::default()
        },
        ..Config::release_default()
    };
    let figment = Figment::from(config)
        .merge(Env::prefixed("ROCKET_").global())
        .merge((Config::ADDRESS, address.ip()))
        .merge((Config::PORT, address.port()));
    routes::mount(rocket::custom(figment)).attach(AdHoc::on_liftoff("listening", |rocket| {
        Box::pin(async move {
            let config = rocket.config();
            let address = SocketAddr::new(config.address, config.port);
            println!("{NAME} listening on http://{address}");
        })
    }))
}
