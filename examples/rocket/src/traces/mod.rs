//! Traces: the spans of requests, sent to a collector by OTLP over HTTP.

mod collector;
mod settings;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, TraceContextExt, TracerProvider};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::NAME;
use collector::Collector;

/// How long the end of the service waits for the last spans to be sent.
const FLUSH_TIME: Duration = Duration::from_secs(1);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Sends spans as the variables `OTEL_*` say, or none where they turn that off.
///
/// # Errors
///
/// Names the variable whose value cannot be.
///
/// Source: <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>
pub fn layer<S>() -> Result<Option<impl Layer<S>>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if !settings::check()? {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_http_client(Collector::new())
        .build()
        .map_err(|error| format!("cannot send traces: {error}"))?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(NAME))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_sent).with_max_level_hint(LevelFilter::INFO));
    let _ = PROVIDER.set(provider);
    Ok(Some(layer))
}

/// Whether a span is sent, or an event in one: the spans from info on, and what went wrong in them.
fn is_sent(metadata: &Metadata<'_>) -> bool {
    let level = if metadata.is_span() {
        Level::INFO
    } else {
        Level::WARN
    };
    *metadata.level() <= level
}

/// What the spans are of: the service, by its name unless the environment has another.
fn resource() -> Resource {
    let resource = Resource::builder().build();
    match resource.get(&Key::new("service.name")) {
        Some(name) if !name.as_str().starts_with("unknown_service") => resource,
        _ => Resource::builder().with_service_name(NAME).build(),
    }
}

/// Sends what has not been sent yet when it is dropped, for a second at most.
pub struct FlushAtEnd;

impl Drop for FlushAtEnd {
    fn drop(&mut self) {
        if let Some(provider) = PROVIDER.get() {
            // The collector has said why it could not.
            let _ = provider.shutdown_with_timeout(FLUSH_TIME);
        }
    }
}

/// Begins the span that is sent of a request, and says what the request's head says.
///
/// Source: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>
pub fn begin<'a>(
    span: &Span,
    method: &str,
    path: &str,
    header: impl Fn(&str) -> Option<&'a str>,
) -> Context {
    let headers = ["traceparent", "tracestate"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), header(name)?.to_owned())))
        .collect::<HashMap<_, _>>();
    if !headers.is_empty() {
        // Without a layer there is no span to set it of.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&headers));
    }
    let context = span.context();
    let sent = context.span();
    if sent.is_recording() {
        sent.set_attributes([
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("url.path", path.to_owned()),
            KeyValue::new("url.scheme", "http"),
        ]);
    }
    let trace = sent.span_context().trace_id();
    if trace != opentelemetry::TraceId::INVALID {
        span.record("trace_id", trace.to_string());
    }
    context
}

/// Says of a request's span what its answer says.
pub fn end(context: &Context, method: &str, route: Option<&str>, status: u16) {
    let sent = context.span();
    if !sent.is_recording() {
        return;
    }
    if let Some(route) = route {
        // Only now is it known, and the span has begun.
        sent.update_name(format!("{method} {route}"));
        sent.set_attribute(KeyValue::new("http.route", route.to_owned()));
    }
    sent.set_attribute(KeyValue::new(
        "http.response.status_code",
        i64::from(status),
    ));
    if status >= 500 {
        sent.set_attribute(KeyValue::new("error.type", status.to_string()));
        sent.set_status(Status::error(""));
    }
}
