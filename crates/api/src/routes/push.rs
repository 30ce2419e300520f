//! `/ingest/{source}`: messages from devices that have no MQTT, with the same contract: an answer
//! that says yes comes only after everything is durable.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Bytes, HttpBody as _};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path, Request, State};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_pipeline::{Push, PushError, Pushed};
use city_registry::credentials::{Devices, Grant, TOKEN_PREFIX};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{CITY, Caller, Proof, Role, hash, identify};
use crate::extract::{is_too_slow, too_slow};
use crate::parameters::{FromPairs, Pairs, Parameters, short};
use crate::problem::{Answer, Problem, ProblemBody, codes};

/// The largest message, in bytes; what a source takes may be less.
const LARGEST: usize = 16 << 20;

/// The largest message whose length nobody says before: room for all of it is kept meanwhile.
const LARGEST_UNANNOUNCED: usize = 1 << 20;
/// How long a message may take to come.
const READING: Duration = Duration::from_secs(30);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(push))
}

/// Where the message belongs.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct PushQuery {
    /// The device that sends it, where neither the payload nor the credentials say so.
    device: Option<String>,
    /// The topic that it would have over MQTT, if the source's topics say more than the device.
    topic: Option<String>,
}

impl FromPairs for PushQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { device: pairs.text("device"), topic: pairs.text("topic") })
    }
}

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
struct PushReport {
    /// Readings stored.
    stored: u64,
    /// Readings that were there already.
    duplicates: u64,
    /// Parts that could not become readings. They are kept as dead letters.
    dead_letters: Vec<PushedLetter>,
}

/// A part of a message that could not become readings.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PushedLetter {
    /// Why, as a stable code.
    reason: String,
    /// What is wrong and where.
    detail: String,
    /// How to mend it.
    hint: String,
    /// How many readings it stands for.
    items: u32,
}

/// Push a message from a device
///
/// The body is the message as the source's format has it. Credentials: a device's token
/// (`Authorization: Bearer cbd_…`), its name and password (`Authorization: Basic …`), or an access
/// token of an engineer. The answer comes when everything is durable. What cannot be decoded is
/// kept as a dead letter all the same; sending it again would only make another. Readings that say
/// when they were measured are stored once however often they come; to send others again safely,
/// give the message an `Idempotency-Key`, and the same key each time.
#[utoipa::path(post, path = "/ingest/{source}", operation_id = "push_message", tag = "ingest",
    params(("source" = String, Path, description = "The source's id"), PushQuery,
        ("Idempotency-Key" = Option<String>, Header,
            description = "What the sender calls this message: sent again with the same key, it is \
                           stored once though its readings have no time")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "The message"),
    responses((status = 200, description = "All of it that could be read is durable",
            body = PushReport),
        (status = 403, description = "The role, or what the device may send, does not allow it",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn push(
    State(app): State<App>,
    Path(source): Path<String>,
    Caller(caller): Caller,
    headers: HeaderMap,
    Parameters(query): Parameters<PushQuery>,
    request: Request,
) -> Answer<Json<PushReport>> {
    // Nothing of the body is read before it is known who sends it.
    let Some(speaker) = speaker(&app, caller, &headers).await? else {
        app.throttle.failed(caller, app.clock.now()).map_err(too_many)?;
        return Err(Problem::new(codes::UNAUTHENTICATED, "No valid credentials were shown.").hint(
            "Send `Authorization: Bearer TOKEN` with a device's token \
             (`citybrain credentials issue DEVICE` makes one), or its name and password.",
        ));
    };
    app.throttle.succeeded(caller);
    let Origin { device, client } = origin(speaker, query.device)?;
    let (payload, _room) = body(&app, request).await?;
    let push = Push { source, topic: query.topic, device, client, key: key(&headers), payload };
    let pushed = app.ingest.push(push).await.map_err(|error| refusal(&error))?;
    if pushed.stored + pushed.duplicates == 0 && !pushed.dead_letters.is_empty() {
        return Err(not_decoded(pushed));
    }
    Ok(Json(report(pushed)))
}

/// What the sender calls the message.
fn key(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("idempotency-key")?.as_bytes();
    (!key.is_empty()).then(|| String::from_utf8_lossy(key).into_owned())
}

/// Who pushes.
enum Speaker {
    /// A device, or a client that speaks for some.
    Client(Grant),
    /// A person or a program that may do much more.
    Engineer,
}

/// The message, with the room in memory that it takes until the permit is dropped.
async fn body(app: &App, mut request: Request) -> Answer<(Bytes, OwnedSemaphorePermit)> {
    let announced = request.body().size_hint().exact();
    let most = if announced.is_some() { LARGEST } else { LARGEST_UNANNOUNCED };
    let size = announced.map_or(most, |size| usize::try_from(size).unwrap_or(usize::MAX));
    if size > most {
        return Err(too_large(most));
    }
    let room = app.lanes.body(size).await?;
    DefaultBodyLimit::max(most).apply(&mut request);
    let read = tokio::time::timeout(READING, Bytes::from_request(request, &()));
    let Ok(read) = read.await else {
        let detail = format!("The message did not come within {} s.", READING.as_secs());
        return Err(Problem::new(codes::BAD_BODY, detail).hint("Send it again, or in parts."));
    };
    Ok((read.map_err(|rejection| unreadable(&rejection, most))?, room))
}

fn too_many(seconds: u32) -> Problem {
    Problem::new(codes::TOO_MANY_ATTEMPTS, "Too many wrong credentials from this address.")
        .retry_after(seconds)
}

async fn speaker(app: &App, caller: IpAddr, headers: &HeaderMap) -> Answer<Option<Speaker>> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, secret)) = shown.and_then(|shown| shown.split_once(' ')) else {
        return Ok(None);
    };
    let secret = secret.trim();
    if scheme.eq_ignore_ascii_case("basic") {
        let Some((name, password)) = name_and_password(secret) else { return Ok(None) };
        let clients = app.clients.clone();
        let known = clients.known_password(&name, password.as_bytes());
        let verified = if let Some(known) = known {
            known
        } else {
            if let Some(seconds) = app.throttle.refuses(caller, app.clock.now()) {
                return Err(too_many(seconds));
            }
            // The first check of a password takes its time on purpose.
            let check = move || Ok(clients.verify_password(&name, password.as_bytes()));
            app.lanes.password(check).await?
        };
        return Ok(verified.map(|verified| Speaker::Client(verified.grant)));
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    if secret.starts_with(TOKEN_PREFIX) {
        let verified = app.clients.verify_token(secret);
        return Ok(verified.map(|verified| Speaker::Client(verified.grant)));
    }
    let Some(principal) = identify(app, Proof::Token(hash(secret))).await? else {
        return Ok(None);
    };
    // A message may name any device, so this takes a role in the whole city.
    principal.rights.require(Role::Engineer, CITY).map_err(|problem| {
        problem.hint(format!(
            "This needs a device's token, or the role {} in the whole city.",
            Role::Engineer
        ))
    })?;
    Ok(Some(Speaker::Engineer))
}

