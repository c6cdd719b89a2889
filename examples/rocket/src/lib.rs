//! The service: its routes, and what carries them.

pub mod answers;
pub mod command;
pub mod error;
pub mod failures;
pub mod healthcheck;
pub mod limits;
pub mod logs;
pub mod metrics;
pub mod probes;
pub mod problem;
pub mod routes;
pub mod settings;
pub mod shutdown;
pub mod spans;
pub mod traces;

// More modules go here.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use rocket::config::{LogLevel, Shutdown};
use rocket::error::{Error, ErrorKind};
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::{Build, Config, Rocket, catchers};
use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;

use shutdown::Signals;

const NAME: &str = env!("CARGO_PKG_NAME");

/// Does what the command line says: serves, or asks a running service for its health.
pub fn run() -> ExitCode {
    command::run(serve)
}

/// Serves until SIGTERM or SIGINT, and `drain_time` longer.
fn serve(address: SocketAddr, drain_time: Duration) -> Result<(), String> {
    let settings = settings_of_rocket(address);
    let config = checked(&settings)?;
    spans::subscribe()?;
    let _flush = traces::FlushAtEnd;
    metrics::port::open(address.ip())?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(config.workers)
        .max_blocking_threads(config.max_blocking)
        .thread_name("worker")
        .enable_all()
        .build();
    runtime
        .and_then(|runtime| {
            let ended = runtime.block_on(launch(settings, drain_time));
            // What is still at work has had its time.
            runtime.shutdown_background();
            ended
        })
        .map_err(|error| format!("cannot serve on {address}: {error}"))
}

/// What Rocket is told. `ROCKET_*` variables win, such as `ROCKET_WORKERS` or `ROCKET_LOG_LEVEL`,
/// but for the address.
fn settings_of_rocket(address: SocketAddr) -> Figment {
    let config = Config {
        limits: answers::body_limits(),
        log_level: LogLevel::Off,
        // The signals are ours, and Rocket waits a second longer than it says here.
        shutdown: Shutdown {
            ctrlc: false,
            signals: HashSet::new(),
            grace: limits::SHUTDOWN_SECONDS - 1,
            mercy: 0,
            ..Shutdown::default()
        },
        ..Config::release_default()
    };
    Figment::from(config)
        .merge(Env::prefixed("ROCKET_").global())
        .merge((Config::ADDRESS, address.ip()))
        .merge((Config::PORT, address.port()))
}

/// Reads the settings; Rocket itself would panic at what is wrong in them.
fn checked(settings: &Figment) -> Result<Config, String> {
    let config = Config::try_from(settings).map_err(|error| error.to_string())?;
    if config.workers == 0 || config.max_blocking == 0 {
        return Err("ROCKET_WORKERS and ROCKET_MAX_BLOCKING: expected at least 1".to_owned());
    }
    Ok(config)
}

async fn launch(settings: Figment, drain_time: Duration) -> io::Result<()> {
    let signals = Signals::catch()?;
    let rocket = service(settings).ignite().await.map_err(io::Error::other)?;
    let shutdown = rocket.shutdown();
    let finished = async {
        signals.drained(drain_time).await;
        shutdown.notify();
        // Rocket waits for all of the grace if there is one connection. Each is a task, and so is
        // each request.
        while Handle::current().metrics().num_alive_tasks() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        ended = rocket.launch() => match ended.as_ref().map_err(Error::kind) {
            // It cut off what had not finished in time.
            Ok(_) | Err(ErrorKind::Shutdown(..)) => Ok(()),
            Err(error) => Err(io::Error::other(error.to_string())),
        },
        () = finished => Ok(()),
    }
}

/// The service, ready to be launched.
fn service(settings: Figment) -> Rocket<Build> {
    let rocket = rocket::custom(settings)
        .attach(spans::follow::Follow)
        .attach(metrics::count::Count)
        .register("/", catchers![answers::caught])
        .attach(AdHoc::on_liftoff("listening", |rocket| {
            Box::pin(async move {
                let config = rocket.config();
                let address = SocketAddr::new(config.address, config.port);
                tracing::info!("{NAME} listening on http://{address}");
            })
        }));
    routes::mount(probes::mount(rocket))
}
