//! What an orchestrator asks: whether the service lives, and whether it wants requests.

use rocket::{Build, Rocket, get, routes};

use crate::problem::Problem;
use crate::shutdown;

/// Mounts both probes.
pub fn mount(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket.mount("/", routes![live, ready])
}

#[get("/livez")]
fn live() -> &'static str {
    "OK"
}

#[get("/readyz")]
fn ready() -> Result<&'static str, Problem> {
    if shutdown::has_begun() {
        Err(Problem::new(503))
    } else {
        Ok("OK")
    }
}
