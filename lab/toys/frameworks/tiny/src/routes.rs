//! What the service answers.

/// Answers a request with a status and a body.
pub fn answer(path: &str) -> (u16, &'static str) {
    match path {
        "/health" => (200, health()),
        _ => (404, "not found"),
    }
}

fn health() -> &'static str {
    "OK"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_answers_ok() {
        assert_eq!(answer("/health"), (200, "OK"));
    }
}
