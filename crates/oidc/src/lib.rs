//! Login through an identity provider: OpenID Connect Core 1.0, the authorization code flow (clause
//! 3.1) with PKCE (RFC 7636), state and nonce.
//!
//! [`Provider::begin`] says where the browser is to go, [`Provider::finish`] who came back. Neither
//! knows users nor what they may do.

mod claims;
mod http;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use city_model::with_causes;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm as Algorithm, CoreProviderMetadata,
    CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AuthenticationFlow, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenClaims,
    IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse as _,
};
use tokio::sync::Mutex;

use claims::Claims;
use http::Http;

/// How long what a provider says of itself is believed, its keys included.
const BELIEVED: Duration = Duration::from_hours(1);
/// How soon it may be asked again, where a signature is by a key that nobody knows.
const AGAIN: Duration = Duration::from_secs(30);
/// How an ID token may be signed: with a key that only the provider has.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// The path of the page to which the browser comes back.
pub const CALLBACK: &str = "/login";

/// How to reach a provider, and what it calls things.
#[derive(Clone)]
pub struct Config {
    /// Its issuer identifier, `https://…`; what it says of itself is below it (OpenID Connect
    /// Discovery 1.0, clause 4).
    pub issuer: String,
    /// What this program is called there.
    pub client_id: String,
    /// The secret that it has there; with PKCE some providers need none.
    pub client_secret: Option<String>,
    /// The address at which people reach this program, such as `https://brain.city.example`.
    pub public_url: String,
    /// What to ask for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that says what people log in as.
    pub user_claim: String,
    /// The claim that lists groups or roles; a dot leads into a claim.
    pub groups_claim: String,
    /// A file with the certificates that vouch for it, in PEM; those that this machine trusts if
    /// missing.
    pub ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Why nobody can log in like this. The texts are for the log of whoever runs this program.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The configuration makes no sense: the key, and what is wrong.
    #[error("{0}: {1}")]
    Config(&'static str, String),
    /// The provider does not answer, or not as one does.
    #[error("the identity provider: {0}")]
    Provider(String),
    /// What it says of somebody does not hold.
    #[error("the identity provider's word was refused: {0}")]
    Refused(String),
}

/// Somebody who has been sent to the provider. Whoever keeps this must bind it to the browser.
#[derive(Debug)]
pub struct Pending {
    /// What must come back with the browser.
    pub state: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// Who came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What the provider calls them for ever: issuer and subject.
    pub subject: String,
    /// What they log in as there, if it says so.
    pub user: Option<String>,
    /// What people call them.
    pub name: Option<String>,
    /// Their e-mail address, unless the provider says that nobody checked it.
    pub email: Option<String>,
    /// Their groups or roles.
    pub groups: Vec<String>,
}

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    Algorithm,
>;
type Relying = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An identity provider.
#[derive(Debug)]
pub struct Provider {
    config: Config,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    http: Http,
    known: Mutex<Option<(Arc<CoreProviderMetadata>, Instant)>>,
}

impl Provider {
    /// One that nobody has asked yet: it need not be there when this program starts.
    pub fn new(config: Config) -> Result<Self, OidcError> {
        let bad = |key| move |error| OidcError::Config(key, format!("{error}"));
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(bad("issuer"))?;
        let back = format!("{}{CALLBACK}", config.public_url.trim_end_matches('/'));
        let redirect = RedirectUrl::new(back).map_err(bad("public_url"))?;
        let http = Http::new(config.ca_file.as_deref())?;
        Ok(Self { config, issuer, redirect, http, known: Mutex::default() })
    }

    /// Asks the provider for what it says of itself; an error is why nobody can log in.
    pub async fn look(&self) -> Result<(), OidcError> {
        self.relying(Duration::ZERO).await.map(|_| ())
    }

    /// Where the browser is to go, and what to keep until it comes back.
    pub async fn begin(&self) -> Result<(String, Pending), OidcError> {
        let relying = self.relying(BELIEVED).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut request = relying
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge);
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        Ok((url.into(), Pending { state: state.secret().clone(), nonce, verifier }))
    }

