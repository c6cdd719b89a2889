//! Logs: one line on stdout for everything that the service says.

mod lines;
pub mod request_id;

use std::panic;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::settings;
use lines::{Format, Lines};

/// Makes lines of events as the environment says: `LOG_FORMAT`, text where it is not set, and
/// `LOG_LEVEL`, the level from which on events are logged, info where it is not set.
///
/// # Errors
///
/// Names the variable whose value is no format or no level.
pub fn layer<S>() -> Result<impl Layer<S>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let format = settings::read("LOG_FORMAT", "text or json", |text| match text {
        "text" => Some(Format::Text),
        "json" => Some(Format::Json),
        _ => None,
    })?;
    let level = settings::read(
        "LOG_LEVEL",
        "error, warn, info, debug or trace",
        |text| match text {
            "error" => Some(LevelFilter::ERROR),
            "warn" => Some(LevelFilter::WARN),
            "info" => Some(LevelFilter::INFO),
            "debug" => Some(LevelFilter::DEBUG),
            "trace" => Some(LevelFilter::TRACE),
            _ => None,
        },
    )?;
    Ok(Lines::new(format.unwrap_or(Format::Text)).with_filter(level.unwrap_or(LevelFilter::INFO)))
}

/// Logs panics too, instead of the usual lines on stderr.
pub fn take_over_panics() {
    panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
}
