//! Spans: each request is one, and everything that is said meanwhile is of it.

pub mod follow;

use std::time::Instant;

use opentelemetry::Context;
use tracing::{Span, error_span, subscriber};
use tracing_subscriber::layer::SubscriberExt;

use crate::logs::{self, request_id};
use crate::traces;

/// Collects what the service says from now on.
///
/// # Errors
///
/// Names the variable of the environment whose value cannot be.
pub fn subscribe() -> Result<(), String> {
    let collected = tracing_subscriber::registry();
    let collected = collected.with(traces::layer()?);
    let collected = collected.with(logs::layer()?);
    logs::take_over_panics();
    subscriber::set_global_default(collected).map_err(|error| error.to_string())
}

/// A request from its head to its answer.
pub struct Followed {
    span: Span,
    method: String,
    context: Context,
    path: String,
    request_id: String,
    begin: Instant,
}

impl Followed {
    /// Begins with the head of a request, whose headers `header` looks up.
    pub fn begin<'a>(method: &str, path: &str, header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let request_id = request_id::of(header(request_id::HEADER));
        // An error's line says which request it is of, even where nothing less is logged.
        let span = error_span!(
            "request",
            request_id = %request_id,
            trace_id = tracing::field::Empty,
            otel.kind = "server",
            otel.name = method,
        );
        let context = traces::begin(&span, method, path, header);
        Self {
            span,
            method: method.to_owned(),
            context,
            path: path.to_owned(),
            request_id,
            begin: Instant::now(),
        }
    }

    /// The span of the request.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The id of the request.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Ends with the status of the answer, and the pattern of the route that gave it.
    pub fn end(&self, route: Option<&str>, status: u16) {
        traces::end(&self.context, &self.method, route, status);
        let microseconds = self.begin.elapsed().as_micros() as f64;
        self.span.in_scope(|| {
            tracing::info!(
                method = self.method,
                path = self.path,
                route,
                status,
                duration_ms = microseconds / 1000.0,
                "answered"
            );
        });
    }
}
