//! The other side of TLS: judging the certificate that a server shows.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// What a server shows.
#[derive(Debug)]
pub struct Shown<'a> {
    /// Its certificate.
    pub certificate: &'a CertificateDer<'a>,
    /// Those between it and its authority.
    pub intermediates: &'a [CertificateDer<'a>],
    /// The name that was connected to.
    pub connected_to: &'a ServerName<'a>,
    /// What it says of its revocation.
    pub ocsp_response: &'a [u8],
    /// The time.
    pub now: UnixTime,
}

impl Shown<'_> {
    /// The verdict of a verifier, for a certificate that must be for `name`.
    pub fn judged_by(
        &self,
        verifier: &WebPkiServerVerifier,
        name: &ServerName<'_>,
    ) -> Result<ServerCertVerified, Error> {
        let Self { certificate, intermediates, ocsp_response, now, .. } = *self;
        verifier.verify_server_cert(certificate, intermediates, name, ocsp_response, now)
    }
}

/// A verifier that lets `judge` say how a certificate is looked at; signatures are checked as ever.
pub struct Judging<J> {
    verifier: Arc<WebPkiServerVerifier>,
    judge: J,
}

impl<J> Judging<J>
where
    J: Fn(&WebPkiServerVerifier, &Shown<'_>) -> Result<ServerCertVerified, Error> + Send + Sync,
{
    /// `judge` must ask the verifier: what it lets through is believed.
    pub const fn new(verifier: Arc<WebPkiServerVerifier>, judge: J) -> Self {
        Self { verifier, judge }
    }
}

impl<J> fmt::Debug for Judging<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judging").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl<J> ServerCertVerifier for Judging<J>
where
    J: Fn(&WebPkiServerVerifier, &Shown<'_>) -> Result<ServerCertVerified, Error> + Send + Sync,
{
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        connected_to: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown { certificate, intermediates, connected_to, ocsp_response, now };
        (self.judge)(&self.verifier, &shown)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
