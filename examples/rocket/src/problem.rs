//! The one form of all error answers: RFC 9457, problem details as JSON.

use std::fmt::{Display, Formatter, Result, Write};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, for the client.
///
/// ```text
/// return Err(Problem::new(404).detail("there is no order 17").into());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    detail: Option<String>,
}

impl Problem {
    /// Makes a problem that its status says all of.
    pub fn new(status: u16) -> Self {
        let detail = None;
        Self { status, detail }
    }

    /// Adds what is wrong this time, in words for the client.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        let detail = Some(detail.into());
        Self { detail, ..self }
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body of the answer, with the usual words for its status as the title.
    pub fn to_json(&self, title: Option<&str>) -> String {
        let mut json = r#"{"type":"about:blank""#.to_owned();
        if let Some(title) = title {
            json += r#","title":"#;
            push_quoted(&mut json, title);
        }
        json += r#","status":"#;
        json += &self.status.to_string();
        if let Some(detail) = &self.detail {
            json += r#","detail":"#;
            push_quoted(&mut json, detail);
        }
        json.push('}');
        json
    }
}

/// Adds a text as JSON has it: RFC 8259, section 7.
pub fn push_quoted(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

impl Display for Problem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "{}", self.status)?;
        match &self.detail {
            Some(detail) => write!(formatter, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_what_its_status_says() {
        let json = Problem::new(404).to_json(Some("Not Found"));
        assert_eq!(
            json,
            r#"{"type":"about:blank","title":"Not Found","status":404}"#
        );
        assert_eq!(
            Problem::new(499).to_json(None),
            r#"{"type":"about:blank","status":499}"#
        );
    }

    #[test]
    fn a_detail_cannot_break_the_json() {
        let json = Problem::new(400).detail("\"é\\\n\u{1f}").to_json(None);
        assert_eq!(
            json,
            r#"{"type":"about:blank","status":400,"detail":"\"é\\\u000a\u001f"}"#
        );
    }
}
