//! What a request may take, and what the end of the service may take, each with its figure.

use std::time::Duration;

/// The largest body that a guard reads, in bytes; a larger one is answered with 413.
pub const BODY_BYTES: usize = 1024 * 1024;

/// The largest head of a request, in bytes: its path with all its headers. A larger one is answered
/// with 431. Rocket itself stops at 408 KiB, and at 100 headers.
pub const HEAD_BYTES: usize = 16 * 1024;

/// How long the body and the answer may take; then the answer is 503. Rocket sets no time for the
/// head and for the first bytes of the body.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// How long requests in flight may take to finish once the service has stopped listening, in whole
/// seconds; Docker kills 10 s after SIGTERM.
pub const SHUTDOWN_SECONDS: u32 = 8;
