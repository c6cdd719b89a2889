//! What the service answers.

use rocket::{Build, Rocket, get, routes};

use crate::answers::guarded;

/// Mounts every route.
pub fn mount(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket.mount(
        "/",
        guarded(routes![
            health,
            // More routes go here.
        ]),
    )
}

#[get("/health")]
fn health() -> &'static str {
    "OK"
}

#[cfg(test)]
mod tests {
    use rocket::http::Status;
    use rocket::local::blocking::Client;

    use super::*;

    #[test]
    fn health_answers_ok() {
        let client = Client::tracked(mount(rocket::build())).unwrap();
        let response = client.get("/health").dispatch();
        assert_eq!(response.status(), Status::Ok);
        assert_eq!(response.into_string().as_deref(), Some("OK"));
    }

    #[test]
    fn an_unknown_route_is_not_found() {
        let client = Client::tracked(mount(rocket::build())).unwrap();
        let response = client.get("/unknown").dispatch();
        assert_eq!(response.status(), Status::NotFound);
    }
}
