//! What the service answers.

use actix_web::web;

/// Registers every route.
///
/// To a method that it has no route for, a resource answers 405 with those that it has; macros such
/// as `#[get]` answer 404.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::resource("/health").get(health).head(health));
    // More routes go here.
}

async fn health() -> &'static str {
    "OK"
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::{App, test};

    use super::*;

    #[actix_web::test]
    async fn health_answers_ok() {
        let app = test::init_service(App::new().configure(configure)).await;
        let request = test::TestRequest::get().uri("/health").to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(test::read_body(response).await, "OK");
    }

    #[actix_web::test]
    async fn an_unknown_route_is_not_found() {
        let app = test::init_service(App::new().configure(configure)).await;
        let request = test::TestRequest::get().uri("/unknown").to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
