//! What every request goes through: the limits, and one form for what goes wrong.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Once;

use rocket::data::{ByteUnit, Data, Limits};
use rocket::http::{Header, Method, Status};
use rocket::response::{self, Responder, Response};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Request, catch};
use tokio::time::timeout;
use tracing::Instrument;

use crate::error::Error;
use crate::problem::{MEDIA_TYPE, Problem};
use crate::spans::follow::span;
use crate::{failures, limits};

/// The limits of the bodies that guards read; a handler that opens `Data` limits it itself.
pub fn body_limits() -> Limits {
    let kinds = [
        "bytes",
        "data-form",
        "file",
        "form",
        "json",
        "msgpack",
        "string",
    ];
    let bytes = ByteUnit::from(limits::BODY_BYTES);
    kinds
        .into_iter()
        .fold(Limits::new(), |limits, kind| limits.limit(kind, bytes))
}

/// Guards routes: their requests are answered within the limits, and failures leave their trace.
pub fn guarded(mut routes: Vec<Route>) -> Vec<Route> {
    for route in &mut routes {
        route.handler = Box::new(Guarded(route.handler.clone()));
    }
    routes
}

#[derive(Clone)]
struct Guarded(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Guarded {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        if head_bytes(request) > limits::HEAD_BYTES {
            return Outcome::Error(Status::RequestHeaderFieldsTooLarge);
        }
        let answer = self.0.handle(request, data);
        let answer = answer.instrument(span(request));
        let answer = timeout(limits::REQUEST_TIME, answer);
        let mut outcome = answer.await.unwrap_or_else(|_| {
            let cause = format!("no answer within {:?}", limits::REQUEST_TIME);
            request.local_cache(|| Failure::new(cause));
            Outcome::Error(Status::ServiceUnavailable)
        });
        match &mut outcome {
            Outcome::Success(response) => finish(request, response),
            Outcome::Error(status) => {
                // Rocket's guards of text and bytes call a body malformed that is too large.
                if *status == Status::BadRequest && body_bytes(request) > limits::BODY_BYTES {
                    *status = Status::PayloadTooLarge;
                }
                report(request, *status);
            }
            Outcome::Forward(_) => {}
        }
        outcome
    }
}

/// The bytes of the path and the headers, as they were sent.
fn head_bytes(request: &Request<'_>) -> usize {
    let uri = request.uri();
    let headers = request.headers().iter();
    uri.path().len()
        + uri.query().map_or(0, |query| query.len() + "?".len())
        + headers
            .map(|header| header.name.len() + header.value.len() + ": \r\n".len())
            .sum::<usize>()
}

/// The bytes of the body, as far as the request says them.
fn body_bytes(request: &Request<'_>) -> usize {
    let length = request.headers().get_one("Content-Length");
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// Reports an answer of a handler that is the service's fault; makes a problem of an error answer
/// without a body.
fn finish(request: &Request<'_>, response: &mut Response<'_>) {
    let status = response.status();
    if status.code < 400 {
        return;
    }
    report(request, status);
    let body = response.body();
    if body.is_none() || body.preset_size() == Some(0) {
        set_problem(response, &Problem::new(status.code));
    }
}

/// Why a request failed, and whether that was reported.
struct Failure {
    cause: String,
    report: Once,
}

impl Failure {
    fn new(cause: String) -> Self {
        let report = Once::new();
        Self { cause, report }
    }
}

/// Reports a failure once, if it is the service's fault.
fn report(request: &Request<'_>, status: Status) {
    if status.code >= 500 {
        let failure = request.local_cache(|| Failure::new(status.to_string()));
        let path = request.uri().path();
        let _entered = span(request).entered();
        failure
            .report
            .call_once(|| failures::report(request.method(), path, &failure.cause));
    }
}

/// What answers where no handler has.
#[derive(Responder)]
pub enum Caught {
    Problem(Problem),
    OtherMethod(Problem, Header<'static>),
}

/// Makes a problem of every status that no handler has a body for.
///
/// Rocket answers a path with another method as if there were no such path; here it is told apart.
#[catch(default)]
pub fn caught(status: Status, request: &Request<'_>) -> Caught {
    report(request, status);
    if status == Status::NotFound && request.route().is_none() {
        let methods = methods(request);
        if !methods.is_empty() && !methods.contains(request.method().as_str()) {
            let methods: Vec<_> = methods.into_iter().collect();
            let allow = Header::new("Allow", methods.join(", "));
            return Caught::OtherMethod(Problem::new(405), allow);
        }
    }
    Caught::Problem(Problem::new(status.code))
}

/// The methods that there are routes for at the path of a request.
fn methods(request: &Request<'_>) -> BTreeSet<&'static str> {
    let routes = request.rocket().routes();
    let mut methods: BTreeSet<_> = routes
        .filter(|route| is_at(route, request))
        .map(|route| route.method.as_str())
        .collect();
    if methods.contains(Method::Get.as_str()) {
        methods.insert(Method::Head.as_str());
    }
    methods
}

/// Whether a route is for the path of a request.
fn is_at(route: &Route, request: &Request<'_>) -> bool {
    let mut segments = request.uri().path().segments();
    for expected in route.uri.origin.path().raw_segments() {
        if expected.ends_with("..>") {
            return true;
        }
        match segments.next() {
            Some(segment) if expected.starts_with('<') || expected == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::new();
        response.set_status(Status::new(self.status()));
        set_problem(&mut response, &self);
        Ok(response)
    }
}

fn set_problem(response: &mut Response<'_>, problem: &Problem) {
    let json = problem.to_json(response.status().reason());
    response.set_raw_header("Content-Type", MEDIA_TYPE);
    response.set_sized_body(json.len(), Cursor::new(json));
}

impl<'r> Responder<'r, 'static> for Error {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        request.local_cache(|| Failure::new(self.to_string()));
        self.problem().respond_to(request)
    }
}
