//! What is let in to be worked on: each client so often ([`rates`]), and so much of each class at
//! the same time ([`class`]). What is too much is told so at once, with the time to come back;
//! nothing waits without bound. Health and figures are never refused, and what comes in at the
//! program's own door is not either.

mod class;
mod rates;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use prometheus::{IntCounterVec, Opts, Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::class::Class;
use self::rates::{Login, Payer, Rates};
use crate::HttpLimits;
use crate::app::App;
use crate::auth::{Caller, Principal};
use crate::connection::Connection;
use crate::problem::{Problem, codes};

/// See the module.
pub(crate) struct Admission {
    rates: Rates,
    shares: [Arc<Semaphore>; Class::ALL.len()],
    refused: IntCounterVec,
}

/// Which bucket has paid for a request; an extension of it.
#[derive(Clone, Copy)]
struct Paid {
    login: Login,
    payer: Payer,
}

impl Admission {
    /// Makes it and registers its figures.
    pub(crate) fn new(limits: &HttpLimits, registry: &Registry) -> Result<Self, prometheus::Error> {
        let refused = IntCounterVec::new(
            Opts::new(
                "citybrain_http_requests_refused_total",
                "Requests refused because of too much load, by class and by what was used up: the \
                 class's share of the work (503) or the client's rate (429).",
            ),
            &["class", "used_up"],
        )?;
        registry.register(Box::new(refused.clone()))?;
        // A rate begins with the first one only if there was a figure before it.
        for class in Class::ALL {
            for used_up in ["share", "rate"] {
                refused.with_label_values(&[class.name(), used_up]);
            }
        }
        let shares = Class::ALL.map(|class| Arc::new(Semaphore::new(class.share())));
        Ok(Self { rates: Rates::new(limits), shares, refused })
    }

    /// A place among the requests of a class.
    fn place(&self, class: Class) -> Result<OwnedSemaphorePermit, Problem> {
        let share = self.shares[class as usize].clone();
        share.try_acquire_owned().map_err(|_| {
            self.refused.with_label_values(&[class.name(), "share"]).inc();
            let detail = format!("Too many requests of this kind ({}) are open.", class.name());
            Problem::new(codes::BUSY, detail).hint("Try again in a second.").retry_after(1)
        })
    }
}

/// Lets a request through to the guard, or refuses it. The outermost layer of the API's routes.
pub(crate) async fn admit(
    State(app): State<App>,
    path: MatchedPath,
    Caller(caller): Caller,
    mut request: Request,
    next: Next,
) -> Response {
    if Connection::is_own(request.extensions()) {
        return next.run(request).await;
    }
    let admission = &app.admission;
    let class = Class::of(request.method().as_str(), path.as_str());
    let (mut standing, mut login, mut payer) = (None, None, None);
    if class.is_rated() {
        login = admission.rates.login(request.headers());
        let (paying, taken) = admission.rates.take(login, caller, app.clock.now());
        match taken {
            Ok(taken) => standing = taken,
            Err(refused) => {
                admission.refused.with_label_values(&[class.name(), "rate"]).inc();
                let mut response = refused.refusal().into_response();
                refused.write(response.headers_mut());
                return response;
            }
        }
        if let Some(login) = login {
            request.extensions_mut().insert(Paid { login, payer: paying });
        }
        payer = Some(paying);
    }
    #[cfg(test)]
    let asked = (request.method().clone(), path.clone());
    let mut response = match admission.place(class) {
        Err(problem) => problem.into_response(),
        Ok(place) => {
            let response = next.run(request).await;
            if class.is_held() {
                response.map(|body| Body::new(Held { body, _place: place }))
            } else {
                response
            }
        }
    };
    #[cfg(test)]
    {
        let (method, path, status) = (asked.0.as_str(), asked.1.as_str(), response.status());
        let said = crate::openapi::says(method, path, status.as_u16());
        assert!(said, "{method} {path} answers with {status}, which its document does not say");
    }
    if let (StatusCode::UNAUTHORIZED, Some(login), Some(Payer::Login(_))) =
        (response.status(), login, payer)
    {
        admission.rates.forget(login);
    }
    if let Some(standing) = standing {
        standing.write(response.headers_mut());
    }
    response
}

/// Notes the logins that the guard has let through. The layer under the guard.
pub(crate) async fn note(State(app): State<App>, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    if let (Some(paid), Some(_)) = (extensions.get::<Paid>(), extensions.get::<Principal>()) {
        app.admission.rates.known(paid.login, paid.payer, app.clock.now());
    }
    next.run(request).await
}

/// The body of an answer that holds its place until its end.
struct Held {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
