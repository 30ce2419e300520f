//! One connection's way from hyper to the router and back.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Response, header};
use hyper::body::Incoming;
use hyper::service::Service;

use super::activity::{Activity, Answering};
use super::paced::{Pace, Paced};
use crate::connection::{Connection, OverTls};

/// What a connection that finds no place is told, before it has asked for anything.
pub(super) const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Content-Type: application/problem+json\r\nRetry-After: 10\r\nContent-Length: 226\r\n\
    Connection: close\r\n\r\n\
    {\"type\":\"/api/v1/docs#problem-busy\",\"title\":\"Too many queries are running\",\"status\":503,\
    \"detail\":\"There are as many connections as there may be.\",\"code\":\"busy\",\
    \"hint\":\"Try again in a few seconds; [http.limits] says how many.\"}";

/// See the module.
pub(super) struct Talk {
    pub(super) router: Router,
    pub(super) connection: Connection,
    pub(super) hsts: Option<HeaderValue>,
    pub(super) activity: Arc<Activity>,
    pub(super) pace: Pace,
}

impl Service<Request<Incoming>> for Talk {
    type Response = Response<Answering>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let open = self.activity.begin(request.version());
        let pace = self.pace;
        let mut request = request.map(|body| {
            if body.is_end_stream() { Body::empty() } else { Body::new(Paced::new(body, pace)) }
        });
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.connection.peer));
        extensions.insert(self.connection);
        if self.connection.encrypted {
            extensions.insert(OverTls);
        }
        let hsts = self.hsts.clone();
        let answer = tower::Service::call(&mut self.router.clone(), request);
        Box::pin(async move {
            let Ok(mut response) = answer.await;
            if let Some(hsts) = hsts {
                response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, hsts);
            }
            Ok(response.map(|body| Answering::new(body, open)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::FULL;

    #[test]
    fn the_refusal_is_a_problem_of_the_length_that_it_says() {
        let text = std::str::from_utf8(FULL).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let length = head.split("Content-Length: ").nth(1).expect("a length");
        let length: usize = length.lines().next().expect("a line").parse().expect("a number");
        assert_eq!(body.len(), length);
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!((&problem["code"], &problem["status"]), (&"busy".into(), &503.into()));
    }
}
