//! What a request may take, and what the end of the service may take, each with its figure.

use std::time::Duration;

/// The largest body that an extractor reads, in bytes; a larger one is answered with 413.
pub const BODY_BYTES: usize = 1024 * 1024;

/// The largest head of a request, in bytes: its path with all its headers. A larger one is answered
/// with 431. Actix itself stops at 128 KiB, and at 96 headers.
pub const HEAD_BYTES: usize = 16 * 1024;

/// How long a client may take to send the head; then its connection is closed.
pub const HEAD_TIME: Duration = Duration::from_secs(5);

/// How long the rest of a request may take, the body and the answer; then the answer is 503.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// How long requests in flight may take to finish once the service has stopped listening, in whole
/// seconds; Docker kills 10 s after SIGTERM.
pub const SHUTDOWN_SECONDS: u64 = 8;
