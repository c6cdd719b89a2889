//! Spans: each request is one, and everything that is said meanwhile is of it.

pub mod follow;

// template:begin logs
use std::time::Instant;

// template:end logs
// template:begin traces
use opentelemetry::Context;
// template:end traces
use tracing::{Span, error_span, subscriber};
use tracing_subscriber::layer::SubscriberExt;

// template:begin logs
use crate::logs::{self, request_id};
// template:end logs
// template:begin traces
use crate::traces;
// template:end traces

/// Collects what the service says from now on.
///
/// # Errors
///
/// Names the variable of the environment whose value cannot be.
pub fn subscribe() -> Result<(), String> {
    let collected = tracing_subscriber::registry();
    // template:begin traces
    let collected = collected.with(traces::layer()?);
    // template:end traces
    // template:begin logs
    let collected = collected.with(logs::layer()?);
    logs::take_over_panics();
    // template:end logs
    subscriber::set_global_default(collected).map_err(|error| error.to_string())
}

/// A request from its head to its answer.
pub struct Followed {
    span: Span,
    method: String,
    // template:begin traces
    context: Context,
    // template:end traces
    // template:begin logs
    path: String,
    request_id: String,
    begin: Instant,
    // template:end logs
}

impl Followed {
    /// Begins with the head of a request, whose headers `header` looks up.
    pub fn begin<'a>(method: &str, path: &str, header: impl Fn(&str) -> Option<&'a str>) -> Self {
        // template:begin logs
        let request_id = request_id::of(header(request_id::HEADER));
        // template:end logs
        // An error's line says which request it is of, even where nothing less is logged.
        let span = error_span!(
            "request",
            // template:begin logs
            request_id = %request_id,
            // template:end logs
            // template:begin traces
            trace_id = tracing::field::Empty,
            otel.kind = "server",
            otel.name = method,
            // template:end traces
        );
        // template:begin traces
        let context = traces::begin(&span, method, path, header);
        // template:end traces
        Self {
            span,
            method: method.to_owned(),
            // template:begin traces
            context,
            // template:end traces
            // template:begin logs
            path: path.to_owned(),
            request_id,
            begin: Instant::now(),
            // template:end logs
        }
    }

    /// The span of the request.
    pub fn span(&self) -> &Span {
        &self.span
    }

    // template:begin logs
    /// The id of the request.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    // template:end logs
    /// Ends with the status of the answer, and the pattern of the route that gave it.
    pub fn end(&self, route: Option<&str>, status: u16) {
        // template:begin traces
        traces::end(&self.context, &self.method, route, status);
        // template:end traces
        // template:begin logs
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
        // template:end logs
    }
}
