//! `/dead-letters`: messages that could not become readings, kept whole, and replayed after a fix.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_model::Timestamp;
use city_store::DeadLetterId;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Principal;
use crate::cursor;
use crate::extract::Id;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, short};
use crate::problem::{Answer, Problem, codes};

/// How much of a payload a list shows, in bytes; one letter alone is shown whole.
const EXCERPT: usize = 4_096;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(replay))
}

/// A message that could not become readings, or not all of it.
#[derive(Serialize, ToSchema)]
struct DeadLetter {
    id: String,
    /// When it reached us.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The id of the source.
    source: String,
    topic: String,
    /// The device, if that much could be read.
    device: Option<String>,
    /// Why, as a stable code.
    reason: String,
    /// What is wrong and where.
    detail: String,
    /// How to mend it.
    hint: String,
    /// The size of the payload in bytes.
    size: usize,
    /// The payload if it is text; in lists its first 4 KiB. Passwords of HJ 212 (`PW=…`) are
    /// asterisks.
    payload_text: Option<String>,
    /// The payload; in lists its first 4 KiB. Passwords of HJ 212 (`PW=…`) are asterisks.
    payload_base64: String,
    /// When it was replayed.
    #[schema(value_type = Option<String>, format = DateTime)]
    replayed_at: Option<Timestamp>,
}

/// A page of dead letters.
#[derive(Serialize, ToSchema)]
struct DeadLetterPage {
    items: Vec<DeadLetter>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which dead letters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct DeadLettersQuery {
    /// Only those with this reason.
    reason: Option<String>,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<DeadLetterId>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for DeadLettersQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { reason: pairs.text("reason"), cursor: pairs.cursor()?, limit: pairs.limit()? })
    }
}

/// Dead letters, newest first
#[utoipa::path(get, path = "/dead-letters", operation_id = "list_dead_letters", tag = "ingest",
    params(DeadLettersQuery),
    responses((status = 200, description = "A page of dead letters", body = DeadLetterPage)))]
async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<DeadLettersQuery>,
) -> Answer<Json<DeadLetterPage>> {
    let store = app.store.clone();
    app.lanes
        .short(move || {
            let page = store.dead_letters(query.cursor, query.reason.as_deref(), query.limit)?;
            Ok(Json(DeadLetterPage {
                items: page.items.into_iter().map(|letter| view(letter, EXCERPT)).collect(),
                next_cursor: page.next.as_ref().map(cursor::encode),
            }))
        })
        .await
}

/// One dead letter with its whole payload
#[utoipa::path(get, path = "/dead-letters/{id}", operation_id = "get_dead_letter",
    tag = "ingest",
    params(("id" = String, Path, description = "The dead letter's id")),
    responses((status = 200, description = "The dead letter", body = DeadLetter)))]
async fn show(
    State(app): State<App>,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<Json<DeadLetter>> {
    let key = parse(&id)?;
    let store = app.store.clone();
    app.lanes
        .short(move || {
            let letter = store.dead_letter(key)?.ok_or_else(|| unknown(&id))?;
            Ok(Json(view(letter, usize::MAX)))
        })
        .await
}

/// Feed a dead letter through the pipeline again, after a fix
#[utoipa::path(post, path = "/dead-letters/{id}/replay", operation_id = "replay_dead_letter",
    tag = "ingest",
    params(("id" = String, Path, description = "The dead letter's id")),
    responses((status = 202, description = "It is on its way; if it still cannot be read it \
        becomes a dead letter again")))]
async fn replay(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
) -> Answer<StatusCode> {
    let key = parse(&id)?;
    let (store, ingest) = (app.store.clone(), app.ingest.clone());
    app.lanes
        .short(move || {
            store.dead_letter(key)?.ok_or_else(|| unknown(&id))?;
            ingest.replay(key).map_err(|why| {
                Problem::new(codes::REPLAY_FAILED, why).hint("Try again in a few seconds.")
            })
        })
        .await?;
    tracing::info!(user.name = %principal.user, dead_letter = key.0, "replayed a dead letter");
    Ok(StatusCode::ACCEPTED)
}

fn view(kept: city_store::DeadLetter, show: usize) -> DeadLetter {
    let letter = kept.letter;
    let shown = without_passwords(&letter.payload[..letter.payload.len().min(show)]);
    DeadLetter {
        id: kept.id.0.to_string(),
        at: letter.received,
        source: letter.source_id,
        topic: letter.topic,
        device: letter.device,
        reason: letter.reason,
        detail: letter.detail,
        hint: letter.hint,
        size: letter.payload.len(),
        payload_text: text(&shown),
        payload_base64: STANDARD.encode(&*shown),
        replayed_at: kept.replayed_at,
    }
}

/// The same with the passwords of HJ 212 (`PW=…;`) made unreadable, byte for byte: whoever sees
/// letters could send as the device. What is kept, and replayed, has them.
fn without_passwords(payload: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Cow::Borrowed(payload);
    let mut place = 0;
    while let Some(found) = payload[place..].windows(2).position(|pair| pair == b"PW") {
        let start = place + found;
        place = start + 2;
        let word = start.checked_sub(1).is_some_and(|before| payload[before].is_ascii_alphabetic());
        let blank = payload[place..].iter().take_while(|byte| **byte == b' ').count();
        if word || payload.get(place + blank) != Some(&b'=') {
            continue;
        }
        place += blank + 1;
        let rest = payload[place..].iter();
        let length = rest.take_while(|byte| !matches!(byte, b';' | b'&' | b'"' | b'\r' | b'\n'));
        let end = place + length.count();
        shown.to_mut()[place..end].fill(b'*');
        place = end;
    }
    shown
}

/// The bytes as text, if they are; a character that the excerpt cut in two does not count.
fn text(bytes: &[u8]) -> Option<String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        Err(error) if error.error_len().is_none() => {
            let whole = &bytes[..error.valid_up_to()];
            Some(String::from_utf8_lossy(whole).into_owned())
        }
        Err(_) => None,
    }
}

fn parse(id: &str) -> Answer<DeadLetterId> {
    id.parse().map(DeadLetterId).map_err(|_| unknown(id))
}

fn unknown(id: &str) -> Problem {
    Problem::new(codes::UNKNOWN_DEAD_LETTER, format!("There is no dead letter `{}`.", short(id)))
        .hint("GET /api/v1/dead-letters lists them.")
}
