//! What an orchestrator asks: whether the service lives, and whether it wants requests.

use actix_web::web;

use crate::problem::Problem;
use crate::shutdown;

/// Where the service says whether it wants requests.
pub const READINESS: &str = "/readyz";

/// Registers both probes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/livez").get(live).head(live))
        .service(web::resource(READINESS).get(ready).head(ready));
}

async fn live() -> &'static str {
    "OK"
}

async fn ready() -> Result<&'static str, Problem> {
    if shutdown::has_begun() {
        Err(Problem::new(503))
    } else {
        Ok("OK")
    }
}
