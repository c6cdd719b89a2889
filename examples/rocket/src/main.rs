//! Starts the service, which is in `lib.rs`.

use std::process::ExitCode;

/// musl's own allocator is slow under concurrent load.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stock_api::run()
}