    /// Who came back with a code, and perhaps with the issuer's name (RFC 9207). The state must have
    /// been compared before.
    pub async fn finish(
        &self,
        code: String,
        issuer: Option<&str>,
        pending: Pending,
    ) -> Result<Identity, OidcError> {
        if issuer.is_some_and(|issuer| issuer != self.config.issuer) {
            return Err(OidcError::Refused("another one answered".to_owned()));
        }
        let relying = self.relying(BELIEVED).await?;
        let Pending { nonce, verifier: pkce, .. } = pending;
        let exchange = relying.exchange_code(AuthorizationCode::new(code)).map_err(provider)?;
        let call = |request| self.http.call(request);
        let tokens = exchange.set_pkce_verifier(pkce).request_async(&call).await;
        let tokens = tokens.map_err(provider)?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| OidcError::Refused("there is no ID token".to_owned()))?;
        // Its keys may be newer than what is known of them.
        let anew;
        let mut keys = verifier(&relying);
        if id_token.claims(&keys, &nonce).is_err() {
            anew = self.relying(AGAIN).await?;
            keys = verifier(&anew);
        }
        let claims = id_token.claims(&keys, &nonce).map_err(refused)?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(refused)?;
            let key = id_token.signing_key(&keys).map_err(refused)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if actual.map_err(refused)? != *expected {
                return Err(OidcError::Refused("the access token is another one".to_owned()));
            }
        }
        Ok(self.identity(claims))
    }

    fn identity(&self, claims: &IdTokenClaims<Claims, CoreGenderClaim>) -> Identity {
        let more = claims.additional_claims();
        let standard = serde_json::to_value(claims).unwrap_or_default();
        let text = |name: &str| standard.get(name)?.as_str().map(str::to_owned);
        let unchecked = claims.email_verified() == Some(false);
        Identity {
            subject: format!("{}|{}", self.config.issuer, claims.subject().as_str()),
            user: more.text(&self.config.user_claim).or_else(|| text(&self.config.user_claim)),
            name: text("name"),
            email: text("email").filter(|_| !unchecked),
            groups: more.list(&self.config.groups_claim),
        }
    }

    /// The provider as it says it is, or said not longer ago than `believed`.
    async fn relying(&self, believed: Duration) -> Result<Relying, OidcError> {
        let mut known = self.known.lock().await;
        let metadata = match &*known {
            Some((metadata, at)) if at.elapsed() < believed => metadata.clone(),
            _ => {
                let call = |request| self.http.call(request);
                let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &call).await;
                let found = Arc::new(found.map_err(provider)?);
                *known = Some((found.clone(), Instant::now()));
                found
            }
        };
        let secret = self.config.client_secret.clone().map(ClientSecret::new);
        let id = ClientId::new(self.config.client_id.clone());
        let relying: Relying = Client::from_provider_metadata((*metadata).clone(), id, secret);
        Ok(relying.set_redirect_uri(self.redirect.clone()))
    }
}

fn verifier(relying: &Relying) -> IdTokenVerifier<'_, CoreJsonWebKey> {
    relying.id_token_verifier().set_allowed_algs(ALGORITHMS)
}

fn provider(error: impl std::error::Error) -> OidcError {
    OidcError::Provider(with_causes(&error))
}

fn refused(error: impl std::error::Error) -> OidcError {
    OidcError::Refused(with_causes(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_none_are_named_with_their_key() {
        let config = Config {
            issuer: "https://id.city.example".to_owned(),
            client_id: "citybrain".to_owned(),
            client_secret: None,
            public_url: "https://brain.city.example/".to_owned(),
            scopes: Vec::new(),
            user_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            ca_file: None,
        };
        let provider = Provider::new(config.clone()).expect("good");
        assert_eq!(provider.redirect.as_str(), "https://brain.city.example/login");
        let key = |config| match Provider::new(config) {
            Err(OidcError::Config(key, _)) => key,
            other => panic!("{other:?}"),
        };
        assert_eq!(key(Config { issuer: "city".to_owned(), ..config.clone() }), "issuer");
        assert_eq!(key(Config { public_url: "brain".to_owned(), ..config.clone() }), "public_url");
        assert_eq!(key(Config { ca_file: Some("/none".into()), ..config }), "ca_file");
    }
}
