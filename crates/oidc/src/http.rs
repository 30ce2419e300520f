//! How the provider is asked: over TLS with the cryptography of this program, bounded in time and
//! size, and never sent elsewhere.

use std::path::Path;
use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};

use crate::OidcError;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Answer(#[from] openidconnect::http::Error),
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
}

#[derive(Clone, Debug)]
pub(crate) struct Http(reqwest::Client);

impl Http {
    /// Trusts the certificates of a file, or else those that this machine trusts.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, OidcError> {
        let mut client = reqwest::Client::builder()
            .timeout(PATIENCE)
            // The answers name addresses; none of them may lead inside.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(path) = ca_file {
            let bad = |error: &dyn std::error::Error| {
                OidcError::Config("ca_file", format!("{}: {error}", path.display()))
            };
            let pem = std::fs::read(path).map_err(|error| bad(&error))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| bad(&error))?;
            client = client.tls_certs_only(certificates);
        }
        // Whoever was first has set it; all of this program set the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            client.build().map_err(|error| OidcError::Config("ca_file", error.to_string()))?;
        Ok(Self(client))
    }

    pub(crate) fn call(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, HttpError>> + use<> {
        let client = self.0.clone();
        async move {
            let mut answer = client.execute(reqwest::Request::try_from(request)?).await?;
            let mut response = openidconnect::http::Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                response = response.header(name, value);
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > LARGEST {
                    return Err(HttpError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(response.body(body)?)
        }
    }
}
