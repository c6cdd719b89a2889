//! The fairing that measures requests.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};

use super::Measured;

/// Measures each request until its answer begins.
pub struct Count;

#[rocket::async_trait]
impl Fairing for Count {
    fn info(&self) -> Info {
        Info {
            name: "metrics",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        measured(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let route = request.route().map(|route| route.uri.as_str());
        measured(request).end(route, response.status().code);
    }
}

fn measured<'r>(request: &'r Request<'_>) -> &'r Measured {
    request.local_cache(|| Measured::begin(request.method().as_str()))
}
