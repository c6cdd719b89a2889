//! The middleware that makes a span of each request.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
// template:begin logs
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
// template:end logs
use actix_web::middleware::Next;
use tracing::Instrument;

use super::Followed;
// template:begin logs
use crate::logs::request_id;
// template:end logs

/// Follows a request until its answer begins.
///
/// # Errors
///
/// Hands on the error that is the answer.
pub async fn follow<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let headers = request.headers();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let followed = Followed::begin(request.method().as_str(), request.path(), header);
    let route = request.match_pattern();
    let answer = next.call(request).instrument(followed.span().clone()).await;
    // template:begin logs
    let answer = marked(answer, followed.request_id());
    // template:end logs
    let status = match &answer {
        Ok(answer) => answer.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    followed.end(route.as_deref(), status.as_u16());
    answer
}
// template:begin logs

/// Puts the id of a request into its answer.
fn marked<B>(
    answer: Result<ServiceResponse<B>, Error>,
    id: &str,
) -> Result<ServiceResponse<B>, Error> {
    match answer {
        Ok(mut answer) => {
            mark(answer.headers_mut(), id);
            Ok(answer)
        }
        Err(error) => {
            let mut answer = error.error_response();
            mark(answer.headers_mut(), id);
            Err(InternalError::from_response("answered", answer).into())
        }
    }
}

fn mark(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static(request_id::HEADER), id);
    }
}
// template:end logs
