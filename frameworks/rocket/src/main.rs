//! Starts the service, which is in `lib.rs`.

use std::process::ExitCode;

// template:begin musl
/// musl's own allocator is slow under concurrent load.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// template:end musl
fn main() -> ExitCode {
    // template:begin crate_name=service
    service::run()
    // template:end crate_name
}
