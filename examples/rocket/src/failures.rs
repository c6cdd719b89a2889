//! The trace of a failure: one line.

use std::fmt::Display;

/// Writes that a request failed, such as `GET /orders: connection refused`.
pub fn report(method: impl Display, path: impl Display, cause: impl Display) {
    tracing::error!("{method} {path}: {cause}");
}

/// Escapes what would break the line or not show, since a text may be a client's.
pub fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' => line.push(character),
            _ => line.extend(character.escape_debug()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_whatever_it_says() {
        assert_eq!(
            on_one_line("é: it's \"a\"\r\nb\\ \u{1b}[2J\u{202e}"),
            "é: it's \"a\"\\r\\nb\\\\ \\u{1b}[2J\\u{202e}"
        );
    }
}
