//! The fairing that makes a span of each request.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response};
use tracing::Span;

use super::Followed;
use crate::logs::request_id;

/// Follows each request until its answer begins.
pub struct Follow;

#[rocket::async_trait]
impl Fairing for Follow {
    fn info(&self) -> Info {
        Info {
            name: "spans",
            kind: Kind::Request | Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        followed(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let followed = followed(request);
        response.set_raw_header(request_id::HEADER, followed.request_id());
        let route = request.route().map(|route| route.uri.as_str());
        followed.end(route, response.status().code);
    }
}

/// The span of a request.
pub fn span(request: &Request<'_>) -> Span {
    followed(request).span().clone()
}

fn followed<'r>(request: &'r Request<'_>) -> &'r Followed {
    request.local_cache(|| {
        let header = |name: &str| request.headers().get_one(name);
        let path = request.uri().path();
        Followed::begin(request.method().as_str(), path.as_str(), header)
    })
}
