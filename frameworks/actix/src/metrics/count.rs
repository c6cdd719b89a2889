//! The middleware that measures requests.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use super::Measured;

/// Measures a request until its answer begins.
///
/// # Errors
///
/// Hands on the error that is the answer.
pub async fn count<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let measured = Measured::begin(request.method().as_str());
    let route = request.match_pattern();
    let answer = next.call(request).await;
    let status = match &answer {
        Ok(answer) => answer.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    measured.end(route.as_deref(), status.as_u16());
    answer
}
