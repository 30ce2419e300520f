//! `/dead-letters`: messages that could not become readings, kept whole, and replayed after a fix.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_model::Timestamp;
use city_store::{Cancel, DeadLetterId, LettersFrom, NewDeadLetter, Store, StoreError};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Principal;
use crate::cursor;
use crate::export::{self, Cell, Column, Kind, Rows, Shape, Table, column};
use crate::extract::Id;
use crate::order::LogOrder;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With, short};
use crate::problem::{Answer, Problem, codes};
use crate::select;

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
    /// Only those with one of these reasons, separated by commas.
    #[param(value_type = Option<String>)]
    reason: Option<Vec<String>>,
    /// Only those that came through one of these sources, separated by commas.
    #[param(value_type = Option<String>)]
    source: Option<Vec<String>>,
    /// Only those of one of these devices, separated by commas.
    #[param(value_type = Option<String>)]
    device: Option<Vec<String>>,
    /// Only those with this text in their topic or detail, in any case.
    q: Option<String>,
    /// Only those that reached us at this instant or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Only those that reached us before this instant, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// `newest`, unless given, or `oldest` first.
    #[param(inline, value_type = Option<LogOrder>)]
    sort: LogOrder,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<DeadLetterId>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for DeadLettersQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        Ok(Self {
            reason: pairs.list("reason"),
            source: pairs.list("source"),
            device: pairs.list("device"),
            q: pairs.text("q").map(|q| q.to_lowercase()),
            from,
            to,
            sort: LogOrder::from_pairs(pairs)?,
            cursor: pairs.cursor()?,
            limit: pairs.limit()?,
        })
    }
}

impl DeadLettersQuery {
    fn wants(&self, letter: &NewDeadLetter) -> bool {
        let named = |list: &Option<Vec<String>>, found: Option<&str>| {
            list.is_none() || found.is_some_and(|found| select::has(list.as_ref(), found))
        };
        named(&self.reason, Some(&letter.reason))
            && named(&self.source, Some(&letter.source_id))
            && named(&self.device, letter.device.as_deref())
            && self.from.is_none_or(|from| letter.received >= from)
            && self.to.is_none_or(|to| letter.received < to)
            && self.q.as_ref().is_none_or(|q| {
                [&letter.topic, &letter.detail].iter().any(|text| text.to_lowercase().contains(q))
            })
    }

    /// Calls `each` with those that are wanted, until it fails. Few are in memory at a
    /// time, for each may be large.
    fn each<E: From<StoreError>>(
        &self,
        store: &dyn Store,
        cancel: &Cancel,
        mut each: impl FnMut(city_store::DeadLetter) -> Result<(), E>,
    ) -> Result<(), E> {
        // The store has an index of reasons.
        let one = self.reason.as_deref().filter(|all| all.len() == 1).and_then(<[_]>::first);
        let mut from = match self.sort {
            LogOrder::Newest => LettersFrom::Newest,
            LogOrder::Oldest => LettersFrom::Oldest,
        };
        if let Some(last) = self.cursor {
            from = from.beyond(last);
        }
        loop {
            cancel.check()?;
            let page = store.dead_letters(from, one.map(String::as_str), LETTERS)?;
            for letter in page.items {
                if self.wants(&letter.letter) {
                    each(letter)?;
                }
            }
            let Some(next) = page.next else { return Ok(()) };
            from = next;
        }
    }
}

/// How many letters are read at a time.
const LETTERS: usize = 32;

/// Dead letters, newest first unless sorted otherwise
#[utoipa::path(get, path = "/dead-letters", operation_id = "list_dead_letters", tag = "ingest",
    params(Shape, DeadLettersQuery),
    responses((status = 200, description = "A page of dead letters", body = DeadLetterPage)))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(With(shape, query)): Parameters<With<Shape, DeadLettersQuery>>,
) -> Answer<Response> {
    let store = app.store.clone();
    if let Some(file) = shape.file(&headers) {
        let work = move |rows: &mut Rows, cancel: &Cancel| {
            query.each(&*store, cancel, |letter| rows.add(&row(&view(letter, usize::MAX))))
        };
        return export::respond(&app, file, Table::new("dead-letters", COLUMNS), work).await;
    }
    let work = move |cancel: &Cancel| {
        let mut items = Vec::new();
        let mut last = None;
        let found = query.each(&*store, cancel, |letter| {
            if items.len() == query.limit {
                return Err(PageEnd::Full);
            }
            last = Some(letter.id);
            items.push(view(letter, EXCERPT));
            Ok(())
        });
        let more = match found {
            Ok(()) => false,
            Err(PageEnd::Full) => true,
            Err(PageEnd::Store(error)) => return Err(error.into()),
        };
        let next_cursor = last.filter(|_| more).as_ref().map(cursor::encode);
        Ok(DeadLetterPage { items, next_cursor })
    };
    let page = app.lanes.history(work).await?;
    shape.page("DeadLetter", page)
}

/// Why a page ends before the letters do.
enum PageEnd {
    Full,
    Store(StoreError),
}

impl From<StoreError> for PageEnd {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The columns of a file of dead letters: with whole payloads.
static COLUMNS: &[Column] = &[
    column("id", Kind::Text),
    column("at", Kind::Time),
    column("source", Kind::Text),
    column("topic", Kind::Text),
    column("device", Kind::Text),
    column("reason", Kind::Text),
    column("detail", Kind::Text),
    column("hint", Kind::Text),
    column("size", Kind::Integer),
    column("payload_text", Kind::Text),
    column("payload_base64", Kind::Text),
    column("replayed_at", Kind::Time),
];

fn row(letter: &DeadLetter) -> [Cell<'_>; 12] {
    [
        Cell::from(&*letter.id),
        letter.at.into(),
        Cell::from(&*letter.source),
        Cell::from(&*letter.topic),
        letter.device.as_deref().into(),
        Cell::from(&*letter.reason),
        Cell::from(&*letter.detail),
        Cell::from(&*letter.hint),
        (letter.size as u64).into(),
        letter.payload_text.as_deref().into(),
        Cell::from(&*letter.payload_base64),
        letter.replayed_at.into(),
    ]
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
