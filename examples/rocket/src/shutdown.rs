//! How the service ends: a signal begins it, and `/readyz` says so from then on.

use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// Whether a signal has told the service to end, so that no more requests should be sent to it.
pub fn has_begun() -> bool {
    HAS_BEGUN.load(Ordering::Relaxed)
}

/// SIGTERM and SIGINT, which end the service in order.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches both from now on.
    ///
    /// # Errors
    ///
    /// Fails where the system has no room for a handler.
    ///
    /// # Panics
    ///
    /// There must be a runtime.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits until the service should stop listening: for the first signal, and then for
    /// `drain_time` or for a second signal.
    pub async fn drained(mut self, drain_time: Duration) {
        self.next().await;
        HAS_BEGUN.store(true, Ordering::Relaxed);
        let _ = timeout(drain_time, self.next()).await;
    }

    async fn next(&mut self) {
        poll_fn(|context| {
            let terminate = self.terminate.poll_recv(context);
            let interrupt = self.interrupt.poll_recv(context);
            match (terminate, interrupt) {
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                _ => Poll::Ready(()),
            }
        })
        .await;
    }
}
