//! The variables that decide where traces go. What the SDK would pass over in silence is refused.

use opentelemetry_http::Request;

use crate::settings::read;

/// Checks the variables, and tells whether traces are sent at all.
///
/// # Errors
///
/// Names the variable whose value cannot be.
pub fn check() -> Result<bool, String> {
    // An empty value counts as none, as the specification has it.
    let disabled = read("OTEL_SDK_DISABLED", "true or false", |text| {
        match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "" | "false" => Some(false),
            _ => None,
        }
    })?;
    let exporter = read("OTEL_TRACES_EXPORTER", "otlp or none", |text| match text {
        "none" => Some(false),
        "" | "otlp" => Some(true),
        _ => None,
    })?;
    if disabled == Some(true) || exporter == Some(false) {
        return Ok(false);
    }
    for name in [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ] {
        let expected = "a URL such as http://collector:4318 (https needs a collector in between)";
        read(name, expected, |text| is_endpoint(text).then_some(()))?;
    }
    for name in [
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    ] {
        let is_known = |text: &str| ["", "http/protobuf"].contains(&text);
        read(name, "http/protobuf", |text| is_known(text).then_some(()))?;
    }
    let sampler = read(
        "OTEL_TRACES_SAMPLER",
        "always_on, always_off, traceidratio or one of them behind parentbased_",
        |text| match text.strip_prefix("parentbased_").unwrap_or(text) {
            "" if text.is_empty() => Some(false),
            "always_on" | "always_off" => Some(false),
            "traceidratio" => Some(true),
            _ => None,
        },
    )?;
    if sampler == Some(true) {
        let is_share = |text: &str| text.parse().is_ok_and(|share| (0.0..=1.0).contains(&share));
        read("OTEL_TRACES_SAMPLER_ARG", "a share from 0 to 1", |text| {
            is_share(text).then_some(())
        })?;
    }
    Ok(true)
}

fn is_endpoint(text: &str) -> bool {
    text.is_empty()
        || Request::get(text).body(()).is_ok_and(|request| {
            let url = request.uri();
            url.scheme_str() == Some("http") && url.host().is_some_and(|host| !host.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_of_http() {
        for text in ["", "http://localhost:4318", "http://[::1]:4318/otlp"] {
            assert!(is_endpoint(text), "{text}");
        }
        for text in [
            "localhost:4318",
            "https://localhost",
            "/v1/traces",
            "http://",
        ] {
            assert!(!is_endpoint(text), "{text}");
        }
    }
}