fn name_and_password(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Whom a message is from.
struct Origin {
    /// The device, where it is known.
    device: Option<Arc<str>>,
    /// The client's name for the pipeline, which looks at every device that the payload names.
    client: Option<Arc<str>>,
}

fn origin(speaker: Speaker, named: Option<String>) -> Answer<Origin> {
    let Speaker::Client(grant) = speaker else {
        return Ok(Origin { device: named.map(Into::into), client: None });
    };
    if let Some(device) = named {
        if grant.speaks_for(&device) {
            return Ok(Origin { device: Some(device.into()), client: Some(grant.name) });
        }
        let detail = format!("`{}` may not speak for `{}`.", grant.name, short(&device));
        return Err(Problem::new(codes::FORBIDDEN, detail)
            .hint("Leave `device` out, or let an engineer widen the client's rights."));
    }
    let own = (grant.devices == Devices::Own).then(|| grant.name.clone());
    Ok(Origin { device: own, client: Some(grant.name) })
}

fn report(pushed: Pushed) -> PushReport {
    let letters = pushed.dead_letters.into_iter().map(|letter| PushedLetter {
        reason: letter.reason,
        detail: letter.detail,
        hint: letter.hint,
        items: letter.items,
    });
    PushReport {
        stored: pushed.stored,
        duplicates: pushed.duplicates,
        dead_letters: letters.collect(),
    }
}

fn not_decoded(pushed: Pushed) -> Problem {
    let report = report(pushed);
    let first = report.dead_letters.first();
    let detail = first.map(|letter| letter.detail.clone()).unwrap_or_default();
    let hint = first.map(|letter| letter.hint.clone()).unwrap_or_default();
    Problem::new(codes::NOT_DECODED, detail).hint(hint).with("dead_letters", report.dead_letters)
}

fn refusal(error: &PushError) -> Problem {
    let detail = format!("{error}.");
    match error {
        PushError::NoSource(_) => Problem::new(codes::UNKNOWN_SOURCE, detail)
            .hint("Sources are the [[source]] tables of the configuration."),
        PushError::Topic { .. } => Problem::new(codes::BAD_TOPIC, detail)
            .hint("Leave `topic` out, or give one that the template fits."),
        PushError::NotItsTopic { .. } => Problem::new(codes::FORBIDDEN, detail).hint(
            "Leave `topic` out, or give one that names a device that the client speaks for; or let \
             an engineer add the topic to the client's rights.",
        ),
        PushError::Stopped | PushError::Slow => Problem::new(codes::NOT_DURABLE, detail)
            .hint(
                "Send it again with the same Idempotency-Key; what is durable by then counts as a \
                 duplicate. Without a key that holds only for readings that say when they were \
                 measured: others may be stored twice.",
            )
            .retry_after(5),
    }
}

fn unreadable(rejection: &BytesRejection, most: usize) -> Problem {
    if rejection.status().as_u16() == 413 {
        return too_large(most);
    }
    if is_too_slow(rejection) {
        return too_slow();
    }
    Problem::new(codes::BAD_BODY, rejection.body_text())
}

fn too_large(most: usize) -> Problem {
    let detail = format!("The message is larger than {} MiB.", most >> 20);
    Problem::new(codes::BODY_TOO_LARGE, detail).hint(format!(
        "Send it in parts; with Content-Length it may have {} MiB, without {}.",
        LARGEST >> 20,
        LARGEST_UNANNOUNCED >> 20
    ))
}
