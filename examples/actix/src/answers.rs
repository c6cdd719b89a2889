//! What every request goes through: the limits, and one form for what goes wrong.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{
    ErrorNotFound, InternalError, JsonPayloadError, PathError, PayloadError, QueryPayloadError,
    UrlencodedError,
};
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError, web};
use tokio::time::timeout;

use crate::problem::{MEDIA_TYPE, Problem};
use crate::{error, failures, limits, probes};

/// Limits the bodies that extractors read; a handler that takes `web::Payload` limits it itself.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(limits::BODY_BYTES))
        .app_data(web::JsonConfig::default().limit(limits::BODY_BYTES))
        .app_data(web::FormConfig::default().limit(limits::BODY_BYTES))
        // As Actix does, but with a type that `is_of_extractor` can name.
        .app_data(web::PathConfig::default().error_handler(|error, _| ErrorNotFound(error)));
}

/// Answers a request within the limits. Errors get their one form and failures leave their trace.
///
/// A head above 128 KiB never gets here: Actix answers it with a bare 431.
///
/// # Errors
///
/// Fails with the answer itself, where there is no request to give it to.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    if head_bytes(&request) > limits::HEAD_BYTES {
        return Ok(request.error_response(Problem::new(431)));
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let answer = async move { next.call(request).await };
    match timeout(limits::REQUEST_TIME, answer).await {
        Ok(Ok(answer)) => {
            let answer = answer.map_into_boxed_body();
            if answer.status() < StatusCode::BAD_REQUEST {
                return Ok(answer);
            }
            let (request, response) = answer.into_parts();
            let response = finished(&method, &uri, response);
            Ok(ServiceResponse::new(request, response))
        }
        Ok(Err(error)) => {
            let response = finished(&method, &uri, HttpResponse::from_error(error));
            Err(InternalError::from_response("answered", response).into())
        }
        Err(_) => {
            let cause = format_args!("no answer within {:?}", limits::REQUEST_TIME);
            failures::report(&method, uri.path(), cause);
            Err(Problem::new(503).into())
        }
    }
}

/// The bytes of the path and the headers, as they were sent.
fn head_bytes(request: &ServiceRequest) -> usize {
    let path = request.uri().path_and_query();
    let headers = request.headers().iter();
    path.map_or(0, |path| path.as_str().len())
        + headers
            .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
            .sum::<usize>()
}

/// Reports an error answer that is the service's fault, and gives it the one form.
fn finished(method: &Method, uri: &Uri, response: HttpResponse) -> HttpResponse {
    if response.status().is_server_error() && uri.path() != probes::READINESS {
        match response.error() {
            Some(error) if error.as_error::<Problem>().is_none() => {
                failures::report(method, uri.path(), error);
            }
            _ => failures::report(method, uri.path(), response.status()),
        }
    }
    in_one_form(response)
}

/// Makes a problem of an error answer without a body, and of one that is just the text of an error,
/// as Actix answers where nobody says otherwise. What else a handler has written stays.
fn in_one_form(response: HttpResponse) -> HttpResponse {
    let status = response.status();
    let text = response.error().map(ToString::to_string);
    let is_for_client = status.is_client_error() && !response.error().is_some_and(is_of_extractor);
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(body) => body,
        Err(stream) => return response.set_body(stream),
    };
    let mut problem = Problem::new(status.as_u16());
    match text {
        Some(text) if body == text => {
            if is_for_client {
                problem = problem.detail(text);
            }
        }
        _ if body.is_empty() => {}
        _ => return response.set_body(BoxBody::new(body)),
    }
    let media_type = HeaderValue::from_static(MEDIA_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.set_body(BoxBody::new(json(&problem, status)))
}

/// Whether an error says how a request is malformed, in the words of an extractor.
fn is_of_extractor(error: &Error) -> bool {
    error.as_error::<PayloadError>().is_some()
        || error.as_error::<JsonPayloadError>().is_some()
        || error.as_error::<UrlencodedError>().is_some()
        || error.as_error::<InternalError<PathError>>().is_some()
        || error.as_error::<QueryPayloadError>().is_some()
}

fn json(problem: &Problem, status: StatusCode) -> String {
    problem.to_json(status.canonical_reason())
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        HttpResponse::build(status)
            .content_type(MEDIA_TYPE)
            .body(json(self, status))
    }
}

impl ResponseError for error::Error {
    fn status_code(&self) -> StatusCode {
        self.problem().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.problem().error_response()
    }
}
