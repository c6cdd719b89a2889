//! Metrics: what requests come and how long they take, for Prometheus.

pub mod count;
pub mod port;

use std::sync::LazyLock;
use std::time::Instant;

use prometheus_client::encoding::{self, EncodeLabelSet};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The upper bounds of the histogram, in seconds.
///
/// Source: <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Everything that is measured.
struct Metrics {
    registry: Registry,
    requests: Family<Answer, Counter>,
    duration: Family<Resource, Histogram>,
    in_flight: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Resource {
    method: &'static str,
    route: String,
}

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register(
            "http_server_requests",
            "Requests that were answered",
            Family::clone(&requests),
        );
        let duration = Family::new_with_constructor(histogram as fn() -> Histogram);
        registry.register_with_unit(
            "http_server_request_duration",
            "Time until an answer began",
            Unit::Seconds,
            Family::clone(&duration),
        );
        let in_flight = Gauge::default();
        registry.register(
            "http_server_requests_in_flight",
            "Requests that have no answer yet",
            Gauge::clone(&in_flight),
        );
        // More metrics go here.
        Self {
            registry,
            requests,
            duration,
            in_flight,
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

/// All metrics in the text form of OpenMetrics.
pub fn to_text() -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    encoding::text::encode(&mut text, &METRICS.registry)?;
    Ok(text)
}

/// A request that is being answered; it is in flight until it is dropped.
pub struct Measured {
    method: &'static str,
    begin: Instant,
}

impl Measured {
    /// Begins to measure a request.
    pub fn begin(method: &str) -> Self {
        METRICS.in_flight.inc();
        let (method, begin) = (known(method), Instant::now());
        Self { method, begin }
    }

    /// Counts the request, whose route is given as a pattern.
    pub fn end(&self, route: Option<&str>, status: u16) {
        let (method, route) = (self.method, route.unwrap_or("none").to_owned());
        let resource = Resource { method, route };
        let seconds = self.begin.elapsed().as_secs_f64();
        METRICS.duration.get_or_create(&resource).observe(seconds);
        let Resource { method, route } = resource;
        let answer = Answer {
            method,
            route,
            status,
        };
        METRICS.requests.get_or_create(&answer).inc();
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        METRICS.in_flight.dec();
    }
}

/// The methods that have a series of their own; a client may send any word.
fn known(method: &str) -> &'static str {
    const METHODS: [&str; 9] = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ];
    let found = METHODS.into_iter().find(|known| *known == method);
    found.unwrap_or("other")
}
