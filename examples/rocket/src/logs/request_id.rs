//! The id of a request, by which its lines are found.

use std::hash::{BuildHasher, RandomState};

/// The header that carries the id, in a request and in its answer.
pub const HEADER: &str = "x-request-id";

/// Takes over the id that a request came with, or makes one.
///
/// A client may send anything; what could be more than a word in a line or in a header is not
/// taken over.
pub fn of(header: Option<&str>) -> String {
    match header {
        Some(id) if is_word(id) => id.to_owned(),
        _ => made(),
    }
}

fn is_word(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// Makes an id that no other request has; it is not a secret.
fn made() -> String {
    let [high, low] = [(), ()].map(|()| RandomState::new().hash_one(()));
    format!("{high:016x}{low:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_taken_over() {
        assert_eq!(of(Some("a-1:b/2")), "a-1:b/2");
    }

    #[test]
    fn another_is_made_of_anything_else() {
        for id in ["", "a b", "a\"", "é", &"x".repeat(129)] {
            let made = of(Some(id));
            assert!(made.len() == 32 && is_word(&made), "{id}: {made}");
        }
        assert_ne!(of(None), of(None));
    }
}
